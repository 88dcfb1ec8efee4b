import Dispatch
import Glibc
import Synchronization

/// Ends a process group when the run is cancelled: politely, then, two seconds later, for good.
final class ProcessWatch: Sendable {
  private let isStopped = Atomic<Bool>(false)

  init(group: pid_t, isCancelled: @escaping @Sendable () -> Bool) {
    DispatchQueue.global().async { [self] in
      while !isCancelled() {
        if isStopped.load(ordering: .acquiring) { return }
        usleep(20_000)
      }
      for signal in [SIGTERM, SIGKILL] {
        if isStopped.load(ordering: .acquiring) { return }
        kill(-group, signal)
        for _ in 0..<100 where !isStopped.load(ordering: .acquiring) { usleep(20_000) }
      }
    }
  }

  func stop() { isStopped.store(true, ordering: .releasing) }
}
