import CLinux
import Glibc
import LemmaBasics

/// The second-best sandbox: the machine's own file system with everything closed but the stage's root and
/// the system's folders. What is closed can still be seen to exist.
final class LandlockRules: Sendable {
  let descriptor: Int32
  let deniesNetwork: Bool

  /// - Parameter version: the kernel's, as `lemma_landlock_abi` tells it.
  /// - Throws: `Failure` when the kernel refuses a rule.
  init(version: Int, _ needs: Confinement.Needs, in root: ExecutionRoot) throws {
    deniesNetwork = !needs.hasNetwork
    descriptor = lemma_landlock_create(Int32(version), deniesNetwork ? 1 : 0)
    guard descriptor >= 0 else { throw Failure.system("landlock", path: root.path, errno: errno) }
    func allow(_ paths: [String], _ access: Int) throws {
      for path in paths {
        let code = lemma_landlock_allow(descriptor, Int32(version), path, Int32(access))
        guard code == 0 || code == ENOENT else { throw Failure.system("landlock", path: path, errno: code) }
      }
    }
    let system = SystemFolders.current
    try allow(system.readable + system.links.map(\.path) + ["/proc", "/sys"], LEMMA_READ)
    try allow(LandlockRules.devices + system.devices, LEMMA_USE)
    try allow(["/dev/shm"] + root.writable.map { "\(root.home(of: $0))/\($0)" }, LEMMA_WRITE)
    try allow(needs.readable() + [root.path], LEMMA_READ)
    if needs.hasNetwork { try allow(SystemFolders.networkConfiguration, LEMMA_READ) }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  private static let devices = ["null", "zero", "full", "random", "urandom", "tty", "pts"].map { "/dev/\($0)" }
}
