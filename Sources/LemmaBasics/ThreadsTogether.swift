import Dispatch
import Glibc

extension Threads {
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
