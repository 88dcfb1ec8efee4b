import CLinux
import Glibc
import LemmaBasics
import Synchronization

/// A started program and everything it started: one process group, which ends when the program
/// does, or when the run is cancelled.
public struct ChildProcess {
  private static let living = Mutex<Set<pid_t>>([])

  let pid: pid_t

  /// Ends every group that is still at work, at once.
  public static func killAll() {
    living.withLock { for pid in $0 { kill(-pid, SIGKILL) } }
  }

  /// How it ended, and what it used.
  struct Ending {
    /// The exit status, or 128 and the signal's number.
    var status: Int32
    var peakKiB: Int
    var cpuSeconds: Double
  }

  /// - Parameters:
  ///   - path: the program's file; `words[0]` is what it sees as its name.
  ///   - environment: `NAME=value` entries, all that it sees.
  ///   - log: the open file that both of its outputs go to.
  /// - Throws: `Failure` with the system's reason.
  init(path: String, words: [String], environment: [String], folder: String, log: Int32) throws {
    pid = try ChildProcess.living.withLock { living in
      var pid: pid_t = 0
      let code = withCStrings(words) { arguments in
        withCStrings(environment) { lemma_spawn(path, arguments, $0, folder, log, &pid) }
      }
      guard code == 0 else { throw Failure.system("spawn", path: words[0], errno: code) }
      living.insert(pid)
      return pid
    }
  }

  /// Waits for the end. When `isCancelled` turns true the group is asked to end and, two seconds
  /// later, made to.
  func wait(isCancelled: () -> Bool) throws -> Ending {
    let descriptor = lemma_process_descriptor(pid)
    guard descriptor >= 0 else { throw Failure.system("pidfd_open", path: "process \(pid)", errno: errno) }
    defer { close(descriptor) }
    var isAsked = false
    var patience = 40
    while true {
      var event = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      if poll(&event, 1, 50) > 0 { break }
      guard isCancelled() else { continue }
      // The leader is not reaped yet, so its group's number cannot belong to a stranger.
      if !isAsked {
        kill(-pid, SIGTERM)
        isAsked = true
      }
      patience -= 1
      if patience <= 0 { kill(-pid, SIGKILL) }
    }
    var status: Int32 = 0
    var peak: Int64 = 0
    var cpu: Int64 = 0
    let code = ChildProcess.living.withLock { living in
      living.remove(pid)
      return lemma_wait(pid, &status, &peak, &cpu)
    }
    guard code == 0 else { throw Failure.system("wait", path: "process \(pid)", errno: code) }
    return Ending(status: status, peakKiB: Int(peak), cpuSeconds: Double(cpu) / 1e6)
  }
}

/// Calls `body` with a NULL-terminated array of C strings.
private func withCStrings<T>(_ texts: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> T) -> T {
  let pointers: [UnsafeMutablePointer<CChar>?] = texts.map { strdup($0) } + [nil]
  defer { for pointer in pointers { free(pointer) } }
  return pointers.withUnsafeBufferPointer { body($0.baseAddress!) }
}
