import Glibc
import LemmaBasics
import LemmaHash
import LemmaPipeline
import LemmaStore

/// Runs one stage under strace and says what it used without declaring it. The outputs are not kept: a
/// trace is a question, not a result.
public struct StageTrace {
  private let project: Project
  private let resolver: Resolver
  private let lookup: Lookup
  private let host: Host
  private var results: [Int: ActionResult] = [:]

  /// - Parameter options: the program for built-in kinds.
  public init(project: Project, options: RunOptions) {
    self.project = project
    resolver = Resolver(project: project, keepsBytes: true)
    lookup = Lookup(workspace: project.workspace, pipeline: project.name)
    host = Host(store: project.workspace.store, options: options) { _ in }
  }

  /// - Parameter name: a stage, or one instance of it.
  /// - Throws: `Failure` when there is no such stage, one before it has no result, or strace cannot be had.
  public mutating func run(
    _ name: String, report: @escaping @Sendable (Progress) -> Void, isCancelled: @escaping @Sendable () -> Bool
  ) throws -> TraceReport {
    let number = try find(name)
    let action = try action(number)
    let store = project.workspace.store
    try store.flush()
    let execution = Execution(
      workspace: project.workspace, action: action, threads: action.stage.resources.cpus, isForced: true, host: host,
      report: report, isCancelled: isCancelled)
    guard let lock = try store.lock(action: action.document.key, waiting: {}, isCancelled: isCancelled) else {
      throw Cancelled()
    }
    defer { withExtendedLifetime(lock) {} }
    let root = try ExecutionRoot(
      pool: host.roots, store: store, key: action.document.key, resumes: action.resumes)
    let strace = try Strace(log: "\(root.path).trace")
    var outcome: Result<ActionResult, any Error>
    do {
      outcome = .success(try execution.execute(in: root, under: .traced(strace)))
    } catch let failure as Failure {
      outcome = .failure(failure)
    }
    let text = String(decoding: try Files.read(strace.log), as: UTF8.self)
    guard !text.isEmpty else {
      _ = try outcome.get()
      throw Failure(.user, "strace", "strace told nothing of stage '\(action.stage.id)'")
    }
    let reading = TraceReading(project: project.workspace, root: root, action: action, program: host.program)
    var report = reading.report(TraceLog(text, startingIn: root.path))
    switch outcome {
    case .success(let result):
      if case .known(let known, _) = try lookup.find(action, repairs: false) {
        report.isRepeated = known.outputs == result.outputs
      }
    case .failure(let failure): report.failure = failure as? Failure
    }
    return report
  }

  private func find(_ name: String) throws -> Int {
    let ids = (0..<project.stages.count).map { project.stages.id($0) }
    let found = ids.indices.filter { ids[$0] == name || ids[$0].hasPrefix(name + "[") }
    if found.count == 1 { return found[0] }
    if let first = found.first {
      throw Failure(
        .user, "several-stages", "--trace: '\(name)' is \(found.count) stages",
        hint: "name one, such as '\(ids[first])'")
    }
    throw Failure(
      .user, "no-such-stage", "--trace: the pipeline has no stage '\(name)'",
      hint: nearest(to: name, among: ids).map { "did you mean '\($0)'?" })
  }

  private mutating func action(_ number: Int) throws -> Resolver.Action {
    for dependency in project.stages.dependencies[number] where results[dependency] == nil {
      let before = try action(dependency)
      guard case .known(let result, _) = try lookup.find(before, repairs: false) else {
        throw Failure(
          .user, "not-run", "stage '\(before.stage.id)' has no result yet, which '\(project.stages.id(number))' reads",
          hint: "run it first: lemma run --only '\(before.stage.id)'")
      }
      results[dependency] = result
    }
    let (stages, results) = (project.stages, results)
    return try resolver.action(for: stages[number]) { stages.number(of: $0).flatMap { results[$0] } }
  }
}
