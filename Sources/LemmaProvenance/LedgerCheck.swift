import LemmaBasics
import LemmaEngine
import LemmaHash
import LemmaLedger
import LemmaStore

/// The part of an audit that looks at the ledger itself: is the chain whole, do the parts of a
/// commit agree.
extension Auditor {
  /// Reads the whole chain of commits back, and looks for the newest run that this store has seen.
  func verifyLedger() throws -> Int {
    let runs = try history.ledger.runs()
    var lost = runs.flatMap { run in
      run.message.split(separator: "\n").filter { $0.hasPrefix(RunRecord.lostTrailer) }
        .map { String($0.dropFirst(RunRecord.lostTrailer.count)) }
    }
    if let seen = try RunRecord.lostHead(of: history.ledger, in: workspace) { lost.append(seen) }
    for commit in lost {
      faults.append(
        Audit.Fault(
          subject: "commit \(commit)",
          message: "the ledger no longer contains this run, which was its newest: it was rolled back or rewritten"))
    }
    if try workspace.store.index.head(ofLedger: workspace.name(of: history.ledger)) == nil {
      notes.append("this store has seen none of the ledger's runs, so a rollback would not show")
    }
    for (newer, older) in zip(runs, runs.dropFirst()) where newer.number - 1 != older.number {
      faults.append(
        Audit.Fault(
          subject: "commit \(newer.id)", message: "run \(newer.number) follows run \(older.number): a run is missing"))
    }
    return runs.count
  }

  /// The parts of a run's commit must agree with each other.
  func verifyCommit(_ id: String, stages: [RecordedStage]) throws {
    func fault(_ message: String) { faults.append(Audit.Fault(subject: "commit \(id)", message: message)) }
    if Seal(of: try history.pipeline(of: id)).hex != summary["pipeline_sha256"]?.string {
      fault("its pipeline file is not the one that its record was made with")
    }
    var metrics: [String: JSON] = [:]
    for stage in stages {
      guard let result = stage.result else { continue }
      if !result.metrics.isEmpty { metrics[stage.stage] = .object(result.metrics) }
      for (output, place) in stage.places {
        guard let artifact = result.outputs[output] else { continue }
        let suffix = Files.name(place).split(separator: ".").dropFirst().last.map { ".\($0)" } ?? ""
        for name in Set([Files.name(place), "\(output)\(suffix)"]) {
          let path = "files/\(RunRecord.fileName(stage.stage))/\(name)"
          if let bytes = try history.ledger.read(path, of: id), Identity(of: bytes) != artifact.identity {
            fault("its copy '\(path)' is not what the stage gave")
          }
        }
      }
    }
    if try history.metrics(of: id) != .object(metrics) { fault("its metrics.json is not what its stages gave") }
  }
}
