import CLinux
import Glibc
import LemmaBasics
import LemmaHash

/// Taking bytes in: from the workspace, from a stage's execution root, from memory.
extension Store {
  /// Takes in the file or folder at `path` and returns its identity. A file whose stamp is known
  /// and not racy is not read again. A link at `path` itself is followed, since a person named it;
  /// links inside a folder are recorded as links.
  /// - Throws: `Failure` when something is missing, cannot be read, is a FIFO, socket or device,
  ///   or changes while it is being read.
  public func ingest(_ path: String) throws -> Artifact {
    let intake = Intake(self)
    let artifact = try intake.take(path)
    try intake.finish()
    return artifact
  }

  /// Takes in some bytes.
  public func put(_ bytes: [UInt8]) throws -> Identity {
    let publication = Publication(self)
    let identity = try publication.add(bytes)
    try publication.publish()
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
  public func examine(_ path: String, keepingBytes: Bool = false) throws -> Examined? {
    guard Files.exists(path) else { return nil }
    let intake = Intake(self, keepsBytes: keepingBytes, trustsStamps: true)
    let artifact = try intake.take(path)
    try intake.finish()
    let last = intake.last
    return Examined(artifact: artifact, stamp: last.stamp, hashedAt: artifact.kind == .folder ? 0 : last.hashedAt)
  }

  /// The artifact at `path` as the workspace has it, without keeping its bytes; `nil` when nothing
  /// is there.
  /// - Parameter trustsStamps: false to read every byte, for an audit.
  public func identify(_ path: String, trustsStamps: Bool = true) throws -> Artifact? {
    guard Files.exists(path) else { return nil }
    let intake = Intake(self, keepsBytes: false, trustsStamps: trustsStamps)
    let artifact = try intake.take(path)
    try intake.finish()
    return artifact
  }
}

/// One walk over a file or folder, collecting objects and stamps.
private final class Intake {
  private let store: Store
  private let publication: Publication
  private let keepsBytes: Bool
  private let trustsStamps: Bool
  private var stamps: [(stamp: Stamp, hashedAt: Int64, identity: Identity)] = []
  /// The file looked at last, as `Store.Examined` tells it.
  private(set) var last = (stamp: Stamp(device: 0, inode: 0, size: 0, modified: 0, changed: 0), hashedAt: Int64(0))

  init(_ store: Store, keepsBytes: Bool = true, trustsStamps: Bool = true) {
    self.store = store
    self.keepsBytes = keepsBytes
    self.trustsStamps = trustsStamps
    publication = Publication(store)
  }

  /// Objects first, then the stamps that vouch for them.
  func finish() throws {
    try publication.publish()
    try store.index.record(stamps)
  }

  func take(_ path: String) throws -> Artifact {
    let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT { throw Failure(.user, "no-such-file", "there is no '\(path)'") }
      if errno == ENXIO { throw special(path) }
      throw Failure.system("open", path: path, errno: errno)
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw Failure.system("fstat", path: path, errno: errno) }
    switch status.st_mode & S_IFMT {
    case S_IFREG:
      let identity = try file(descriptor, path: path)
      return Artifact(kind: status.st_mode & 0o100 != 0 ? .executable : .file, identity: identity)
    case S_IFDIR:
      var entries: [Tree.Entry] = []
      try folder(descriptor, path: path, prefix: [], into: &entries)
      let manifest = try Tree(entries).bytes
      let identity = keepsBytes ? try publication.add(manifest) : Identity(of: manifest)
      return Artifact(kind: .folder, identity: identity)
    default: throw special(path)
    }
  }

  private func special(_ path: String) -> Failure {
    Failure(
      .user, "special-file", "'\(path)' is a FIFO, a socket or a device, which has no content to keep",
      hint: "remove it from the folder, or name the files you mean")
  }

