import CLinux
import Glibc
import LemmaBasics

/// A process beside the run that waits for its end. When the run is killed, so that it cannot end its
/// stages, the warden does; when the run ends well, so does the warden.
public final class Warden: Sendable {
  /// The hidden entry of the program, followed by the mark of the run's processes.
  public static let entry = "__warden"

  private let input: Int32
  private let pid: pid_t

  init(program: String) throws {
    var ends: [Int32] = [-1, -1]
    guard lemma_pipe(&ends) == 0 else { throw Failure.system("pipe", path: program, errno: errno) }
    let null = open("/dev/null", O_WRONLY | O_CLOEXEC)
    defer {
      close(ends[0])
      close(null)
    }
    let words = ["lemma", Warden.entry, String(ProcessMark.run)]
    var pid: pid_t = 0
    let code = ChildProcess.startFree(program, words, input: ends[0], log: null, pid: &pid)
    guard code == 0 else {
      close(ends[1])
      throw Failure.system("start", path: program, errno: code)
    }
    (input, self.pid) = (ends[1], pid)
  }

  deinit {
    // Any byte: all is well.
    _ = Glibc.write(input, "q", 1)
    close(input)
    var status: Int32 = 0
    _ = lemma_reap(pid, &status)
  }

  /// The warden's own work, in its own process.
  /// - Parameter words: what follows the entry's name.
  public static func main(_ words: [String]) {
    if let mark = words.first.flatMap({ UInt64($0) }) { lemma_keep(mark, ProcessMark.runMask) }
  }
}
