import LemmaBasics
import LemmaHash
import LemmaPipeline
import LemmaStore

/// Brings a workspace up to date: one pass over the stages in their order. What the last run knew and
/// nothing changed is taken as it is; any other stage is looked up as soon as its inputs are known,
/// and executed when no result is. The calling thread owns all the state; workers only execute.
public final class Runner {
  let project: Project
  let workspace: Workspace
  let options: RunOptions
  let observe: @Sendable (Event) -> Void
  let isCancelled: @Sendable () -> Bool
  let resolver: Resolver
  let lookup: Lookup
  let outputs: WorkspaceOutputs
  let host: Host
  let capacity: Capacity
  let mailbox = Mailbox()

  var graph: RunGraph
  /// Stages that must run and were not let in yet.
  var ready: [Int] = []
  /// The stages that are being executed or are about to, by action: one that is the same action waits for it.
  var underWay: [Digest: Int] = [:]
  /// How many were let in and did not come back.
  var running = 0
  /// How many are captured, and not durable yet.
  var unsettled = 0
  /// Durable, or lost to the disk, and not seen to yet.
  var durable: ArraySlice<(Int, Result<Void, any Error>)> = []
  private(set) var isStopping = false

  /// Each of them holds a lock; a process may often open no more than 1,024 files.
  private static let openLimit = 256
  var isFull: Bool { running + unsettled >= Runner.openLimit }

  /// - Parameters:
  ///   - observe: called with what happens, also from other threads.
  ///   - isCancelled: asked often; once true, the run stops and keeps what is finished.
  /// - Throws: `Failure` when the options name a stage that is not there.
  public init(
    project: Project, options: RunOptions, observe: @escaping @Sendable (Event) -> Void,
    isCancelled: @escaping @Sendable () -> Bool
  ) throws {
    self.project = project
    workspace = project.workspace
    self.options = options
    self.observe = observe
    self.isCancelled = isCancelled
    resolver = Resolver(project: project, keepsBytes: true)
    lookup = Lookup(workspace: workspace, pipeline: project.name)
    outputs = WorkspaceOutputs(workspace: workspace)
    host = Host(store: workspace.store, options: options) { observe(.note($0)) }
    capacity = Capacity(jobs: options.jobs)
    graph = try RunGraph(project, options: options)
  }

  /// Runs what must run. Failures of stages are in the summary.
  /// - Throws: `Failure` when the store itself fails.
  public func run() throws -> RunSummary {
    let began = Clock.now()
    let start = Clock.monotonic()
    if !graph.awoken.isEmpty {
      observe(.began(stages: graph.awoken.count, unchanged: graph.indices.count - graph.awoken.count))
      try work()
    }
    for number in graph.awoken where graph[number].outcome == nil {
      if case .settled = graph[number].state { continue }
      end(number, .blocked)
    }
    return try summary(began: began, seconds: Clock.monotonic() - start)
  }

  private func work() throws {
    let mailbox = mailbox
    let committer = try Committer(workspace: workspace) { mailbox.post(.durable($0, $1)) }
    defer { committer.finish() }
    while true {
      lookAtAll()
      startReady()
      if running == 0, unsettled == 0 { break }
      if running == 0 || isFull { committer.hurry() }
      // Whoever may start comes before what only has to be put in its place.
      let messages = durable.isEmpty ? mailbox.wait() : mailbox.take()
      for message in messages {
        switch message {
        case .room: break
        case .captured(let number, let result, let turn, let seconds):
          receive(number, result, seconds, committer)
          // Not before it is known whether anybody may still start.
          turn.end()
        case .durable(let numbers, let result): durable += numbers.map { ($0, result) }
        }
      }
      if messages.isEmpty, let (number, result) = durable.popFirst() { settle(number, result) }
    }
    try workspace.store.flush()
    try workspace.store.index.register(workspace: workspace.project)
    let documents = graph.indices.compactMap { number -> (stage: String, document: Identity)? in
      guard case .done(let action, _) = graph[number].state else { return nil }
      return (project.stages.id(number), action.document.identity)
    }
    try workspace.store.index.record(lastDocuments: documents, workspace: workspace.id, pipeline: project.name)
  }

  /// The stage gave no result.
  func end(_ number: Int, _ outcome: Outcome) {
    if case .failed = outcome, !options.keepsGoing {
      isStopping = true
      capacity.close()
    }
    releaseTwins(of: number)
    let (action, reason) = graph[number].action
    graph[number].state = .ended(action, reason)
    graph[number].outcome = outcome
    observe(.finished(stage: project.stages.id(number), outcome))
  }

  func fail(_ number: Int, _ error: any Error) {
    switch error {
    case let failure as Failure: end(number, .failed(failure))
    case let fault as ObjectFault: end(number, .failed(fault.failure))
    default: end(number, .failed(Failure(.internal, "error", "\(error)")))
    }
  }

  private func summary(began: Int64, seconds: Double) throws -> RunSummary {
    let records = graph.awoken.compactMap { number -> RunSummary.StageRecord? in
      guard let outcome = graph[number].outcome else { return nil }
      let (action, reason) = graph[number].action
      return RunSummary.StageRecord(
        number: number, stage: project.stages[number], outcome: outcome, action: action?.document,
        inputs: action?.inputs ?? [], determinism: action?.determinism, reason: reason, result: graph.result(number),
        watches: action?.watches ?? graph[number].watches)
    }
    return RunSummary(
      began: began, seconds: seconds, wasCancelled: isCancelled(), records: records, states: graph.states)
  }
}
