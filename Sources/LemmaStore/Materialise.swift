import CLinux
import Glibc
import LemmaBasics
import LemmaHash

/// Giving bytes out: always as copies, and never before both names were compared.
extension Store {
  /// The bytes of an object.
  /// - Parameter quarantines: false for one who only looks, such as an audit.
  /// - Throws: `ObjectFault` when it is missing or altered.
  public func read(_ identity: Identity, quarantines: Bool = true) throws -> [UInt8] {
    switch try open(identity, quarantines: quarantines) {
    case .bytes(let bytes): return bytes
    case .file(let file):
      var bytes: [UInt8] = []
      bytes.reserveCapacity(Int(identity.size))
      var hasher = ContentHasher()
      try hasher.update(readingFrom: file.descriptor, path: file.path) { bytes.append(contentsOf: $0) }
      guard hasher.finish() == identity else { throw try altered(identity, quarantines: quarantines) }
      return bytes
    }
  }

  /// The manifest of a folder.
  public func tree(_ identity: Identity) throws -> Tree { try Tree(parsing: try read(identity)) }

  /// Verifies an object and returns the path of a read-only file with its bytes, for readers inside Lemma
  /// that need no copy: the store's own file, or for a small object one that goes with this process.
  public func verifiedPath(_ identity: Identity) throws -> String {
    switch try open(identity) {
    case .file:
      // Under its temporary name another thread's flush could rename it away from the reader.
      if case .alone = pending.place(of: identity) { try flush() }
      try verify(identity)
      return path(of: identity)
    case .bytes(let bytes):
      let path = try temporaryPath(identity.digest.hex + identity.seal.hex)
      if let held = try? Files.read(path), held == bytes { return path }
      // Two threads may want it at once: each writes a file of its own, and either will do.
      let own = try temporaryPath()
      try writeNew(own) { try Files.writeAll(bytes, to: $0, path: own) }
      guard rename(own, path) == 0 else { throw Failure.system("rename", path: path, errno: errno) }
      return path
    }
  }

  /// Writes an artifact to `path`, where nothing may stand yet; folders above it are made.
  /// - Throws: `ObjectFault` when an object is missing or altered; what was written is removed.
  public func materialise(_ artifact: Artifact, at path: String) throws {
    try Files.makeFolder(Files.parent(path))
    do {
      switch artifact.kind {
      case .file, .executable:
        try copy(
          artifact.identity, to: Array(path.utf8), in: AT_FDCWD, isExecutable: artifact.kind == .executable, shown: path
        )
      case .folder:
        let manifest = try read(artifact.identity)
        guard mkdir(path, 0o755) == 0 else { throw Failure.system("mkdir", path: path, errno: errno) }
        try fill(path, from: manifest)
      }
    } catch {
      try? Files.remove(path)
      throw error
    }
  }

  /// Whether an object is small enough to be written from memory.
  public static func isSmall(_ identity: Identity) -> Bool { identity.size < UInt64(PackFormat.limit) }

  /// Writes a small object to a file that is not executable, where nothing stands yet; the folder above is there.
  /// - Parameter spare: a file of this process's own that may be written over and moved there, which costs
  ///   less than to make one.
  /// - Returns: the stamp that the file has now.
  /// - Throws: `ObjectFault` when the object is missing or altered.
  public func write(_ identity: Identity, at path: String, over spare: String?) throws -> Stamp {
    let bytes = try read(identity)
    let isWritten = try spare.map { try write(bytes, over: $0, at: path) } ?? false
    if !isWritten {
      let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o644)
      guard descriptor >= 0 else { throw Failure.system("create", path: path, errno: errno) }
      let file = OpenFile(descriptor, path: path)
      try Files.writeAll(bytes, to: file.descriptor, path: path)
    }
    guard let stamp = Stamp.of(path) else { throw Failure.system("stat", path: path, errno: errno) }
    return stamp
  }

  /// A file that is emptied first would be flushed on closing by ext4, which takes it for a document that
  /// is being saved: its end is cut off last.
  /// - Returns: false when the file cannot be used; then it is gone.
  private func write(_ bytes: [UInt8], over spare: String, at path: String) throws -> Bool {
    let descriptor = Glibc.open(spare, O_RDWR | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else {
      unlink(spare)
      return false
    }
    let file = OpenFile(descriptor, path: path)
    try Files.writeAll(bytes, to: file.descriptor, path: path)
    guard ftruncate(file.descriptor, off_t(bytes.count)) == 0 else {
      throw Failure.system("ftruncate", path: path, errno: errno)
    }
    guard rename(spare, path) == 0 else { throw Failure.system("rename", path: path, errno: errno) }
    return true
  }

  /// Writes a folder's entries. Paths are opened part by part beneath it, so that no link leads out and
  /// none is too long.
  private func fill(_ path: String, from manifest: [UInt8]) throws {
    let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else { throw Failure.system("open", path: path, errno: errno) }
    let root = OpenFile(descriptor, path: path)
    var parent = root
    var parentPath: [UInt8] = []
    try ManifestReader.read(manifest) { place, node in
      let shown = "\(path)/\(String(decoding: place, as: UTF8.self))"
      let slash = place.lastIndex(of: UInt8(ascii: "/"))
      let above = UnsafeBufferPointer(rebasing: place[..<(slash ?? 0)])
      if !parentPath.elementsEqual(above) {
        let opened = lemma_open_beneath(root.descriptor, cString(above), O_RDONLY | O_DIRECTORY)
        guard opened >= 0 else { throw Failure.system("open", path: shown, errno: errno) }
        parent = OpenFile(opened, path: shown)
        parentPath = Array(above)
      }
      let name = Array(place[(slash.map { $0 + 1 } ?? 0)...])
      switch node {
      case .folder:
        guard mkdirat(parent.descriptor, cString(name), 0o755) == 0 else {
          throw Failure.system("mkdir", path: shown, errno: errno)
        }
      case .file(let identity, let isExecutable):
        try copy(identity, to: name, in: parent.descriptor, isExecutable: isExecutable, shown: shown)
      case .link(let target):
        guard symlinkat(cString(target), parent.descriptor, cString(name)) == 0 else {
          throw Failure.system("symlink", path: shown, errno: errno)
        }
      }
    }
  }

  private func copy(
    _ identity: Identity, to name: [UInt8], in folder: Int32, isExecutable: Bool, shown: String
  ) throws {
    let object = try open(identity)
    let descriptor = openat(
      folder, cString(name), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, isExecutable ? 0o755 : 0o644)
    guard descriptor >= 0 else { throw Failure.system("create", path: shown, errno: errno) }
    do {
      switch object {
      case .bytes(let bytes): try Files.writeAll(bytes, to: descriptor, path: shown)
      case .file(let file):
        let copied = try FileHashing(descriptor: file.descriptor, path: file.path).copy(
          to: descriptor, shown: shown, key: try index.fingerprintKey())
        guard copied.identity == identity else { throw try altered(identity) }
      }
    } catch {
      close(descriptor)
      throw error
    }
    // A file system may tell of a failed write only here.
    guard close(descriptor) == 0 else { throw Failure.system("close", path: shown, errno: errno) }
  }
}

/// Bytes with a zero behind them, for system calls.
func cString(_ bytes: some Sequence<UInt8>) -> [CChar] { bytes.map { CChar(bitPattern: $0) } + [0] }
