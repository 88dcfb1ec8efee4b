import LemmaBasics
import LemmaHash
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
