import Dispatch
import LemmaBasics
import LemmaStore
import Synchronization

/// Makes results durable, many with one flush, on a thread of its own: stages go on while the disk
/// is at work. Results become durable in the order in which they were handed over, soon after, or at once
/// when nobody has anything else to do.
final class Committer: Sendable {
  struct Item: Sendable {
    var number: Int
    var record: ActionRecord
    /// What else became known of the outputs.
    var facts: [ActionRecord]
    /// Places in the workspace that the outputs will take.
    var places: [String]
    /// The action's, held until its result is there for others to find.
    var lock: FileLock
    /// A folder that must not go before the result is durable.
    var scratch: String?
  }

  private struct State {
    var items: [Item] = []
    var isOver = false
    /// Whether everybody waits for the disk.
    var isAwaited = false
  }

  /// Seconds from one flush to the next: a flush costs as much as a small stage, whatever it takes along.
  private static let pause = 0.05

  private let state = Mutex(State())
  private let signal = DispatchSemaphore(value: 0)
  private let workspace: Workspace
  private let report: @Sendable ([Int], Result<Void, any Error>) -> Void

  /// - Parameter report: told of the numbers that are durable now, or could not be made so.
  init(workspace: Workspace, report: @escaping @Sendable ([Int], Result<Void, any Error>) -> Void) throws {
    self.workspace = workspace
    self.report = report
    try Threads.start { [self] in work() }
  }

  func add(_ item: Item) {
    state.withLock { $0.items.append(item) }
    signal.signal()
  }

  /// Has what was added made durable without delay.
  func hurry() {
    state.withLock { $0.isAwaited = true }
    signal.signal()
  }

  /// Lets the thread end when it has nothing left to do.
  func finish() {
    state.withLock { $0.isOver = true }
    signal.signal()
  }

  private func work() {
    var next = Clock.monotonic()
    while true {
      signal.wait()
      while !state.withLock({ $0.isOver || $0.isAwaited }), Clock.monotonic() < next {
        _ = signal.wait(timeout: .now() + (next - Clock.monotonic()))
      }
      let (items, isOver) = state.withLock { state in
        defer { (state.items, state.isAwaited) = ([], false) }
        return (state.items, state.isOver)
      }
      if items.isEmpty {
        if isOver { return }
        continue
      }
      let result = Result {
        // What stands there already was put there before, or is not ours to replace.
        let places = items.flatMap(\.places).filter { !Files.exists(workspace.absolute($0)) }
        try workspace.store.index.record(places: places, workspace: workspace.id)
        try workspace.store.flush(recording: items.flatMap { [$0.record] + $0.facts })
        for folder in items.compactMap(\.scratch) { try? Files.remove(folder) }
      }
      next = Clock.monotonic() + Committer.pause
      report(items.map(\.number), result)
    }
  }
}
