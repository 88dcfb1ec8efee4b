import Dispatch
import Glibc
import Synchronization

/// Threads of our own for work that blocks. Dispatch's and Swift's shared pools are only as wide as the
/// machine, so that a few waiting stages would hold up everything else. A thread that has done its work
/// waits for more: to make one costs more than a small stage's own bookkeeping.
public enum Threads {
  private final class Worker: Sendable {
    let work: Mutex<(@Sendable () -> Void)?>
    let signal = DispatchSemaphore(value: 0)
    init(_ body: @escaping @Sendable () -> Void) { work = Mutex(body) }
  }

  private static let idle = Mutex<[Worker]>([])
  private static let idleLimit = 16

  /// Runs `body` on a thread of its own until it is done. A new thread inherits the blocked signals of the
  /// caller that it was made for.
  /// - Throws: `Failure` when the system grants no thread.
  public static func start(_ body: @escaping @Sendable () -> Void) throws {
    if let worker = idle.withLock({ $0.popLast() }) {
      worker.work.withLock { $0 = body }
      worker.signal.signal()
      return
    }
    try make(Worker(body))
  }

  private static func make(_ worker: Worker) throws {
    let reference = Unmanaged.passRetained(worker)
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    pthread_attr_setstacksize(&attributes, 8 << 20)
    var thread = pthread_t()
    let code = pthread_create(
      &thread, &attributes,
      { argument in
        if let argument { Threads.serve(Unmanaged<Worker>.fromOpaque(argument).takeRetainedValue()) }
        return nil
      }, reference.toOpaque())
    guard code == 0 else {
      reference.release()
      throw Failure(.store, "thread", "the system grants no further thread: \(describe(errno: code))")
    }
  }

  /// In a function of its own, so that a thread which waits holds nothing of what it did.
  private static func run(_ worker: Worker) {
    let body = worker.work.withLock { work in
      defer { work = nil }
      return work
    }
    body?()
  }

  private static func serve(_ worker: Worker) {
    while true {
      run(worker)
      let isKept = idle.withLock { idle in
        guard idle.count < idleLimit else { return false }
        idle.append(worker)
        return true
      }
      guard isKept else { return }
      worker.signal.wait()
    }
  }

  // MARK: Many at once

  /// How many threads the machine runs at once.
  public static var processors: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

  /// Runs `body` on `count` threads, one of them the caller's, and waits for all. Where the system grants
  /// fewer threads, fewer do the work, so `body` takes its work from a shared supply.
  /// - Parameter body: given the number of its thread, from 0.
  public static func together(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    let ended = DispatchSemaphore(value: 0)
    var started = 0
    for number in 1..<max(1, count) {
      do {
        try start {
          body(number)
          ended.signal()
        }
        started += 1
      } catch {
        break
      }
    }
    body(0)
    for _ in 0..<started { ended.wait() }
  }

  /// Does two things at once, `other` on a thread of its own, and waits for both.
  /// - Returns: what `other` gave.
  /// - Throws: what `other` threw, else what `own` did.
  public static func beside<T: Sendable>(
    _ other: @escaping @Sendable () throws -> T, _ own: () throws -> Void
  ) throws -> T {
    let ended = DispatchSemaphore(value: 0)
    let found = Mutex<Result<T, any Error>?>(nil)
    let task: @Sendable () -> Void = {
      let result = Result { try other() }
      found.withLock { $0 = result }
      ended.signal()
    }
    do { try start(task) } catch { task() }
    let result = Result { try own() }
    ended.wait()
    guard let given = found.withLock({ $0 }) else { preconditionFailure("the other thread ended without a word") }
    let value = try given.get()
    try result.get()
    return value
  }
}
