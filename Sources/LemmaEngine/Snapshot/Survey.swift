import Dispatch
import Glibc
import LemmaBasics
import LemmaHash
import LemmaPipeline
import LemmaStore
import Synchronization

/// What a stage's own files say of it, before the stages in front of it are looked at.
enum FirstVerdict: Sendable {
  /// As the last run left it.
  case settled
  /// The result stands, but not in the workspace.
  case misplaced
  /// It must be looked at.
  case changed
}

/// What changed since a snapshot was written: every watch looked at once, on all processors.
struct Survey {
  let snapshot: Snapshot
  /// By watch: whether it is changed.
  private(set) var isChanged: [Bool]
  /// By watch: what replaces it, where the stamp is another one and the content the same.
  private(set) var refreshed: [Int: Watch] = [:]

  /// - Parameter stage: when given, only what the stages of that name rest on is looked at, with what the
  ///   stages before them do and what all rest on; everything else counts as unchanged.
  /// - Throws: `Failure` when a file cannot be read.
  init(_ snapshot: Snapshot, store: Store, about stage: String? = nil) throws {
    self.snapshot = snapshot
    let watches = stage.map { Survey.watches(behind: $0, in: snapshot) } ?? Array(0..<snapshot.watchCount)
    var states = [WatchState](repeating: .same, count: snapshot.watchCount)
    try states.withUnsafeMutableBufferPointer { states in
      let shared = SharedStates(states: states)
      try Survey.inParallel(watches.count) { shared.states[watches[$0]] = snapshot.watch(watches[$0]).state() }
    }
    isChanged = states.map { $0 == .changed }
    let unsure = states.indices.filter { states[$0] == .unsure }
    let found = Mutex<[Int: Watch?]>([:])
    try Survey.inParallel(unsure.count) { index in
      let number = unsure[index]
      let same = Survey.lookAgain(snapshot.watch(number).watch, store: store)
      found.withLock { $0[number] = .some(same) }
    }
    for (number, same) in found.withLock({ $0 }) {
      if let same { refreshed[number] = same } else { isChanged[number] = true }
    }
  }

  private static func watches(behind stage: String, in snapshot: Snapshot) -> [Int] {
    var isMeant = [Bool](repeating: false, count: snapshot.watchCount)
    for common in Snapshot.Common.allCases {
      for watch in snapshot.watches(of: common) { isMeant[watch] = true }
    }
    let stages = StageList.numbers(of: stage, count: snapshot.stageCount, id: { snapshot.idBytes($0) }) {
      snapshot.dependencies(of: $0)
    }
    for number in stages { snapshot.forEachWatch(of: number) { isMeant[$0] = true } }
    return isMeant.indices.filter { isMeant[$0] }
  }

  /// The watch with its newest stamp, when the content is what it was.
  private static func lookAgain(_ watch: Watch, store: Store) -> Watch? {
    if watch.kind == .outputFolder, !WorkspaceOutputs.isPlain(watch.path) { return nil }
    // What cannot be looked at here is looked at again, and told of, where it is needed.
    guard watch.kind != .never, let examined = try? store.examine(watch.path, remembersStamps: false),
      examined.artifact == watch.artifact
    else { return nil }
    var watch = watch
    watch.stamp = examined.stamp
    watch.hashedAt = examined.hashedAt
    return watch
  }

  /// Whether they all are as they were.
  func stands(_ common: Snapshot.Common) -> Bool {
    snapshot.watches(of: common).allSatisfy { !isChanged[$0] }
  }

  /// Whether everything is as it was.
  var isClean: Bool { !isChanged.contains(true) }

  /// Whether no file changed that a stage rests on, whatever became of the ledger.
  var areFilesUnchanged: Bool {
    let ledger = Set(snapshot.watches(of: .ledger))
    return isChanged.indices.allSatisfy { !isChanged[$0] || ledger.contains($0) }
  }

  /// Whether every stage is done and as it was.
  var isUnchanged: Bool {
    areFilesUnchanged && (0..<snapshot.stageCount).allSatisfy { snapshot.flags($0).contains(.isDone) }
  }

  /// Whether some stamps are new, so that the next survey would look at the content again.
  var isStale: Bool { !refreshed.isEmpty }

  // MARK: Stages

  /// What a stage's own watches say; not those of the stages before it.
  func verdict(_ number: Int) -> FirstVerdict {
    guard snapshot.flags(number).contains(.isDone) else { return .changed }
    var verdict = FirstVerdict.settled
    snapshot.forEachWatch(of: number) { watch in
      guard isChanged[watch] else { return }
      if snapshot.watch(watch).kind.isOutput {
        if verdict == .settled { verdict = .misplaced }
      } else {
        verdict = .changed
      }
    }
    return verdict
  }

  // MARK: Threads

  private struct SharedStates: @unchecked Sendable {
    // Each element is written by one thread.
    let states: UnsafeMutableBufferPointer<WatchState>
  }

  /// Calls `body` for every number below `count`, in chunks on as many threads as are worth it.
  private static func inParallel(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) throws {
    let threads = min(Machine.processors, count / 256 + 1)
    let next = Atomic(0)
    let work: @Sendable () -> Void = {
      while true {
        let start = next.wrappingAdd(128, ordering: .relaxed).oldValue
        guard start < count else { return }
        for number in start..<min(start + 128, count) { body(number) }
      }
    }
    let done = DispatchSemaphore(value: 0)
    for _ in 1..<max(1, threads) {
      try Threads.start {
        work()
        done.signal()
      }
    }
    work()
    for _ in 1..<max(1, threads) { done.wait() }
  }
}
