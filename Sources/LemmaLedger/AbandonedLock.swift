import Glibc
import LemmaBasics

/// A lock file of git's that its maker left behind when it was killed. Git holds such a lock for
/// milliseconds and writes into it at once, so that one which stands unchanged for two seconds, while no
/// other run commits, has no holder.
struct AbandonedLock {
  private static let patience = 2.0

  private let path: String
  private var seen: (inode: ino_t, changed: Int, since: Double)?

  init(_ path: String) { self.path = path }

  /// Looks at the lock once more, and removes it when it stood unchanged for long enough.
  /// - Returns: whether it was removed.
  mutating func remove() -> Bool {
    var status = stat()
    guard lstat(path, &status) == 0 else {
      seen = nil
      return false
    }
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    let now = Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    let changed = status.st_ctim.tv_sec &* 1_000_000_000 &+ status.st_ctim.tv_nsec
    guard let seen, seen.inode == status.st_ino, seen.changed == changed else {
      seen = (status.st_ino, changed, now)
      return false
    }
    guard now - seen.since >= AbandonedLock.patience else { return false }
    return unlink(path) == 0
  }
}