  private func folder(_ descriptor: Int32, path: String, prefix: [UInt8], into entries: inout [Tree.Entry]) throws {
    guard let stream = fdopendir(dup(descriptor)) else { throw Failure.system("opendir", path: path, errno: errno) }
    defer { closedir(stream) }
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
      if name == [UInt8(ascii: ".")] || name == Array("..".utf8) { continue }
      try child(name, of: descriptor, path: path, prefix: prefix, into: &entries)
    }
  }

  private func child(
    _ name: [UInt8], of parent: Int32, path: String, prefix: [UInt8], into entries: inout [Tree.Entry]
  ) throws {
    let cName = name.map { CChar(bitPattern: $0) } + [0]
    let shown = "\(path)/\(String(decoding: name, as: UTF8.self))"
    let place = prefix + name
    var status = stat()
    guard fstatat(parent, cName, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
      throw Failure.system("stat", path: shown, errno: errno)
    }
    switch status.st_mode & S_IFMT {
    case S_IFLNK:
      var target = [CChar](repeating: 0, count: 4096)
      let length = readlinkat(parent, cName, &target, target.count)
      guard length >= 0 else { throw Failure.system("readlink", path: shown, errno: errno) }
      entries.append(Tree.Entry(path: place, node: .link(target: target[..<length].map { UInt8(bitPattern: $0) })))
    case S_IFREG, S_IFDIR:
      let isFile = status.st_mode & S_IFMT == S_IFREG
      if !isFile, try store.isRoot(status) {
        throw Failure(
          .user, "store-inside", "'\(path)' contains the store, which cannot be kept in itself",
          hint: "name the files or folders you mean")
      }
      if isFile, let known = try known(Stamp(status)) {
        entries.append(Tree.Entry(path: place, node: .file(known, isExecutable: status.st_mode & 0o100 != 0)))
        return
      }
      let descriptor = openat(parent, cName, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
      guard descriptor >= 0 else { throw Failure.system("open", path: shown, errno: errno) }
      defer { close(descriptor) }
      if isFile {
        let identity = try file(descriptor, path: shown)
        entries.append(Tree.Entry(path: place, node: .file(identity, isExecutable: status.st_mode & 0o100 != 0)))
      } else {
        entries.append(Tree.Entry(path: place, node: .folder))
        try folder(descriptor, path: shown, prefix: place + [UInt8(ascii: "/")], into: &entries)
      }
    default: throw special(shown)
    }
  }

  /// The identity that an unchanged stamp vouches for, if the store can serve it.
  private func known(_ stamp: Stamp) throws -> Identity? {
    guard trustsStamps, let identity = try store.index.identity(of: stamp) else { return nil }
    return try !keepsBytes || store.isSound(identity) ? identity : nil
  }

  private func file(_ descriptor: Int32, path: String) throws -> Identity {
    let stamp = try Stamp(descriptor: descriptor, path: path)
    if let identity = try known(stamp) {
      last = (stamp, max(stamp.modified, stamp.changed) + Stamp.youth + 1)
      return identity
    }
    // A read lease is refused while anybody can write, even through a mapping that touches no
    // time stamp; such a file is read, but its stamp is not trusted later.
    let lease = lemma_lease_read(descriptor)
    let before = try Stamp(descriptor: descriptor, path: path)
    let moment = now()
    let identity = try read(descriptor, path: path)
    let wasBroken = lease == 0 && lemma_lease_release(descriptor) != 0
    let after = try Stamp(descriptor: descriptor, path: path)
    guard before == after, identity.size == UInt64(after.size) else {
      throw Failure(
        .user, "changing-file", "'\(path)' changed while it was being read",
        hint: "run again when nothing writes to it")
    }
    let isVouchedFor = lease != EAGAIN && !wasBroken
    if isVouchedFor { stamps.append((after, moment, identity)) }
    last = (after, isVouchedFor ? moment : 0)
    return identity
  }

  private func read(_ descriptor: Int32, path: String) throws -> Identity {
    if keepsBytes { return try publication.add(readingFrom: descriptor, path: path) }
    var hasher = ContentHasher()
    try hasher.update(readingFrom: descriptor, path: path)
    return hasher.finish()
  }
}
