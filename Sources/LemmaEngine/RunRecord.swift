import LemmaBasics
import LemmaHash
import LemmaLedger
import LemmaPipeline
import LemmaStore

/// A run as files of a ledger commit, and back. Layout: `docs/formats.md`.
public enum RunRecord {
  /// A stage's outputs that a person would read are kept as plain files up to this size.
  static let plainFileLimit = 256 * 1024
  static let plainOutputs: Set<String> = ["metrics", "report", "table"]

  /// Commits the run and remembers the new head.
  /// - Returns: the commit's id.
  public static func commit(_ summary: RunSummary, of pipeline: Pipeline, in workspace: Workspace) throws -> String {
    guard let lock = try FileLock.take("\(workspace.store.root)/locks/ledger") else {
      throw Failure(.internal, "lock", "the ledger's lock was not given")
    }
    defer { withExtendedLifetime(lock) {} }
    let ledger = try workspace.ledger()
    let files = try self.files(summary, of: pipeline, in: workspace, projectCommit: ledger.projectCommit())
    let lost = try lostHead(of: ledger, in: workspace)
    let id = try ledger.commit(changes: files, time: summary.began + Int64(summary.seconds)) { number in
      message(summary, of: pipeline, number: number, lost: lost)
    }
    try workspace.store.index.record(head: id, ofLedger: workspace.name(of: ledger))
    return id
  }

  /// The line of a run's message that names a run which the ledger contained and no longer does.
  public static let lostTrailer = "Lemma-Lost: "

  /// The newest run that this store has seen in the ledger, if the ledger does not contain it.
  public static func lostHead(of ledger: Ledger, in workspace: Workspace) throws -> String? {
    guard let seen = try workspace.store.index.head(ofLedger: workspace.name(of: ledger)) else { return nil }
    if try ledger.head() == seen { return nil }
    return try ledger.runs().contains { $0.id == seen } ? nil : seen
  }

  private static func message(_ summary: RunSummary, of pipeline: Pipeline, number: Int, lost: String?) -> String {
    let counts = ["ran", "cached", "failed", "cancelled", "blocked"]
      .map { (word: $0, count: summary.count($0)) }.filter { $0.count > 0 }
      .map { "\($0.count) \($0.word)" }.joined(separator: ", ")
    var text = "Run \(pipeline.name): \(summary.status), \(counts.isEmpty ? "no stages" : counts)\n\n"
    let changed = summary.stages.contains { $0.outcome.word != "cached" }
    for record in summary.stages where record.outcome.word != "cached" {
      text += "\(record.outcome.word) \(record.stage.id)"
      if let reason = record.reason { text += ": \(reason.text)" }
      if case .failed(let failure) = record.outcome {
        text += ": \(failure.message.split(separator: "\n").first ?? "")"
      }
      text += "\n"
    }
    if let lost { text += "\(lostTrailer)\(lost)\n" }
    return printable(text) + (changed || lost != nil ? "\n" : "") + "\(Ledger.trailer(number: number))"
  }

  private static func files(
    _ summary: RunSummary, of pipeline: Pipeline, in workspace: Workspace, projectCommit: String?
  ) throws -> [(path: String, bytes: [UInt8]?)] {
    var files: [(path: String, bytes: [UInt8]?)] = [("pipeline.yaml", pipeline.bytes)]
    var metrics: [String: JSON] = [:]
    for record in summary.stages {
      files.append(("stages/\(fileName(record.stage.id)).json", Array(try stage(record).pretty.utf8)))
      guard let result = record.result else { continue }
      if !result.metrics.isEmpty { metrics[record.stage.id] = .object(result.metrics) }
      for output in record.stage.outputs where plainOutputs.contains(output.name) {
        guard let artifact = result.outputs[output.name], artifact.kind != .folder,
          artifact.identity.size <= plainFileLimit, let bytes = try? workspace.store.read(artifact.identity)
        else { continue }
        files.append(("files/\(fileName(record.stage.id))/\(output.fileName)", bytes))
      }
    }
    files.append(("metrics.json", Array(JSON.object(metrics).pretty.utf8)))
    files.append(
      ("run.json", Array(try run(summary, of: pipeline, in: workspace, projectCommit: projectCommit).pretty.utf8)))
    return files
  }

  private static func run(
    _ summary: RunSummary, of pipeline: Pipeline, in workspace: Workspace, projectCommit: String?
  ) throws -> JSON {
    let program = try workspace.store.identify("/proc/self/exe")
    return [
      "format": 1, "pipeline": .string(pipeline.name), "pipeline_sha256": .string(Seal(of: pipeline.bytes).hex),
      "parameters": .object(pipeline.parameters), "status": .string(summary.status),
      "began": .string(Clock.text(summary.began)), "seconds": JSON((summary.seconds * 1000).rounded() / 1000),
      "lemma": ["version": .string(lemmaVersion), "program": program?.json ?? .null],
      "project_commit": projectCommit.map(JSON.string) ?? .null, "platform": ActionDocument.platform,
      "processors": JSON(Machine.processors),
      "stages": .array(summary.stages.map { .string($0.stage.id) }),
      "sources": .array(
        pipeline.sources.map { source in
          [
            "name": .string(source.name), "path": .string(source.path),
            "license": source.license.map(JSON.string) ?? .null,
          ]
        }),
    ]
  }

  private static func stage(_ record: RunSummary.StageRecord) throws -> JSON {
    var members: [String: JSON] = [
      "stage": .string(record.stage.id), "outcome": .string(record.outcome.word),
      "places": .object(
        Dictionary(uniqueKeysWithValues: record.stage.outputs.map { ($0.name, .string($0.path)) })),
    ]
    if let reason = record.reason { members["reason"] = .string(reason.text) }
    if let action = record.action {
      members["action"] = action.json
      members["action_key"] = .string(action.key.hex)
      members["action_sha256"] = .string(action.identity.seal.hex)
      members["origins"] = .object(
        Dictionary(uniqueKeysWithValues: record.inputs.map { ($0.name, .array($0.members.map { $0.origin.json })) }))
    }
    if let result = record.result { members["result"] = result.json }
    if case .failed(let failure) = record.outcome { members["failure"] = .string(failure.description) }
    return .object(members)
  }

  /// A stage's id as one part of a path.
  public static func fileName(_ stage: String) -> String {
    stage.unicodeScalars.map { "/%".unicodeScalars.contains($0) ? "%\(String($0.value, radix: 16))" : String($0) }
      .joined()
  }
}

extension Reference.Origin {
  /// Where an input came from, as the ledger names it.
  var json: JSON {
    switch self {
    case .source(let name): ["source": .string(name)]
    case .path(let path): ["path": .string(path)]
    case .stage(let id, let output): ["stage": .string(id), "output": .string(output)]
    }
  }
}

/// This program's version.
public let lemmaVersion = "0.1.0"
