import LemmaBasics
import LemmaHash
import LemmaLedger
import LemmaPipeline
import LemmaStore

/// Executes a recorded action again, in a root of its own and whatever is known of its result. What comes
/// out is in the store, to be compared, and replaces no result.
public struct StageRepeater {
  public struct Repeated {
    public var document: Identity
    public var result: ActionResult
  }

  private let project: Project
  private let host: Host
  private let resolver: Resolver

  /// - Parameter options: the program for built-in kinds, and the sandbox.
  public init(project: Project, options: RunOptions) {
    self.project = project
    resolver = Resolver(project: project, keepsBytes: true)
    host = Host(store: project.workspace.store, options: options) { _ in }
  }

  /// - Parameters:
  ///   - id: the stage's.
  ///   - key: the recorded action's.
  ///   - results: the recorded results of all stages by id.
  /// - Throws: `Failure` when the stage is not what it was, or fails.
  public func run(
    _ id: String, key: String, results: [String: ActionResult], report: @escaping @Sendable (Progress) -> Void,
    isCancelled: @escaping @Sendable () -> Bool
  ) throws -> Repeated {
    let store = project.workspace.store
    guard let stage = project.stages[id] else { throw changed(id) }
    let lacking = stage.inputs.flatMap(\.refs).contains { reference in
      if case .stage(let id, let output) = reference.origin { results[id]?.outputs[output] == nil } else { false }
    }
    if lacking { throw changed(id) }
    let action = try resolver.action(for: stage) { results[$0] }
    guard action.document.key.hex == key else { throw changed(id) }
    try store.flush()
    let execution = Execution(
      workspace: project.workspace, action: action, threads: stage.resources.cpus, isForced: true, host: host,
      report: report, isCancelled: isCancelled)
    let captured = try execution.run()
    defer { withExtendedLifetime(captured.lock) {} }
    try store.flush()
    if let scratch = captured.scratch { try Files.remove(scratch) }
    return Repeated(document: action.document.identity, result: captured.result)
  }

  private func changed(_ id: String) -> Failure {
    Failure(
      .user, "changed-since", "stage '\(id)' is not what it was in that run: its declaration or an input changed",
      hint: "see 'lemma why \(id)'; put back what changed, or 'lemma run' first")
  }
}

/// A verdict about a recorded action, as a commit of its own on top of the ledger.
extension RunRecord {
  /// - Parameters:
  ///   - base: the run that the verdict is about; its files are the commit's, but for the outcomes.
  ///   - path: where the verdict stands among them.
  ///   - title: the first line of the message.
  /// - Returns: the commit's id.
  public static func append(
    _ verdict: JSON, at path: String, about base: String, summary: JSON, title: String, in workspace: Workspace
  ) throws -> String {
    guard let lock = try FileLock.take("\(workspace.store.root)/locks/ledger") else {
      throw Failure(.internal, "lock", "the ledger's lock was not given")
    }
    defer { withExtendedLifetime(lock) {} }
    let ledger = try workspace.ledger()
    let lost = try lostHead(of: ledger, in: workspace)
    // Nothing ran for this commit that a later run could rest on.
    var run = summary.object ?? [:]
    run["outcomes"] = [:]
    let changes: [(path: String, bytes: [UInt8]?)] = [
      (path, Array(verdict.pretty.utf8)), ("run.json", Array(JSON.object(run).pretty.utf8)),
    ]
    let id = try ledger.commit(base: base, changes: changes, time: Clock.now()) { number in
      printable("\(title)\n\n\(lost.map { "\(lostTrailer)\($0)\n\n" } ?? "")") + Ledger.trailer(number: number)
    }
    try workspace.store.index.record(head: id, ofLedger: workspace.name(of: ledger))
    return id
  }
}
