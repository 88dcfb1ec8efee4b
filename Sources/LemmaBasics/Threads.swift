import Dispatch
import Glibc

/// Starts threads of our own for work that blocks. Dispatch's and Swift's shared pools are only as
/// wide as the machine, so that a few waiting stages would hold up everything else.
public enum Threads {
  private final class Work {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  /// Runs `body` on a new detached thread, which inherits the caller's blocked signals.
  /// - Throws: `Failure` when the system grants no thread.
  public static func start(_ body: @escaping @Sendable () -> Void) throws {
    let work = Unmanaged.passRetained(Work(body))
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    pthread_attr_setstacksize(&attributes, 8 << 20)
    var thread = pthread_t()
    let code = pthread_create(
      &thread, &attributes,
      { argument in
        if let argument { Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body() }
        return nil
      }, work.toOpaque())
    guard code == 0 else {
      work.release()
      throw Failure(.store, "thread", "the system grants no further thread: \(describe(errno: code))")
    }
  }

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
}
