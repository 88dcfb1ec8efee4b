import Glibc
import LemmaBasics

/// The bytes of a file that is not changed while it is read, mapped into memory and not copied. A file that another
/// program shortens meanwhile ends this one with a bus error: nothing that a reader checks could prevent it.
public final class MappedFile: @unchecked Sendable {
  /// What messages name.
  public let path: String
  /// Valid as long as this object is, which ends with its last use: who keeps the bytes keeps the object.
  public let bytes: UnsafeRawBufferPointer
  private let isMapped: Bool

  /// Maps a regular file, or what a symbolic link to one names.
  /// - Throws: `Failure` when it is missing, empty, or something else than a file.
  public init(_ path: String) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw errno == ENOENT
        ? Failure(.user, "no-such-file", "there is no '\(path)'")
        : Failure.system("open", path: path, errno: errno)
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw Failure.system("fstat", path: path, errno: errno) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw Failure(.user, "not-a-file", "'\(path)' is not a regular file")
    }
    guard status.st_size > 0 else { throw Failure(.user, "empty-file", "'\(path)' is empty") }
    let size = Int(status.st_size)
    guard let memory = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), memory != MAP_FAILED else {
      throw Failure.system("mmap", path: path, errno: errno)
    }
    self.path = path
    bytes = UnsafeRawBufferPointer(start: memory, count: size)
    isMapped = true
  }

  /// Bytes that are in no file, copied into a block of exactly their size, so that a sanitiser sees one step too far.
  public init(copying bytes: [UInt8], as path: String) {
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    copy.copyBytes(from: bytes)
    self.path = path
    self.bytes = UnsafeRawBufferPointer(copy)
    isMapped = false
  }

  deinit {
    if isMapped {
      munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count)
    } else {
      bytes.deallocate()
    }
  }
}
