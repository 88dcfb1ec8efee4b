import CLinux
import Glibc
import LemmaBasics

/// A lock between processes, exclusive unless it says otherwise, held through an open file description
/// (`flock`, or `F_OFD_SETLK` for a byte): the kernel lets it go when its holder ends, however it ends. A file
/// that is locked as a whole names the holder, for messages.
public final class FileLock: Sendable {
  private let descriptor: Int32
  private let path: String

  private init(descriptor: Int32, path: String, isNamed: Bool = true) {
    self.descriptor = descriptor
    self.path = path
    guard isNamed else { return }
    ftruncate(descriptor, 0)
    try? Files.writeAll(FileLock.holder, to: descriptor, path: path)
  }

  /// What the file says of this process.
  private static let holder: [UInt8] = {
    var boot = [CChar](repeating: 0, count: 37)
    lemma_boot_id(&boot)
    let bootID = String(decoding: boot.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return Array("pid \(getpid()) boot \(bootID)\n".utf8)
  }()

  /// Takes the lock, or returns `nil` when another holder has it.
  public static func tryTake(_ path: String) throws -> FileLock? {
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Failure.system("open", path: path, errno: errno) }
    if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return FileLock(descriptor: descriptor, path: path) }
    let code = errno
    close(descriptor)
    guard code == EWOULDBLOCK else { throw Failure.system("flock", path: path, errno: code) }
    return nil
  }

  /// Takes one byte of a file that stands for many locks, so that none needs a file of its own; `nil` when
  /// another holder has that byte. The byte need not be there.
  public static func tryTake(_ path: String, byte: UInt64) throws -> FileLock? {
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Failure.system("open", path: path, errno: errno) }
    let code = lemma_lock_byte(descriptor, byte)
    if code == 0 { return FileLock(descriptor: descriptor, path: path, isNamed: false) }
    close(descriptor)
    guard code == EAGAIN || code == EACCES else { throw Failure.system("fcntl", path: path, errno: code) }
    return nil
  }

  /// Takes a lock that others may share, and waits while somebody holds it alone.
  public static func share(_ path: String) throws -> FileLock {
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Failure.system("open", path: path, errno: errno) }
    while flock(descriptor, LOCK_SH) != 0 {
      if errno == EINTR { continue }
      let code = errno
      close(descriptor)
      throw Failure.system("flock", path: path, errno: code)
    }
    return FileLock(descriptor: descriptor, path: path, isNamed: false)
  }

  /// Waits for the lock; asks `isCancelled` every `pollEvery` seconds and returns `nil` when it says so.
  public static func take(
    _ path: String, pollEvery interval: Double = 0.1, isCancelled: () -> Bool = { false }
  ) throws -> FileLock? {
    while true {
      if let lock = try tryTake(path) { return lock }
      if isCancelled() { return nil }
      usleep(useconds_t(interval * 1e6))
    }
  }

  /// Who holds the lock, as far as its file tells.
  public static func holder(_ path: String) -> String {
    (try? Files.readText(path)).flatMap { $0.split(separator: " boot").first.map(String.init) } ?? "another process"
  }

  deinit { close(descriptor) }
}
