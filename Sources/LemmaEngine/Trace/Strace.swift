import Glibc
import LemmaBasics

/// The program that tells which paths a stage uses: it lists the system calls that name one.
struct Strace: Sendable {
  private let path: String
  /// Where it writes.
  let log: String

  /// - Throws: `Failure` when it is not installed.
  init(log: String) throws {
    let folders = searchPath().split(separator: ":").map(String.init)
    guard let path = folders.map({ $0 + "/strace" }).first(where: { access($0, X_OK) == 0 }) else {
      throw Failure(
        .user, "no-strace", "'--trace' needs the program 'strace', which is not on PATH",
        hint: "install it: apt-get install strace")
    }
    self.path = path
    self.log = log
  }

  /// The launch with every process of it watched.
  func watch(_ launch: ChildProcess.Launch) -> ChildProcess.Launch {
    var launch = launch
    // Paths of descriptors (-y) are what relative names start from; a filter in the kernel lets all other
    // calls pass at full speed.
    launch.words =
      ["strace", "-f", "--seccomp-bpf", "-qq", "-y", "-s", "8192", "-o", log, "-e", "signal=none"]
      + ["-e", "trace=%file,fchdir,clone,clone3,?fork,?vfork", "--", launch.path] + launch.words.dropFirst()
    launch.path = path
    return launch
  }
}
