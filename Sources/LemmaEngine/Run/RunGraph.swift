import LemmaBasics
import LemmaPipeline

/// What a run knows of the stages: how far each is, who waits for whom and who gave what. It knows nothing of
/// how a stage is looked up or executed.
struct RunGraph {
  struct Node {
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

    var isWaiting: Bool { if case .waiting = state { true } else { false } }

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

  private let project: Project
  private var nodes: [Node]
  private var results: [Int: ActionResult] = [:]
  /// Stages whose inputs are known and that were not looked at yet.
  private var unprepared: ArraySlice<Int> = []
  /// The stages that were not simply up to date when the run began, in their order.
  let awoken: [Int]

  /// - Throws: `Failure` when the options name a stage that is not there.
  init(_ project: Project, options: RunOptions) throws {
    self.project = project
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
    awoken = nodes.indices.filter { [nodes] in nodes[$0].isWaiting }
    unprepared = ArraySlice(awoken.filter { [nodes] in nodes[$0].waitingFor == 0 })
  }

  subscript(number: Int) -> Node {
    get { nodes[number] }
    _modify { yield &nodes[number] }
  }

  var indices: Range<Int> { nodes.indices }

  // MARK: Who is next

  /// The next stage to be looked at.
  mutating func nextToPrepare() -> Int? { unprepared.popFirst() }

  /// Has a stage looked at that waits for no other.
  mutating func prepare(_ number: Int) { unprepared.append(number) }

  /// Has those looked at that waited for this stage alone.
  mutating func wake(_ number: Int) {
    for dependent in nodes[number].dependents where nodes[dependent].isWaiting {
      nodes[dependent].waitingFor -= 1
      if nodes[dependent].waitingFor == 0 { prepare(dependent) }
    }
  }

  /// Whether a stage before it lost its result and is to give another, which will wake it; or has none to give.
  mutating func waitsAgain(_ number: Int) -> Bool {
    var missing = 0
    for dependency in project.stages.dependencies[number] where result(dependency) == nil {
      switch nodes[dependency].state {
      case .waiting, .ready, .running, .ended: missing += 1
      case .skipped, .settled, .captured, .done: continue
      }
      addDependent(number, of: dependency)
    }
    if missing > 0 { nodes[number].waitingFor = missing }
    return missing > 0
  }

  /// Takes a stage back to where it is to be looked at; those behind it, if they were woken, wait for it again.
  mutating func reopen(_ number: Int) {
    if result(number) != nil {
      for dependent in nodes[number].dependents where nodes[dependent].isWaiting { nodes[dependent].waitingFor += 1 }
    }
    results[number] = nil
    nodes[number].state = .waiting(.changed)
    nodes[number].waitingFor = 0
    nodes[number].outcome = nil
  }

  mutating func addDependent(_ dependent: Int, of number: Int) {
    if !nodes[number].dependents.contains(dependent) { nodes[number].dependents.append(dependent) }
  }

  // MARK: Results

  /// The result of a stage that is done, now or since the last run.
  mutating func result(_ number: Int) -> ActionResult? {
    if let result = results[number] { return result }
    guard case .settled = nodes[number].state, let result = project.earlierResult(number) else { return nil }
    results[number] = result
    return result
  }

  mutating func result(of id: String) -> ActionResult? { project.stages.number(of: id).flatMap { result($0) } }

  mutating func take(_ result: ActionResult, of number: Int) {
    results[number] = result
    nodes[number].isNew = project.earlierResult(number)?.outputs != result.outputs
  }

  mutating func forgetResult(_ number: Int) { results[number] = nil }

  /// The result of the last run, when nothing that the stage was given is another one.
  func unchanged(_ number: Int) -> ActionResult? {
    guard nodes[number].faults == 0, let earlier = project.earlierResult(number) else { return nil }
    let dependencies = project.stages.dependencies[number]
    if project.isDeep(number), dependencies.contains(where: { nodes[$0].outcome != nil }) { return nil }
    for dependency in dependencies {
      if case .settled = nodes[dependency].state { continue }
      if nodes[dependency].isNew { return nil }
    }
    return earlier
  }

  /// The stage is as the last run left it.
  mutating func settle(_ number: Int) {
    nodes[number].state = .settled
    nodes[number].isNew = false
  }

  /// What is known of each stage after the run.
  var states: [RunSummary.State] {
    nodes.map { node in
      switch node.state {
      case .settled: .unchanged
      case .done: .examined
      case .skipped: .skipped
      default: .open
      }
    }
  }
}
