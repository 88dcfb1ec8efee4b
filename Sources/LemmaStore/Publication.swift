import CLinux
import Glibc
import LemmaBasics
import LemmaHash

/// Objects on their way into the store. They are written under temporary names and become visible
/// together: data flushed, renamed, folders flushed, stamps recorded. A crash before leaves nothing.
final class Publication {
  private let store: Store
  private var pending: [(temporary: String, identity: Identity)] = []
  private var seen: Set<Identity> = []

  /// From this many objects on one flush of the file system is cheaper than one for each.
  private static let groupFlush = 24

  init(_ store: Store) { self.store = store }

  deinit { for item in pending { unlink(item.temporary) } }

  /// Copies the rest of an open file, hashing it on the way.
  func add(readingFrom descriptor: Int32, path: String) throws -> Identity {
    try add { output, temporary in
      var hasher = ContentHasher()
      try hasher.update(readingFrom: descriptor, path: path) { chunk in
        try Files.writeAll(chunk, to: output, path: temporary)
      }
      return hasher.finish()
    }
  }

  func add(_ bytes: [UInt8]) throws -> Identity {
    let identity = Identity(of: bytes)
    if try seen.contains(identity) || store.isSound(identity) { return identity }
    return try add { output, temporary in
      try Files.writeAll(bytes, to: output, path: temporary)
      return identity
    }
  }

  private func add(_ write: (Int32, String) throws -> Identity) throws -> Identity {
    let temporary = try store.temporaryPath()
    let output = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o444)
    guard output >= 0 else { throw Failure.system("create", path: temporary, errno: errno) }
    do {
      defer { close(output) }
      let identity = try write(output, temporary)
      if try seen.contains(identity) || store.isSound(identity) {
        unlink(temporary)
      } else {
        seen.insert(identity)
        pending.append((temporary, identity))
      }
      return identity
    } catch {
      unlink(temporary)
      throw error
    }
  }

  /// Makes every object visible and durable.
  func publish() throws {
    guard !pending.isEmpty else { return }
    try flush(pending.map(\.temporary))
    var folders: Set<String> = []
    for (temporary, identity) in pending {
      let path = store.path(of: identity)
      if folders.insert(Files.parent(path)).inserted { try Files.makeFolder(Files.parent(path)) }
      guard rename(temporary, path) == 0 else { throw Failure.system("rename", path: path, errno: errno) }
    }
    try flush(folders.sorted() + ["\(store.root)/objects"])
    let stamps = try pending.map { item in
      let path = store.path(of: item.identity)
      var status = stat()
      guard lstat(path, &status) == 0 else { throw Failure.system("stat", path: path, errno: errno) }
      return (Store.name(of: item.identity), Stamp(status))
    }
    pending = []
    try store.index.record(objects: stamps)
  }

  private func flush(_ paths: [String]) throws {
    let isGroup = paths.count >= Publication.groupFlush
    for path in isGroup ? [store.root] : paths {
      let descriptor = open(path, O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else { throw Failure.system("open", path: path, errno: errno) }
      defer { close(descriptor) }
      guard (isGroup ? lemma_sync_file_system(descriptor) : fsync(descriptor)) == 0 else {
        throw Failure.system("fsync", path: path, errno: errno)
      }
    }
  }
}
