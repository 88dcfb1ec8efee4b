import Glibc
import LemmaBasics
import LemmaEngine
import Synchronization

/// Ctrl-C and its kin: the first asks for a clean stop, the second ends at once.
enum Interrupt {
  private static let isAsked = Atomic<Bool>(false)

  static var isRequested: Bool { isAsked.load(ordering: .acquiring) }

  private static var signals: sigset_t {
    var signals = sigset_t()
    sigemptyset(&signals)
    for signal in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&signals, signal) }
    return signals
  }

  /// Blocks the signals in this thread and all that it starts from now on, so that none but the
  /// watcher takes them. To be called before any thread is started.
  static func block() {
    var signals = signals
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    signal(SIGPIPE, SIG_IGN)
  }

  /// Lets the signals end the process while a person is asked something.
  static func allowed<T>(_ body: () throws -> T) rethrows -> T {
    var signals = signals
    var before = sigset_t()
    pthread_sigmask(SIG_UNBLOCK, &signals, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    return try body()
  }

  /// Starts the watcher.
  /// - Parameter notice: called when the run is asked to stop.
  static func watch(notice: @escaping @Sendable () -> Void) throws {
    try Threads.start {
      var waited = signals
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
