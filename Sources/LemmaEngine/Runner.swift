import Dispatch
import Glibc
import LemmaBasics
import LemmaHash
import LemmaPipeline
import LemmaStore
import Synchronization

/// What a person asks of a run.
public struct RunOptions: Sendable {
  /// Processors that stages may keep busy together.
  public var jobs: Int

  public init(jobs: Int = Machine.processors) { self.jobs = max(1, jobs) }
}

/// The machine's means.
public enum Machine {
  /// Processors that this process may use.
  public static var processors: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

  /// Physical memory in bytes.
  public static var memory: Int { sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE)) }
}

/// Brings a workspace up to date: one pass over the stages in their order, each looked up as soon
/// as its inputs are known, executed when no result is. The calling thread owns all the state;
/// workers only execute.
public final class Runner {
  private let workspace: Workspace
  private let pipeline: Pipeline
  private let options: RunOptions
  private let observe: @Sendable (Event) -> Void
  private let isCancelled: @Sendable () -> Bool
  private let resolver: Resolver
  private let lookup: Lookup
  private let outputs: WorkspaceOutputs

  private var nodes: [Node]
  private let numbers: [String: Int]
  private var results: [String: ActionResult] = [:]
  /// Stages whose inputs are known and that were not looked up yet.
  private var unprepared: [Int] = []
  private var ready: [Int] = []
  private var running = 0
  private var freeProcessors: Int
  private var freeMemory = Machine.memory
  private var isStopping = false
  private let mailbox = Mailbox()

  /// - Parameters:
  ///   - observe: called with what happens, also from other threads.
  ///   - isCancelled: asked often; once true, the run stops and keeps what is finished.
  public init(
    workspace: Workspace, pipeline: Pipeline, registry: Registry, options: RunOptions,
    observe: @escaping @Sendable (Event) -> Void, isCancelled: @escaping @Sendable () -> Bool
  ) {
    self.workspace = workspace
    self.pipeline = pipeline
    self.options = options
    self.observe = observe
    self.isCancelled = isCancelled
    resolver = Resolver(workspace: workspace, pipeline: pipeline, registry: registry, keepsBytes: true)
    lookup = Lookup(workspace: workspace, pipeline: pipeline)
    outputs = WorkspaceOutputs(workspace: workspace)
    freeProcessors = options.jobs
    let numbers = Dictionary(uniqueKeysWithValues: pipeline.stages.enumerated().map { ($1.id, $0) })
    var nodes = pipeline.stages.map { Node(stage: $0, waitingFor: $0.dependencies.count) }
    for (number, stage) in pipeline.stages.enumerated() {
      for dependency in stage.dependencies { nodes[numbers[dependency]!].dependents.append(number) }
    }
    self.nodes = nodes
    self.numbers = numbers
  }

  private struct Node {
    enum State {
      /// Some stage before it is not done.
      case waiting
      /// It must run, and waits for processors.
      case ready(Resolver.Action, Reason)
      case running(Resolver.Action, Reason)
      case done(Resolver.Action, Reason?)
      /// It failed, was cancelled or never started.
      case ended(Resolver.Action?, Reason?)
    }

    var stage: Stage
    var waitingFor: Int
    var dependents: [Int] = []
    var state = State.waiting
    var outcome: Outcome?
    /// How often an input could not be served; a bound against a disk that alters what it is given.
    var faults = 0

    var action: (Resolver.Action?, Reason?) {
      switch state {
      case .ready(let action, let reason), .running(let action, let reason): (action, reason)
      case .done(let action, let reason): (action, reason)
      case .ended(let action, let reason): (action, reason)
      case .waiting: (nil, nil)
      }
    }
  }

