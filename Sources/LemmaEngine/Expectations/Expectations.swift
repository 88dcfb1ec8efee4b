import LemmaBasics
import LemmaHash
import LemmaPipeline
import LemmaStore

/// Holds outputs against what their stage expects of them. It is done for every result, new or known: an
/// output that was quietly cut short is no result, whatever the command's exit status was.
final class Expectations {
  private let store: Store
  /// What was found by reading and is worth remembering.
  private(set) var found: [ActionRecord] = []

  init(store: Store) { self.store = store }

  /// - Throws: `Failure` with the expectation's place; `ObjectFault` when an output cannot be read.
  func check(_ result: ActionResult, of stage: Stage) throws {
    for expectation in stage.policy.expectations {
      guard let artifact = result.outputs[expectation.output] else { continue }
      let fileName = stage.outputs.first { $0.name == expectation.output }?.fileName ?? ""
      for complaint in try complaints(of: expectation, about: artifact, fileName: fileName).prefix(1) {
        throw Failure(
          .user, "expectation", "stage '\(stage.id)': output '\(expectation.output)' \(complaint)",
          at: expectation.position,
          hint: "mend the stage, or what is expected of it; the output is kept, so that the latter runs nothing again")
      }
    }
  }

  private func complaints(
    of expectation: Expectation, about artifact: Artifact, fileName: String
  ) throws -> [String] {
    var complaints: [String] = []
    if let range = expectation.bytes {
      let bytes = try size(of: artifact)
      if !range.contains(bytes) { complaints.append("has \(bytes) bytes, not \(words(range))") }
    }
    if expectation.rows == nil, expectation.columns.isEmpty { return complaints }
    guard artifact.kind != .folder else {
      return complaints + ["is a folder, which has no rows: only its bytes can be expected"]
    }
    let facts = ContentFacts(store: store, form: ContentFacts.Form(fileName: fileName)) { self.found.append($0) }
    do {
      if let range = expectation.rows {
        let rows = try facts.rows(of: artifact.identity)
        if !range.contains(rows) { complaints.append("has \(rows) rows, not \(words(range))") }
      }
      if !expectation.columns.isEmpty {
        let columns = try facts.columns(of: artifact.identity)
        let missing = expectation.columns.filter { !columns.contains($0) }
        if !missing.isEmpty {
          complaints.append("lacks \(missing.map { "'\($0)'" }.joined(separator: ", ")) in some or all of its rows")
        }
      }
    } catch let failure as Failure where failure.kind == .user {
      complaints.append("cannot be read as \(facts.form.rawValue): \(failure.message)")
    }
    return complaints
  }

  private func size(of artifact: Artifact) throws -> Int {
    guard artifact.kind == .folder else { return Int(artifact.identity.size) }
    return try store.tree(artifact.identity).files.reduce(0) { $0 + Int($1.size) }
  }

  private func words(_ range: ClosedRange<Int>) -> String {
    if range.lowerBound == range.upperBound { return "\(range.lowerBound)" }
    if range.upperBound == .max { return "at least \(range.lowerBound)" }
    return range.lowerBound == 0
      ? "at most \(range.upperBound)" : "\(range.lowerBound) to \(range.upperBound)"
  }
}
