import Dispatch
import Glibc
import LemmaBasics
import LemmaHash
import LemmaPipeline
import LemmaStore
import Synchronization

/// Brings a workspace up to date: one pass over the stages in their order. What the last run knew and
/// nothing changed is taken as it is; any other stage is looked up as soon as its inputs are known,
/// and executed when no result is. The calling thread owns all the state; workers only execute.
public final class Runner {
  private let project: Project
  private let workspace: Workspace
  private let options: RunOptions
  private let observe: @Sendable (Event) -> Void
  private let isCancelled: @Sendable () -> Bool
  private let resolver: Resolver
  private let lookup: Lookup
  private let outputs: WorkspaceOutputs
  private let host: Host

  private var nodes: [Node]
  private var results: [Int: ActionResult] = [:]
  /// Stages whose inputs are known and that were not looked at yet.
  private var unprepared: [Int] = []
  private var ready: [Int] = []
  /// The stages that are being executed or are about to, by action: one that is the same action waits for it.
  private var underWay: [Digest: Int] = [:]
  private var running = 0
  /// Captured, and not durable yet.
  private var unsettled = 0
  /// Each of them holds a lock; a process may often open no more than 1,024 files.
  private static let openLimit = 256
  /// Durable, or lost to the disk, and not seen to yet.
  private var durable: ArraySlice<(Int, Result<Void, any Error>)> = []
  private var freeProcessors: Int
  private var freeMemory = Machine.memory
  private var isStopping = false
  private let mailbox = Mailbox()

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
    freeProcessors = options.jobs
    let selection = try Selection(options, stages: project.stages)
    let verdicts = project.firstVerdicts()
    nodes = verdicts.map { Node(state: $0 == .settled ? .settled : .waiting($0)) }
    var isAwoken = Array(repeating: false, count: nodes.count)
    for number in nodes.indices {
      nodes[number].isForced = selection.isForced[number]
      let woken = project.stages.dependencies[number].filter { isAwoken[$0] }
      if verdicts[number] == .settled, woken.isEmpty, !nodes[number].isForced { continue }
      isAwoken[number] = true
      guard selection.isSelected[number] else {
        nodes[number].state = .skipped
        continue
      }
      nodes[number].state = .waiting(nodes[number].isForced ? .changed : verdicts[number])
      nodes[number].waitingFor = woken.count
      for dependency in woken { nodes[dependency].dependents.append(number) }
    }
  }

  private struct Node {
    enum State {
      /// Not asked for.
      case skipped
      /// As the last run left it, and so is everything before it.
      case settled
      /// Some stage before it is not done, or it was not looked at yet; what its own files say of it.
      case waiting(FirstVerdict)
      /// It must run, and waits for processors, or for the stage that it is a twin of.
      case ready(Resolver.Action, Reason)
      case running(Resolver.Action, Reason)
      /// It ran, and its result is on the way to the disk.
      case captured(Resolver.Action, Reason, seconds: Double, files: [String: String])
      case done(Resolver.Action, Reason?)
      /// It failed, was cancelled or never started.
      case ended(Resolver.Action?, Reason?)
    }

    var state: State
    var isForced = false
    /// Whether it holds processors and memory.
    var isAtWork = false
    var waitingFor = 0
    var dependents: [Int] = []
    /// Stages that are the very same action, and take its result over.
    var twins: [Int] = []
    var outcome: Outcome?
    /// Whether its outputs are other ones than those of the last run.
    var isNew = true
    /// What it was found to rest on, when it could not be looked at to the end.
    var watches: [Watch] = []
    /// How often an input could not be served; a bound against a disk that alters what it is given.
    var faults = 0

    var action: (Resolver.Action?, Reason?) {
      switch state {
      case .ready(let action, let reason), .running(let action, let reason): (action, reason)
      case .captured(let action, let reason, _, _): (action, reason)
      case .done(let action, let reason): (action, reason)
      case .ended(let action, let reason): (action, reason)
      case .skipped, .settled, .waiting: (nil, nil)
      }
    }
  }

  /// Runs what must run. Failures of stages are in the summary.
  /// - Throws: `Failure` when the store itself fails.
  public func run() throws -> RunSummary {
    let began = Clock.now()
    let start = Clock.monotonic()
    unprepared = nodes.indices.filter {
      if case .waiting = nodes[$0].state { nodes[$0].waitingFor == 0 } else { false }
    }
    let awoken = nodes.indices.filter { if case .waiting = nodes[$0].state { true } else { false } }
    if !awoken.isEmpty {
      observe(.began(stages: awoken.count, unchanged: nodes.count - awoken.count))
      try work()
    }
    for number in awoken where nodes[number].outcome == nil {
      if case .settled = nodes[number].state { continue }
      end(number, .blocked)
    }
    return try summary(awoken, began: began, seconds: Clock.monotonic() - start)
  }

  private func work() throws {
    let mailbox = mailbox
    let committer = try Committer(workspace: workspace) { mailbox.post(.durable($0, $1)) }
    defer { committer.finish() }
    while true {
      prepareAll()
      startReady()
      if running == 0, unsettled == 0 { break }
      if running == 0 || running + unsettled >= Runner.openLimit { committer.hurry() }
      // Whoever may start comes before what only has to be put in its place.
      let messages = durable.isEmpty ? mailbox.wait() : mailbox.take()
      for message in messages {
        switch message {
        case .worked(let number): release(number)
        case .captured(let number, let result, let seconds): receive(number, result, seconds, committer)
        case .durable(let numbers, let result): durable += numbers.map { ($0, result) }
        }
      }
      if messages.isEmpty, let (number, result) = durable.popFirst() { settle(number, result) }
    }
    try workspace.store.flush()
    try workspace.store.index.register(workspace: workspace.project)
    let documents = nodes.indices.compactMap { number -> (stage: String, document: Identity)? in
      guard case .done(let action, _) = nodes[number].state else { return nil }
      return (project.stages.id(number), action.document.identity)
    }
    try workspace.store.index.record(lastDocuments: documents, workspace: workspace.id, pipeline: project.name)
  }

  /// The result of a stage that is done, now or since the last run.
  private func result(_ number: Int) -> ActionResult? {
    if let result = results[number] { return result }
    guard case .settled = nodes[number].state, let result = project.earlierResult(number) else { return nil }
    results[number] = result
    return result
  }

  private func result(of id: String) -> ActionResult? { project.stages.number(of: id).flatMap(result) }

  // MARK: Looking at a stage

  /// Looks at every stage whose inputs are known, and those whose inputs thereby become known.
  private func prepareAll() {
    var next = 0
    while next < unprepared.count, !isStopping, !isCancelled() {
      prepare(unprepared[next])
      next += 1
    }
    unprepared = []
  }

  private func prepare(_ number: Int) {
    guard case .waiting(let verdict) = nodes[number].state, !waitsAgain(number) else { return }
    do {
      if verdict != .changed, let earlier = try unchanged(number) {
        if verdict == .misplaced {
          for path in try outputs.restore(earlier, of: project.stages[number]) {
            observe(.restored(stage: project.stages.id(number), path: path))
          }
          nodes[number].outcome = .cached
        }
        nodes[number].state = .settled
        results[number] = earlier
        nodes[number].isNew = false
        return wake(number)
      }
      try look(number)
    } catch is ObjectFault {
      retry(number)
    } catch {
      nodes[number].watches = resolver.watches
      end(number, .failed(Runner.failure(error)))
    }
  }

  /// Whether a stage before it lost its result and is to give another, which will wake it; or has none to give.
  private func waitsAgain(_ number: Int) -> Bool {
    var missing = 0
    for dependency in project.stages.dependencies[number] where result(dependency) == nil {
      switch nodes[dependency].state {
      case .waiting, .ready, .running, .ended: missing += 1
      case .skipped, .settled, .captured, .done: continue
      }
      if !nodes[dependency].dependents.contains(number) { nodes[dependency].dependents.append(number) }
    }
    if missing > 0 { nodes[number].waitingFor = missing }
    return missing > 0
  }

  /// The result of the last run, when nothing that the stage was given is another one.
  private func unchanged(_ number: Int) throws -> ActionResult? {
    guard nodes[number].faults == 0, let earlier = project.earlierResult(number) else { return nil }
    let dependencies = project.stages.dependencies[number]
    if project.isDeep(number), dependencies.contains(where: { nodes[$0].outcome != nil }) { return nil }
    for dependency in dependencies {
      if case .settled = nodes[dependency].state { continue }
      if nodes[dependency].isNew { return nil }
    }
    return earlier
  }

  private func look(_ number: Int) throws {
    let stage = project.stages[number]
    let action = try resolver.action(for: stage, results: result(of:))
    if nodes[number].isForced, nodes[number].outcome == nil {
      nodes[number].state = .ready(action, .forced)
      return ready.append(number)
    }
    switch try lookup.find(action, repairs: true) {
    case .known(let result, let mended):
      let facts = try facts(of: result, for: number)
      if !facts.isEmpty { try workspace.store.flush(recording: facts) }
      for name in mended {
        observe(
          .note(
            "\(stage.id): output '\(name)' was missing or altered in the store; the workspace's copy is sound and was taken"
          ))
      }
      // An audit reads it; where it was lost it is here again.
      _ = try workspace.store.put(action.document.bytes)
      for path in try outputs.restore(result, of: stage) { observe(.restored(stage: stage.id, path: path)) }
      finish(number, action, result, .cached, reason: nil)
    case .unknown(let reason):
      nodes[number].state = .ready(action, reason)
      if let first = underWay[action.document.key] { return join(number, to: first) }
      underWay[action.document.key] = number
      ready.append(number)
    }
  }

  /// An object went into quarantine: looked up again, the stage will not find it.
  private func retry(_ number: Int) {
    nodes[number].faults += 1
    if nodes[number].faults > 3 {
      return end(
        number,
        .failed(Failure(.store, "object", "the store's objects for '\(project.stages.id(number))' keep failing")))
    }
    unprepared.append(number)
  }

  // MARK: Running a stage

  private func startReady() {
    ready.sort()
    var index = 0
    while index < ready.count, running + unsettled < Runner.openLimit, !isStopping, !isCancelled() {
      let number = ready[index]
      let (processors, memory) = needs(of: number)
      guard case .ready(let action, let reason) = nodes[number].state,
        running == 0 || (processors <= freeProcessors && memory <= freeMemory)
      else {
        if freeProcessors <= 0 { break }
        index += 1
        continue
      }
      ready.remove(at: index)
      start(number, action, reason, processors: processors, memory: memory)
    }
  }

  private func needs(of number: Int) -> (processors: Int, memory: Int) {
    let resources = project.stages[number].resources
    return (min(resources.cpus, options.jobs), min(resources.memory ?? 0, Machine.memory))
  }

  private func start(_ number: Int, _ action: Resolver.Action, _ reason: Reason, processors: Int, memory: Int) {
    freeProcessors -= processors
    freeMemory -= memory
    running += 1
    nodes[number].isAtWork = true
    nodes[number].state = .running(action, reason)
    let id = action.stage.id
    observe(.started(stage: id, reason: reason.text))
    let observe = observe
    let mailbox = mailbox
    let execution = Execution(
      workspace: workspace, action: action, threads: processors, isForced: nodes[number].isForced, host: host,
      report: { observe(.progress(stage: id, $0)) }, isCancelled: isCancelled,
      processEnded: { mailbox.post(.worked(number)) })
    do {
      try Threads.start {
        let start = Clock.monotonic()
        let result = Result { try execution.run() }
        mailbox.post(.captured(number, result, seconds: Clock.monotonic() - start))
      }
    } catch {
      mailbox.post(.captured(number, .failure(error), seconds: 0))
    }
  }

  /// Gives back what a stage works with.
  private func release(_ number: Int) {
    guard nodes[number].isAtWork else { return }
    nodes[number].isAtWork = false
    let (processors, memory) = needs(of: number)
    freeProcessors += processors
    freeMemory += memory
  }

  private func receive(
    _ number: Int, _ captured: Result<Execution.Captured, any Error>, _ seconds: Double, _ committer: Committer
  ) {
    guard case .running(let action, let reason) = nodes[number].state else { return }
    release(number)
    running -= 1
    do {
      let captured = try captured.get()
      guard captured.wasExecuted else {
        // Another process executed the action while this one waited for its lock.
        let facts = try facts(of: captured.result, for: number)
        if !facts.isEmpty { try workspace.store.flush(recording: facts) }
        for path in try outputs.restore(captured.result, of: action.stage) {
          observe(.restored(stage: action.stage.id, path: path))
        }
        finish(number, action, captured.result, .cached, reason: reason)
        return releaseTwins(of: number)
      }
      // The stages behind it go on with bytes that are in the store, though not yet flushed.
      nodes[number].state = .captured(action, reason, seconds: seconds, files: captured.files)
      take(captured.result, of: number)
      wake(number)
      var facts = captured.facts
      for twin in nodes[number].twins { facts += take(captured.result, ofTwin: twin, of: number) }
      unsettled += 1
      committer.add(
        Committer.Item(
          number: number,
          record: ActionRecord(
            key: action.document.key, documentSeal: action.document.identity.seal, result: captured.result.json),
          facts: facts, places: action.stage.outputs.map(\.path), lock: captured.lock,
          scratch: captured.scratch))
    } catch  where error is Cancelled || error is CancellationError {
      end(number, .cancelled)
    } catch let fault as ObjectFault {
      mend(number, fault)
    } catch {
      if !options.keepsGoing { isStopping = true }
      end(number, .failed(Runner.failure(error)))
    }
  }

  /// A result reached the disk: now it may be seen.
  private func settle(_ number: Int, _ flushed: Result<Void, any Error>) {
    unsettled -= 1
    guard case .captured(let action, let reason, let seconds, let files) = nodes[number].state,
      let result = results[number]
    else { return }
    defer { for file in files.values { unlink(file) } }
    do {
      try flushed.get()
      _ = try outputs.restore(result, of: action.stage, from: files)
      nodes[number].state = .done(action, reason)
      nodes[number].outcome = .ran(seconds: seconds)
      observe(.finished(stage: action.stage.id, .ran(seconds: seconds)))
      settleTwins(of: number, result)
    } catch {
      if !options.keepsGoing { isStopping = true }
      results[number] = nil
      end(number, .failed(Runner.failure(error)))
    }
  }

  /// Makes a stage the twin of one that is the very same action and is under way.
  private func join(_ number: Int, to first: Int) {
    nodes[first].twins.append(number)
    guard case .captured = nodes[first].state, let result = results[first] else { return }
    // Found out again by whoever asks: not worth a flush.
    _ = take(result, ofTwin: number, of: first)
  }

  /// Takes a result over that is not durable yet, if the twin, too, expects such a one.
  /// - Returns: what became known of the outputs.
  private func take(_ result: ActionResult, ofTwin twin: Int, of first: Int) -> [ActionRecord] {
    do {
      let facts = try facts(of: result, for: twin)
      take(result, of: twin)
      wake(twin)
      return facts
    } catch {
      nodes[first].twins.removeAll { $0 == twin }
      end(twin, .failed(Runner.failure(error)))
      return []
    }
  }

  /// - Throws: `Failure` when a result is not what the stage expects.
  private func facts(of result: ActionResult, for number: Int) throws -> [ActionRecord] {
    let expectations = Expectations(store: workspace.store)
    try expectations.check(result, of: project.stages[number])
    return expectations.found
  }

  private func settleTwins(of number: Int, _ result: ActionResult) {
    for twin in leave(number) {
      guard case .ready(let action, _) = nodes[twin].state else { continue }
      do {
        for path in try outputs.restore(result, of: action.stage) {
          observe(.restored(stage: action.stage.id, path: path))
        }
        nodes[twin].state = .done(action, nil)
        nodes[twin].outcome = .cached
        observe(.finished(stage: action.stage.id, .cached))
      } catch {
        results[twin] = nil
        end(twin, .failed(Runner.failure(error)))
      }
    }
  }

  /// Notes that a stage is not under way any more.
  /// - Returns: its twins.
  private func leave(_ number: Int) -> [Int] {
    if let key = nodes[number].action.0?.document.key, underWay[key] == number { underWay[key] = nil }
    defer { nodes[number].twins = [] }
    return nodes[number].twins
  }

  /// The twins of a stage that gave no result are looked at again.
  private func releaseTwins(of number: Int) {
    let twins = leave(number)
    if isStopping || isCancelled() { return }
    for twin in twins {
      // What waits for it was woken, and is to be woken again.
      if results[twin] != nil {
        for dependent in nodes[twin].dependents {
          if case .waiting = nodes[dependent].state { nodes[dependent].waitingFor += 1 }
        }
      }
      results[twin] = nil
      nodes[twin].state = .waiting(.changed)
      unprepared.append(twin)
    }
  }

  /// Takes a result over that is durable and stands in the workspace.
  private func finish(
    _ number: Int, _ action: Resolver.Action, _ result: ActionResult, _ outcome: Outcome, reason: Reason?
  ) {
    take(result, of: number)
    nodes[number].state = .done(action, reason)
    // A stage that ran earlier in this run and was looked at again keeps saying that it ran.
    if nodes[number].outcome == nil { nodes[number].outcome = outcome }
    observe(.finished(stage: action.stage.id, outcome))
    wake(number)
  }

  private func take(_ result: ActionResult, of number: Int) {
    results[number] = result
    nodes[number].isNew = project.earlierResult(number)?.outputs != result.outputs
  }

  private func wake(_ number: Int) {
    for dependent in nodes[number].dependents {
      guard case .waiting = nodes[dependent].state else { continue }
      nodes[dependent].waitingFor -= 1
      if nodes[dependent].waitingFor == 0 { unprepared.append(dependent) }
    }
  }

  private func end(_ number: Int, _ outcome: Outcome) {
    if case .failed = outcome, !options.keepsGoing { isStopping = true }
    releaseTwins(of: number)
    let (action, reason) = nodes[number].action
    nodes[number].state = .ended(action, reason)
    nodes[number].outcome = outcome
    observe(.finished(stage: project.stages.id(number), outcome))
  }

  /// An input could not be served: the stages before it are looked at again, and those that lost
  /// an output run again. Sources are taken from the workspace anew.
  private func mend(_ number: Int, _ fault: ObjectFault) {
    nodes[number].faults += 1
    guard nodes[number].faults <= 3 else { return end(number, .failed(fault.failure)) }
    observe(.note("\(project.stages.id(number)): \(fault.failure.message); making it again"))
    resolver.forgetFiles()
    releaseTwins(of: number)
    nodes[number].state = .waiting(.changed)
    nodes[number].waitingFor = 0
    var again: [Int] = []
    for producer in project.stages.dependencies[number] {
      guard let result = result(producer) else { continue }
      switch nodes[producer].state {
      case .done, .settled: break
      default: continue
      }
      let isWhole = (try? result.outputs.values.allSatisfy { try workspace.store.isSound($0) }) ?? false
      if isWhole { continue }
      nodes[producer].state = .waiting(.changed)
      nodes[producer].waitingFor = 0
      nodes[producer].faults += 1
      nodes[producer].outcome = nil
      results[producer] = nil
      if !nodes[producer].dependents.contains(number) { nodes[producer].dependents.append(number) }
      for dependent in nodes[producer].dependents {
        if case .waiting = nodes[dependent].state { nodes[dependent].waitingFor += 1 }
      }
      again.append(producer)
    }
    unprepared += again.isEmpty ? [number] : again
  }

  private func summary(_ awoken: [Int], began: Int64, seconds: Double) throws -> RunSummary {
    let records = awoken.compactMap { number -> RunSummary.StageRecord? in
      guard let outcome = nodes[number].outcome else { return nil }
      let (action, reason) = nodes[number].action
      return RunSummary.StageRecord(
        number: number, stage: project.stages[number], outcome: outcome, action: action?.document,
        inputs: action?.inputs ?? [], determinism: action?.determinism, reason: reason, result: result(number),
        watches: action?.watches ?? nodes[number].watches)
    }
    return RunSummary(
      began: began, seconds: seconds, wasCancelled: isCancelled(), records: records,
      states: nodes.map { node in
        switch node.state {
        case .settled: .unchanged
        case .done: .examined
        case .skipped: .skipped
        default: .open
        }
      })
  }

  private static func failure(_ error: any Error) -> Failure {
    switch error {
    case let failure as Failure: failure
    case let fault as ObjectFault: fault.failure
    default: Failure(.internal, "error", "\(error)")
    }
  }
}

private enum Message: Sendable {
  case worked(Int)
  case captured(Int, Result<Execution.Captured, any Error>, seconds: Double)
  case durable([Int], Result<Void, any Error>)
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
    while true {
      signal.wait()
      let messages = take()
      if !messages.isEmpty { return messages }
    }
  }

  /// The messages that are there.
  func take() -> [Message] {
    messages.withLock { messages in
      defer { messages = [] }
      return messages
    }
  }
}
