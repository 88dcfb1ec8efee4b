import Glibc
import LemmaBasics
import LemmaHash

/// An open file, closed with its last reference.
final class OpenFile {
  let descriptor: Int32
  let path: String

  init(_ descriptor: Int32, path: String) {
    self.descriptor = descriptor
    self.path = path
  }

  deinit { close(descriptor) }
}

/// An object opened for reading.
enum OpenObject {
  /// From a pack, and compared with both names already.
  case bytes([UInt8])
  /// A file of its own, still to be compared.
  case file(OpenFile)
}

/// Getting at an object's bytes, and putting aside those that are not its own.
extension Store {
  /// - Throws: `ObjectFault` when it is missing, or is in a pack and altered there.
  func open(_ identity: Identity, quarantines: Bool = true) throws -> OpenObject {
    switch pending.place(of: identity) {
    case .packed(let pack, let offset):
      try pending.writeOut(pack: pack)
      return .bytes(try packed(identity, in: pack, at: offset, quarantines: quarantines))
    case .alone(let temporary):
      // A flush may have renamed it in between: then it is where it belongs.
      if let file = try openFile(temporary, identity, quarantines: quarantines) { return .file(file) }
    case nil:
      if case .packed(let pack, let offset) = try index.place(of: identity) {
        return .bytes(try packed(identity, in: pack, at: offset, quarantines: quarantines))
      }
    }
    guard let file = try openFile(path(of: identity), identity, quarantines: quarantines) else {
      throw ObjectFault(identity: identity, reason: .missing)
    }
    return .file(file)
  }

  private func packed(
    _ identity: Identity, in pack: Int64, at offset: Int64, quarantines: Bool
  ) throws -> [UInt8] {
    guard let file = try openPacks.file(pack) else {
      // Packs may have been merged since the index was asked.
      if case .packed(let other, let place) = try index.place(of: identity), other != pack {
        return try packed(identity, in: other, at: place, quarantines: quarantines)
      }
      throw ObjectFault(identity: identity, reason: .missing)
    }
    let bytes = try file.read(Int(identity.size), at: offset)
    if Identity(of: bytes) == identity { return bytes }
    if quarantines, !index.isReadOnly {
      try keepAside(bytes, of: identity)
      try index.forget([identity])
    }
    throw ObjectFault(identity: identity, reason: .altered)
  }

  /// Opens an object's own file; `nil` when there is none. What stands at its place and is no regular
  /// file, or of another size, is altered.
  private func openFile(_ path: String, _ identity: Identity, quarantines: Bool) throws -> OpenFile? {
    let descriptor = Glibc.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT { return nil }
      if errno == ELOOP || errno == ENXIO { throw try altered(identity, quarantines: quarantines) }
      throw Failure.system("open", path: path, errno: errno)
    }
    let file = OpenFile(descriptor, path: path)
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
      UInt64(status.st_size) == identity.size
    else { throw try altered(identity, quarantines: quarantines) }
    return file
  }

  /// Both names of a file's bytes, from its start to its end.
  func hash(_ file: OpenFile) throws -> Identity {
    try FileHashing(descriptor: file.descriptor, path: file.path).identity(key: try index.fingerprintKey())
  }

  /// The fault of an altered object in a file of its own, which is put aside first.
  func altered(_ identity: Identity, quarantines: Bool = true) throws -> ObjectFault {
    if quarantines, !index.isReadOnly { try quarantine(identity) }
    return ObjectFault(identity: identity, reason: .altered)
  }

  /// Moves an altered object out of the way, where a person can look at it and nothing serves it.
  private func quarantine(_ identity: Identity) throws { try quarantine(file: path(of: identity), of: identity) }

  /// The same for a file of the store that may be no known object's.
  func quarantine(file path: String, of identity: Identity?) throws {
    let target = quarantinePath(Files.name(path))
    guard rename(path, target) == 0 || errno == ENOENT else {
      throw Failure.system("rename", path: path, errno: errno)
    }
    if let identity { try index.forget([identity]) }
  }

  /// Keeps a copy of what a pack holds instead of an object.
  func keepAside(_ bytes: [UInt8], of identity: Identity) throws {
    try Files.write(bytes, to: quarantinePath(Files.name(Store.name(of: identity))))
  }

  private func quarantinePath(_ name: String) -> String {
    var target = "\(root)/quarantine/\(name)"
    while Files.exists(target) { target += "+" }
    return target
  }
}
