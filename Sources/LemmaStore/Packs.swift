import Glibc
import LemmaBasics
import LemmaHash
import Synchronization

/// An open pack. Closed with its last reference.
final class OpenPack: Sendable {
  let descriptor: Int32
  let path: String

  init?(_ path: String) throws {
    descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    self.path = path
    if descriptor < 0 {
      if errno == ENOENT || errno == ELOOP { return nil }
      throw Failure.system("open", path: path, errno: errno)
    }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// `count` bytes from `offset` on, or fewer where the pack ends.
  func read(_ count: Int, at offset: Int64) throws -> [UInt8] {
    var code: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        let got = pread(descriptor, buffer.baseAddress! + filled, count - filled, off_t(offset) + off_t(filled))
        if got < 0, errno == EINTR { continue }
        if got < 0 { code = errno }
        if got <= 0 { return }
        filled += got
      }
    }
    guard code == 0 else { throw Failure.system("read", path: path, errno: code) }
    return bytes
  }
}

/// The packs read lately, kept open: few, since a process may have few descriptors.
final class OpenPacks: Sendable {
  private static let capacity = 8

  private let root: String
  private let recent = Mutex<[(pack: Int64, file: OpenPack)]>([])

  init(root: String) { self.root = root }

  /// The pack, or `nil` when there is none of this number.
  func file(_ pack: Int64) throws -> OpenPack? {
    try recent.withLock { recent in
      if let place = recent.firstIndex(where: { $0.pack == pack }) {
        let found = recent.remove(at: place)
        recent.append(found)
        return found.file
      }
      guard let file = try OpenPack(PackFormat.path(of: pack, in: root)) else { return nil }
      recent.append((pack, file))
      if recent.count > OpenPacks.capacity { recent.removeFirst() }
      return file
    }
  }

  /// Forgets a pack that was opened before it was removed or replaced.
  func forget(_ pack: Int64) { recent.withLock { $0.removeAll { $0.pack == pack } } }
}
