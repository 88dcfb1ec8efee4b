import CLinux
import Glibc
import LemmaBasics
import LemmaHash

/// Taking bytes in: from the workspace, from a stage's execution root, from memory. What was taken in can
/// be read by this process at once; `flush` makes it durable.
extension Store {
  /// Takes in the file or folder at `path` and returns its identity. A file whose stamp is known
  /// and not racy is not read again. A link at `path` itself is followed, since a person named it;
  /// links inside a folder are recorded as links.
  /// - Throws: `Failure` when something is missing, cannot be read, is a FIFO, socket or device,
  ///   or changes while it is being read.
  public func ingest(_ path: String) throws -> Artifact {
    try Intake(store: self, keepsBytes: true, trustsStamps: true).take(path)
  }

  /// Takes in some bytes.
  @discardableResult
  public func put(_ bytes: [UInt8]) throws -> Identity {
    let identity = Identity(of: bytes)
    _ = try keep(identity, bytes)
    return identity
  }

  /// What stands at a path, with the stamp under which it was found to be so.
  public struct Examined: Sendable {
    public var artifact: Artifact
    public var stamp: Stamp
    /// A moment at which content and stamp were seen to belong together, nanoseconds since the
    /// epoch; 0 when somebody could write to the file, so that its stamp vouches for nothing.
    public var hashedAt: Int64
  }

  /// As `identify` or `ingest`, with the stamp: for one who will look again later. A folder's stamp
  /// vouches for nothing; its members' do.
  /// - Parameter remembersStamps: false for one who remembers them himself.
  public func examine(
    _ path: String, keepingBytes: Bool = false, remembersStamps: Bool = true
  ) throws -> Examined? {
    guard Files.exists(path) else { return nil }
    return try Intake(
      store: self, keepsBytes: keepingBytes, trustsStamps: true, remembersStamps: remembersStamps
    ).examine(path)
  }

  /// The artifact at `path` as the workspace has it, without keeping its bytes; `nil` when nothing
  /// is there.
  /// - Parameter trustsStamps: false to read every byte, for an audit.
  public func identify(_ path: String, trustsStamps: Bool = true) throws -> Artifact? {
    guard Files.exists(path) else { return nil }
    return try Intake(store: self, keepsBytes: false, trustsStamps: trustsStamps).take(path)
  }

  /// Keeps an object whose bytes are in memory, and tells where it is.
  func keep(_ identity: Identity, _ bytes: [UInt8]) throws -> ObjectPlace {
    if let place = try soundPlace(of: identity) { return place }
    if bytes.count < PackFormat.limit { return try bytes.withUnsafeBytes { try pack(identity, $0) } }
    try prepareToWrite()
    let temporary = try temporaryPath()
    try writeNew(temporary) { try Files.writeAll(bytes, to: $0, path: temporary) }
    try pending.add(file: temporary, identity)
    return .alone(.none)
  }

  /// Adds a small object that the store does not have.
  func pack(_ identity: Identity, _ bytes: UnsafeRawBufferPointer) throws -> ObjectPlace {
    try prepareToWrite()
    switch try pending.add(identity, bytes) {
    case .packed(let pack, let offset): return .packed(pack: pack, offset: offset)
    case .alone: return .alone(.none)
    }
  }

  /// Makes a file of its own by `body`, and removes it when that fails.
  func writeNew<T>(_ path: String, _ body: (Int32) throws -> T) throws -> T {
    let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o444)
    guard descriptor >= 0 else { throw Failure.system("create", path: path, errno: errno) }
    do {
      let value = try body(descriptor)
      // A file system may tell of a failed write only here.
      guard close(descriptor) == 0 else { throw Failure.system("close", path: path, errno: errno) }
      return value
    } catch {
      close(descriptor)
      unlink(path)
      throw error
    }
  }
}

/// How files become identities in one ingest: with or without keeping their bytes, with or without
/// believing what is remembered of them.
struct Intake: Sendable {
  let store: Store
  let keepsBytes: Bool
  let trustsStamps: Bool
  var remembersStamps = true

  /// What a file was found to be.
  struct Found {
    var identity: Identity
    /// Where its object is, if it was kept.
    var place: ObjectPlace?
    var stamp: Stamp
    /// A moment at which bytes and stamp belonged together; 0 when the stamp vouches for nothing.
    var hashedAt: Int64
  }

  func take(_ path: String) throws -> Artifact { try examine(path).artifact }