  /// Runs what must run. Failures of stages are in the summary.
  /// - Throws: `Failure` when the store itself fails.
  public func run() throws -> RunSummary {
    let began = Clock.now()
    let start = Clock.monotonic()
    observe(.began(stages: nodes.map(\.stage.id)))
    unprepared = nodes.indices.filter { nodes[$0].waitingFor == 0 }
    while true {
      prepareAll()
      startReady()
      if running == 0 { break }
      for message in mailbox.wait() { receive(message) }
    }
    for number in nodes.indices where nodes[number].outcome == nil { end(number, .blocked) }
    try rememberDocuments()
    return RunSummary(
      began: began, seconds: Clock.monotonic() - start, wasCancelled: isCancelled(),
      stages: nodes.map { node in
        let (action, reason) = node.action
        return RunSummary.StageRecord(
          stage: node.stage, outcome: node.outcome ?? .blocked, action: action?.document,
          inputs: action?.inputs ?? [], reason: reason, result: results[node.stage.id])
      })
  }

  // MARK: One stage

  /// Looks up every stage whose inputs are known, and those whose inputs thereby become known.
  private func prepareAll() {
    var next = 0
    while next < unprepared.count, !isStopping, !isCancelled() {
      prepare(unprepared[next])
      next += 1
    }
    unprepared = []
  }

  private func prepare(_ number: Int) {
    let stage = nodes[number].stage
    do {
      let action = try resolver.action(for: stage, results: results)
      switch try lookup.find(action, repairs: true) {
      case .known(let result, let mended):
        for name in mended {
          observe(
            .note(
              "\(stage.id): output '\(name)' was missing or altered in the store; the workspace's copy is sound and was taken"
            ))
        }
        do {
          try finish(number, action, result, .cached, reason: nil)
        } catch let fault as ObjectFault {
          nodes[number].faults += 1
          if nodes[number].faults > 3 { throw fault.failure }
          unprepared.append(number)  // The object is in quarantine now: the lookup will miss.
        }
      case .unknown(let reason):
        nodes[number].state = .ready(action, reason)
        ready.append(number)
      }
    } catch {
      end(number, .failed(Runner.failure(error)))
    }
  }

  private func startReady() {
    ready.sort()
    var index = 0
    while index < ready.count, !isStopping, !isCancelled() {
      let number = ready[index]
      let (processors, memory) = needs(of: number)
      guard case .ready(let action, let reason) = nodes[number].state,
        running == 0 || (processors <= freeProcessors && memory <= freeMemory)
      else {
        index += 1
        continue
      }
      ready.remove(at: index)
      start(number, action, reason, processors: processors, memory: memory)
    }
  }

  private func needs(of number: Int) -> (processors: Int, memory: Int) {
    let resources = nodes[number].stage.resources
    return (min(resources.cpus, options.jobs), min(resources.memory ?? 0, Machine.memory))
  }

  private func start(_ number: Int, _ action: Resolver.Action, _ reason: Reason, processors: Int, memory: Int) {
    freeProcessors -= processors
    freeMemory -= memory
    running += 1
    nodes[number].state = .running(action, reason)
    let id = nodes[number].stage.id
    observe(.started(stage: id, reason: reason.text))
    let observe = observe
    let execution = Execution(
      workspace: workspace, action: action, threads: processors,
      report: { observe(.progress(stage: id, $0)) }, isCancelled: isCancelled)
    let mailbox = mailbox
    do {
      try Threads.start {
        let start = Clock.monotonic()
        let result = Result { try execution.run() }
        mailbox.post(Message(number: number, result: result, seconds: Clock.monotonic() - start))
      }
    } catch {
      mailbox.post(Message(number: number, result: .failure(error), seconds: 0))
    }
  }

  private func receive(_ message: Message) {
    let number = message.number
    guard case .running(let action, let reason) = nodes[number].state else { return }
    let (processors, memory) = needs(of: number)
    freeProcessors += processors
    freeMemory += memory
    running -= 1
    do {
      let (result, wasExecuted) = try message.result.get()
      // Another process may have executed the action while this one waited for its lock.
      try finish(number, action, result, wasExecuted ? .ran(seconds: message.seconds) : .cached, reason: reason)
    } catch  where error is Cancelled || error is CancellationError {
      end(number, .cancelled)
    } catch let fault as ObjectFault {
      mend(number, fault)
    } catch {
      isStopping = true
      end(number, .failed(Runner.failure(error)))
    }
  }

