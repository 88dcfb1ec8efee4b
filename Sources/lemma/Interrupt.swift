import Glibc
import LemmaBasics
import LemmaEngine
import Synchronization

/// Ctrl-C and its kin: the first asks for a clean stop, the second ends at once.
enum Interrupt {
  private static let isAsked = Atomic<Bool>(false)

  static var isRequested: Bool { isAsked.load(ordering: .acquiring) }

  /// Call before any thread is started: signals are blocked in all of them and taken by one.
  static func watch(notice: @escaping @Sendable () -> Void) throws {
    var signals = sigset_t()
    sigemptyset(&signals)
    for signal in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&signals, signal) }
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    signal(SIGPIPE, SIG_IGN)
    let waited = signals
    try Threads.start {
      var waited = waited
      var number: Int32 = 0
      while sigwait(&waited, &number) == 0 {
        if isAsked.exchange(true, ordering: .acquiringAndReleasing) {
          ChildProcess.killAll()
          _exit(130)
        }
        notice()
      }
    }
  }
}