  func examine(_ path: String) throws -> Store.Examined {
    let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT { throw Failure(.user, "no-such-file", "there is no '\(path)'") }
      if errno == ENXIO { throw Intake.special(path) }
      throw Failure.system("open", path: path, errno: errno)
    }
    let file = OpenFile(descriptor, path: path)
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw Failure.system("fstat", path: path, errno: errno) }
    switch status.st_mode & S_IFMT {
    case S_IFREG:
      let found = try self.file(file)
      let artifact = Artifact(kind: status.st_mode & 0o100 != 0 ? .executable : .file, identity: found.identity)
      return Store.Examined(artifact: artifact, stamp: found.stamp, hashedAt: found.hashedAt)
    case S_IFDIR:
      let artifact = Artifact(kind: .folder, identity: try FolderWalk(self, root: file).take())
      return Store.Examined(artifact: artifact, stamp: Stamp(status), hashedAt: 0)
    default: throw Intake.special(path)
    }
  }

  static func special(_ path: String) -> Failure {
    Failure(
      .user, "special-file", "'\(path)' is a FIFO, a socket or a device, which has no content to keep",
      hint: "remove it from the folder, or name the files you mean")
  }

  static func changing(_ path: String) -> Failure {
    Failure(
      .user, "changing-file", "'\(path)' changed while it was being read", hint: "run again when nothing writes to it")
  }

  /// A regular file of any size.
  func file(_ file: OpenFile) throws -> Found {
    let stamp = try Stamp(descriptor: file.descriptor, path: file.path)
    if let known = try known(stamp) { return known }
    // A read lease is refused while anybody can write, even through a mapping that touches no
    // time stamp; such a file is read, but its stamp is not trusted later.
    let lease = lemma_lease_read(file.descriptor)
    let before = try Stamp(descriptor: file.descriptor, path: file.path)
    let moment = now()
    let (identity, place) = try read(file, size: before.size)
    let wasBroken = lease == 0 && lemma_lease_release(file.descriptor) != 0
    guard try Stamp(descriptor: file.descriptor, path: file.path) == before, identity.size == UInt64(before.size) else {
      throw Intake.changing(file.path)
    }
    let isQuiet = lease != EAGAIN && !wasBroken
    if isQuiet, remembersStamps {
      store.pending.remember(FileStamp(stamp: before, hashedAt: moment, identity: identity))
    }
    return Found(identity: identity, place: place, stamp: before, hashedAt: isQuiet ? moment : 0)
  }

  /// What an unchanged stamp vouches for, if the store can serve it.
  private func known(_ stamp: Stamp) throws -> Found? {
    guard trustsStamps, let identity = try store.pending.identity(of: stamp) ?? store.index.identity(of: stamp) else {
      return nil
    }
    let place = keepsBytes ? try store.soundPlace(of: identity) : nil
    if keepsBytes, place == nil { return nil }
    let settled = max(stamp.modified, stamp.changed) + Stamp.youth + 1
    return Found(identity: identity, place: place, stamp: stamp, hashedAt: settled)
  }

  private func read(_ file: OpenFile, size: Int64) throws -> (Identity, ObjectPlace?) {
    if size < PackFormat.limit {
      var bytes: [UInt8] = []
      var hasher = ContentHasher()
      try hasher.update(readingFrom: file.descriptor, path: file.path) { bytes.append(contentsOf: $0) }
      let identity = hasher.finish()
      if identity.size >= UInt64(PackFormat.limit) { throw Intake.changing(file.path) }
      return (identity, keepsBytes ? try store.keep(identity, bytes) : nil)
    }
    let key = try store.index.fingerprintKey()
    if let found = try recognise(file, size: size, key: key) { return found }
    let hashing = FileHashing(descriptor: file.descriptor, path: file.path)
    let names: (identity: Identity, fingerprint: Fingerprint?)
    var place: ObjectPlace?
    if keepsBytes {
      try store.prepareToWrite()
      try checkRoom(for: size, of: file.path)
      let temporary = try store.temporaryPath()
      names = try store.writeNew(temporary) { try hashing.copy(to: $0, shown: temporary, key: key) }
      place = try store.soundPlace(of: names.identity)
      if place != nil {
        unlink(temporary)
      } else {
        try store.pending.add(file: temporary, names.identity)
        place = .alone(.none)
      }
    } else {
      names = try hashing.names(key: key)
    }
    if let fingerprint = names.fingerprint {
      store.pending.remember { $0.fingerprints.append((fingerprint, names.identity)) }
    }
    return (names.identity, place)
  }

  /// Finds a large file's names by its fingerprint, when its bytes were seen before.
  private func recognise(_ file: OpenFile, size: Int64, key: FingerprintKey) throws -> (Identity, ObjectPlace?)? {
    guard trustsStamps, size >= FileHashing.large, try store.index.hasFingerprint(ofSize: size),
      let fingerprint = try Fingerprint.of(
        descriptor: file.descriptor, size: UInt64(size), key: key, path: file.path),
      let identity = try store.index.identity(of: fingerprint, size: size)
    else { return nil }
    guard keepsBytes else { return (identity, nil) }
    return try store.soundPlace(of: identity).map { (identity, $0) }
  }

  /// Refuses a file that cannot fit before it fills the disk.
  private func checkRoom(for size: Int64, of path: String) throws {
    var room = statvfs()
    guard size >= 64 << 20, statvfs(store.root, &room) == 0 else { return }
    let free = Int64(clamping: UInt64(room.f_bavail) * UInt64(room.f_frsize))
    guard size > free else { return }
    throw Failure(
      .store, "no-room", "'\(path)' has \(size) bytes, and the store's disk has \(free) free",
      hint: "free some space, or choose another store with --store")
  }
}
