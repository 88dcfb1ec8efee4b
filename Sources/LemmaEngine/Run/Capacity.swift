import Dispatch
import LemmaPipeline
import Synchronization

/// The processors and the memory that the stages of a run share. A few small stages are let in before there is
/// room for them, so that all is ready when a processor is free: it then goes from one to the next at once.
final class Capacity: Sendable {
  private struct State {
    var processors: Int
    var memory: Int
    /// Those who were let in early, in their order.
    var queue: [Turn] = []

    func fits(_ share: Turn.Share) -> Bool { share.processors <= processors && share.memory <= memory }

    mutating func take(_ share: Turn.Share) {
      processors -= share.processors
      memory -= share.memory
    }
  }

  /// How many may be let in early.
  private static let early = 2
  /// How far to look for one that is small.
  private static let glance = 32

  private let state: Mutex<State>
  private let jobs: Int

  /// - Parameter jobs: processors.
  init(jobs: Int) {
    self.jobs = jobs
    state = Mutex(State(processors: jobs, memory: Machine.memory))
  }

  /// How many of those who must run are worth asking for: none where nobody, however small, would be let in, and
  /// few where only a small one would.
  var worthAsking: Int {
    state.withLock { state in
      if state.processors > 0 { return .max }
      return state.queue.count < Capacity.early ? Capacity.glance : 0
    }
  }

  /// Lets a stage in; nil when it must come again.
  func turn(for resources: Stage.Resources) -> Turn? {
    let share = Turn.Share(processors: min(resources.cpus, jobs), memory: min(resources.memory ?? 0, Machine.memory))
    return state.withLock { state in
      let turn = Turn(share, of: self)
      if state.fits(share) {
        if turn.begin() { state.take(share) }
      } else if share.isSmall, state.queue.count < Capacity.early {
        state.queue.append(turn)
      } else {
        return nil
      }
      return turn
    }
  }

  /// Lets none of those start who wait.
  func close() {
    let queue = state.withLock { state in
      defer { state.queue = [] }
      return state.queue
    }
    for turn in queue { turn.end() }
  }

  fileprivate func forget(_ turn: Turn) { state.withLock { $0.queue.removeAll { $0 === turn } } }

  fileprivate func giveBack(_ share: Turn.Share) {
    state.withLock { state in
      state.processors += share.processors
      state.memory += share.memory
      while let next = state.queue.first, state.fits(next.share) {
        state.queue.removeFirst()
        if next.begin() { state.take(next.share) }
      }
    }
  }
}

/// One stage's turn to run. Its share is given back by `end`, however often that is said.
final class Turn: Sendable {
  /// What the stage may have.
  struct Share: Sendable {
    var processors: Int
    var memory: Int

    /// Whether it fits wherever another stage was.
    var isSmall: Bool { processors == 1 && memory == 0 }
  }

  /// It ended before it came: the run was stopped.
  struct NeverCame: Error {}

  private enum Phase {
    case coming
    case here
    case used
    case over
  }

  let share: Share
  private let capacity: Capacity
  private let phase = Mutex(Phase.coming)
  private let began = Mutex<Double?>(nil)
  private let signal = DispatchSemaphore(value: 0)

  fileprivate init(_ share: Share, of capacity: Capacity) {
    self.share = share
    self.capacity = capacity
  }

  /// Waits until there is room.
  /// - Returns: whether it was not waited for before.
  /// - Throws: `NeverCame`.
  func wait(isCancelled: () -> Bool) throws -> Bool {
    while true {
      let found = phase.withLock { phase in
        defer { if phase == .here { phase = .used } }
        return phase
      }
      switch found {
      case .here:
        // It came because another was stopped.
        if isCancelled() { throw NeverCame() }
        began.withLock { $0 = Clock.monotonic() }
        return true
      case .used: return false
      case .over: throw NeverCame()
      case .coming: break
      }
      if isCancelled() { throw NeverCame() }
      _ = signal.wait(timeout: .now() + .milliseconds(50))
    }
  }

  /// How long ago it came, zero before that.
  var seconds: Double { began.withLock { $0.map { Clock.monotonic() - $0 } ?? 0 } }

  /// Gives the share back, or the place in the queue.
  func end() {
    let was = phase.withLock { phase in
      defer { phase = .over }
      return phase
    }
    switch was {
    case .coming: capacity.forget(self)
    case .here, .used: capacity.giveBack(share)
    case .over: break
    }
    signal.signal()
  }

  /// - Returns: false when it is over.
  fileprivate func begin() -> Bool {
    let isComing = phase.withLock { phase in
      guard phase == .coming else { return false }
      phase = .here
      return true
    }
    signal.signal()
    return isComing
  }
}
