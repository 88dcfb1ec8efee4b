import Glibc
import LemmaBasics

/// What the file system says of a file without reading it. Equal stamps mean equal bytes, unless
/// the stamp is racy.
public struct Stamp: Hashable, Sendable {
  public var device: UInt64
  public var inode: UInt64
  /// Bytes.
  public var size: Int64
  /// Nanoseconds since the epoch.
  public var modified: Int64
  /// Nanoseconds since the epoch; unlike `modified` no program can set it.
  public var changed: Int64

  public init(device: UInt64, inode: UInt64, size: Int64, modified: Int64, changed: Int64) {
    self.device = device
    self.inode = inode
    self.size = size
    self.modified = modified
    self.changed = changed
  }

  /// The stamp of what stands at `path`, a link itself and not what it leads to; `nil` when nothing
  /// can be seen there.
  public static func of(_ path: String) -> Stamp? {
    var status = stat()
    return lstat(path, &status) == 0 ? Stamp(status) : nil
  }

  public init(_ status: stat) {
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
  public func isRacy(hashedAt moment: Int64) -> Bool { max(modified, changed) > moment - Stamp.youth }

  /// Nanoseconds for which a stamp is too young to be trusted: the coarsest clock of a file system.
  static let youth: Int64 = 2_000_000_000
}

/// The wall clock, nanoseconds since the epoch. It is compared with the file system's times and
/// enters no output.
func now() -> Int64 {
  var time = timespec()
  clock_gettime(CLOCK_REALTIME, &time)
  return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}
