import Glibc
import LemmaBasics

/// What the file system says of a file without reading it. Equal stamps mean equal bytes, unless
/// the stamp is racy.
struct Stamp: Hashable, Sendable {
  var device: UInt64
  var inode: UInt64
  var size: Int64
  /// Nanoseconds since the epoch.
  var modified: Int64
  /// Nanoseconds since the epoch; unlike `modified` no program can set it.
  var changed: Int64

  init(_ status: stat) {
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
    size = Int64(status.st_size)
    modified = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
    changed = Int64(status.st_ctim.tv_sec) * 1_000_000_000 + Int64(status.st_ctim.tv_nsec)
  }

  init(descriptor: Int32, path: String) throws {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw Failure.system("fstat", path: path, errno: errno) }
    self.init(status)
  }

  /// Whether a write in the same clock tick as a hash begun at `moment` could hide behind this
  /// stamp: it changed within two seconds before, or after.
  func isRacy(hashedAt moment: Int64) -> Bool { max(modified, changed) > moment - 2_000_000_000 }
}

/// The wall clock, nanoseconds since the epoch. It is compared with the file system's times and
/// enters no output.
func now() -> Int64 {
  var time = timespec()
  clock_gettime(CLOCK_REALTIME, &time)
  return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}
