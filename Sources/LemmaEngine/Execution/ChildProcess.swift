import CLinux
import Glibc
import LemmaBasics
import Synchronization

/// A started program and everything it started, which ends when the program does, when the run is
/// cancelled, when its time is over, or when Lemma itself ends, however it ends.
public struct ChildProcess {
  private static let pollMilliseconds: Int32 = 50
  /// How long a group that was asked to end may take to do so.
  private static let patienceSeconds = 2.0
  private static let living = Mutex<Set<pid_t>>([])

  let pid: pid_t
  private let descriptor: Int32
  private let mark: UInt64
  private let isEnclosure: Bool

  /// Ends every group that is still at work, at once.
  public static func killAll() {
    living.withLock { for pid in $0 { kill(-pid, SIGKILL) } }
  }

  /// What to start, and how.
  struct Launch {
    /// The program's file; `words[0]` is what it sees as its name.
    var path: String
    var words: [String]
    /// `NAME=value` entries, all that it sees.
    var environment: [String]
    var folder: String
    /// The open file that both of its outputs go to.
    var log: Int32
    /// Its standard input; -1 for nothing to read.
    var input: Int32 = -1
    /// Its descriptor 3; -1 for none.
    var reply: Int32 = -1
    /// What Landlock allows it; nil for everything.
    var rules: LandlockRules?
    /// Whether the program is a sandbox around the stage, whose end is the stage's sudden end.
    var isEnclosure = false
  }

  /// How it ended, and what it used.
  struct Ending {
    /// The exit status, or 128 and the signal's number.
    var status: Int32
    var peakKiB: Int
    var cpuSeconds: Double
    var wasTimedOut: Bool
    /// Whether it is certain that nothing which it started is left.
    var isQuiet: Bool
  }

  /// Starts a program. The calling thread must live until the program has ended.
  /// - Throws: `Failure` with the system's reason.
  init(_ launch: Launch) throws {
    let mark = ProcessMark.next()
    self.mark = mark
    isEnclosure = launch.isEnclosure
    var pid: pid_t = 0
    var descriptor: Int32 = -1
    let code = withCStrings(launch.words) { arguments in
      withCStrings(launch.environment) { environment in
        launch.path.withCString { path in
          launch.folder.withCString { folder in
            var request = lemma_launch(
              path: path, argv: arguments, envp: environment, folder: folder, log_fd: launch.log,
              input_fd: launch.input, reply_fd: launch.reply, ruleset_fd: launch.rules?.descriptor ?? -1,
              denies_network: launch.rules?.deniesNetwork == true ? 1 : 0, dies_with_parent: 1, mark: mark)
            return lemma_start(&request, &pid, &descriptor)
          }
        }
      }
    }
    guard code == 0 else { throw Failure.system("start", path: launch.path, errno: code) }
    (self.pid, self.descriptor) = (pid, descriptor)
    _ = ChildProcess.living.withLock { $0.insert(pid) }
  }

  /// Waits for the end of the program, then ends what it left at work. When `isCancelled` turns true, or
  /// the moment of `deadline` (`Clock.monotonic`) is over, the group is asked to end and, two seconds
  /// later, made to.
  func wait(isCancelled: () -> Bool, deadline: Double? = nil, reply: Reply? = nil) throws -> Ending {
    defer { close(descriptor) }
    var wasTimedOut = false
    var killMoment: Double?
    var events = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)]
    if let reply { events.append(pollfd(fd: reply.descriptor, events: Int16(POLLIN), revents: 0)) }
    while true {
      let count = poll(&events, nfds_t(events.count), ChildProcess.pollMilliseconds)
      if count > 0, events[0].revents != 0 { break }
      if count > 0, let reply, !reply.read() { events.removeLast() }
      let moment = Clock.monotonic()
      if let killMoment {
        if moment > killMoment { kill(-pid, SIGKILL) }
        continue
      }
      wasTimedOut = deadline.map { moment > $0 } ?? false
      guard wasTimedOut || isCancelled() else { continue }
      // The leader is not reaped yet, so its group's number cannot belong to a stranger.
      if isEnclosure { lemma_ask_marked(mark, pid) } else { kill(-pid, SIGTERM) }
      killMoment = moment + ChildProcess.patienceSeconds
    }
    _ = ChildProcess.living.withLock { $0.remove(pid) }
    var status: Int32 = 0
    var peak: Int64 = 0
    var cpu: Int64 = 0
    let code = lemma_wait(pid, &status, &peak, &cpu)
    guard code == 0 else { throw Failure.system("wait", path: "process \(pid)", errno: code) }
    // What left the group, such as a daemon, still carries the mark.
    let isQuiet = lemma_end_marked_since(pid, mark) != 0
    if let reply { while reply.isReady, reply.read() {} }
    return Ending(
      status: status, peakKiB: Int(peak), cpuSeconds: Double(cpu) / 1e6, wasTimedOut: wasTimedOut, isQuiet: isQuiet)
  }

  /// What a child says on its descriptor 3, as it comes.
  struct Reply {
    let descriptor: Int32
    let take: (ArraySlice<UInt8>) -> Void

    /// Whether there is something to take, or the end.
    var isReady: Bool {
      var event = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      return poll(&event, 1, 0) > 0
    }

    /// Takes what is there; false at the end.
    func read() -> Bool {
      var buffer = [UInt8](repeating: 0, count: 64 << 10)
      while true {
        let got = Glibc.read(descriptor, &buffer, buffer.count)
        if got < 0, errno == EINTR { continue }
        if got <= 0 { return false }
        take(buffer[..<got])
        return true
      }
    }
  }
}

extension ChildProcess {
  /// Starts a program that is no stage's and outlives this process.
  /// - Returns: 0 or an errno.
  static func startFree(_ path: String, _ words: [String], input: Int32, log: Int32, pid: inout pid_t) -> Int32 {
    var descriptor: Int32 = -1
    let code = withCStrings(words) { arguments in
      withCStrings([]) { environment in
        path.withCString { path in
          "/".withCString { folder in
            var request = lemma_launch(
              path: path, argv: arguments, envp: environment, folder: folder, log_fd: log, input_fd: input,
              reply_fd: -1, ruleset_fd: -1, denies_network: 0, dies_with_parent: 0, mark: 0)
            return lemma_start(&request, &pid, &descriptor)
          }
        }
      }
    }
    if code == 0 { close(descriptor) }
    return code
  }
}

/// The marks by which a stage's processes are found again (`CLinux`, marks.c).
enum ProcessMark {
  private static let count = Atomic<UInt64>(0)
  private static let stageBits: UInt64 = 24

  /// The bits that all marks of this process share, and no other process's.
  static let runMask = ~((UInt64(1) << stageBits) - 1)

  /// This process's part: its number and the moment it first asked, below 2^62 together.
  static let run: UInt64 = {
    let moment = UInt64(bitPattern: Int64(Clock.monotonic() * 1000)) & 0x7FFF
    return 1 << 62 | moment << 46 | (UInt64(UInt32(bitPattern: getpid())) & 0x3F_FFFF) << stageBits
  }()

  /// The mark of the next program to be started.
  static func next() -> UInt64 { run | (count.wrappingAdd(1, ordering: .relaxed).newValue & ~runMask) }
}

/// Calls `body` with a NULL-terminated array of C strings.
private func withCStrings<T>(_ texts: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> T) -> T {
  let pointers: [UnsafeMutablePointer<CChar>?] = texts.map { strdup($0) } + [nil]
  defer { for pointer in pointers { free(pointer) } }
  return pointers.withUnsafeBufferPointer { body($0.baseAddress!) }
}