  /// Takes a result over: outputs into the workspace, then the stages that waited for it.
  private func finish(
    _ number: Int, _ action: Resolver.Action, _ result: ActionResult, _ outcome: Outcome, reason: Reason?
  ) throws {
    let stage = nodes[number].stage
    for path in try outputs.restore(result, of: stage) {
      if case .cached = outcome { observe(.restored(stage: stage.id, path: path)) }
    }
    results[stage.id] = result
    nodes[number].state = .done(action, reason)
    // A stage that ran earlier in this run and was looked at again keeps saying that it ran.
    if nodes[number].outcome == nil { nodes[number].outcome = outcome }
    observe(.finished(stage: stage.id, outcome))
    for dependent in nodes[number].dependents {
      guard case .waiting = nodes[dependent].state else { continue }
      nodes[dependent].waitingFor -= 1
      if nodes[dependent].waitingFor == 0 { unprepared.append(dependent) }
    }
  }

  private func end(_ number: Int, _ outcome: Outcome) {
    if case .failed = outcome { isStopping = true }
    let (action, reason) = nodes[number].action
    nodes[number].state = .ended(action, reason)
    nodes[number].outcome = outcome
    observe(.finished(stage: nodes[number].stage.id, outcome))
  }

  /// An input could not be served: the stages before it are looked at again, and those that lost
  /// an output run again. Sources are taken from the workspace anew.
  private func mend(_ number: Int, _ fault: ObjectFault) {
    nodes[number].faults += 1
    guard nodes[number].faults <= 3 else { return end(number, .failed(fault.failure)) }
    observe(.note("\(nodes[number].stage.id): \(fault.failure.message); making it again"))
    resolver.forgetFiles()
    nodes[number].state = .waiting
    nodes[number].waitingFor = 0
    var again: [Int] = []
    for id in nodes[number].stage.dependencies {
      let producer = numbers[id]!
      guard case .done = nodes[producer].state, let result = results[id] else { continue }
      let isWhole = (try? result.outputs.values.allSatisfy { try workspace.store.isSound($0) }) ?? false
      if isWhole { continue }
      nodes[producer].state = .waiting
      nodes[producer].waitingFor = 0
      nodes[producer].outcome = nil
      for dependent in nodes[producer].dependents {
        if case .waiting = nodes[dependent].state { nodes[dependent].waitingFor += 1 }
      }
      again.append(producer)
    }
    unprepared += again.isEmpty ? [number] : again
  }

  private func rememberDocuments() throws {
    let documents = nodes.compactMap { node -> (stage: String, document: JSON)? in
      guard case .done(let action, _) = node.state else { return nil }
      return (node.stage.id, action.document.json)
    }
    try workspace.store.index.record(lastDocuments: documents, workspace: workspace.id, pipeline: pipeline.name)
  }

  private static func failure(_ error: any Error) -> Failure {
    switch error {
    case let failure as Failure: failure
    case let fault as ObjectFault: fault.failure
    default: Failure(.internal, "error", "\(error)")
    }
  }
}

private struct Message: Sendable {
  var number: Int
  var result: Result<(result: ActionResult, wasExecuted: Bool), any Error>
  var seconds: Double
}

/// Where workers leave what they did for the thread that owns the run.
private final class Mailbox: Sendable {
  private let messages = Mutex<[Message]>([])
  private let signal = DispatchSemaphore(value: 0)

  func post(_ message: Message) {
    messages.withLock { $0.append(message) }
    signal.signal()
  }

  /// Waits for at least one message.
  func wait() -> [Message] {
    signal.wait()
    return messages.withLock { messages in
      defer { messages = [] }
      return messages
    }
  }
}
