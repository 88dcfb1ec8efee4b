import Glibc
import LemmaBasics
import LemmaHash

/// Whether an object is there and sound.
extension Store {
  /// True when the object's bytes are those of its name. An unchanged stamp answers without
  /// reading; any other is hashed, and an altered object goes into quarantine.
  public func isSound(_ identity: Identity, quarantines: Bool = true) throws -> Bool {
    var status = stat()
    guard lstat(path(of: identity), &status) == 0 else { return false }
    if try index.stamp(ofObject: Store.name(of: identity)) == Stamp(status).columns { return true }
    do {
      try verify(identity, quarantines: quarantines)
      return true
    } catch is ObjectFault {
      return false
    }
  }

  /// Whether a whole artifact is there and sound: for a folder its manifest and every file in it.
  public func isSound(_ artifact: Artifact, quarantines: Bool = true) throws -> Bool {
    guard try isSound(artifact.identity, quarantines: quarantines) else { return false }
    guard artifact.kind == .folder else { return true }
    return try tree(artifact.identity).files.allSatisfy { try isSound($0, quarantines: quarantines) }
  }

  /// Reads the whole object and compares both names, whatever its stamp says.
  /// - Parameter quarantines: false for one who only looks, such as an audit.
  /// - Throws: `ObjectFault` when it is missing or altered; an altered one goes into quarantine.
  public func verify(_ identity: Identity, quarantines: Bool = true) throws {
    let path = path(of: identity)
    let descriptor = try openObject(identity, quarantines: quarantines)
    defer { close(descriptor) }
    let before = try Stamp(descriptor: descriptor, path: path)
    var hasher = ContentHasher()
    try hasher.update(readingFrom: descriptor, path: path)
    guard hasher.finish() == identity else { throw try altered(identity, quarantines: quarantines) }
    if try Stamp(descriptor: descriptor, path: path) == before {
      try index.record(objects: [(Store.name(of: identity), before)])
    }
  }

  /// Opens an object for reading. What stands at its place and is no regular file is altered.
  func openObject(_ identity: Identity, quarantines: Bool = true) throws -> Int32 {
    let path = path(of: identity)
    let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT { throw ObjectFault(identity: identity, reason: .missing) }
      if errno == ELOOP || errno == ENXIO { throw try altered(identity, quarantines: quarantines) }
      throw Failure.system("open", path: path, errno: errno)
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw try altered(identity, quarantines: quarantines)
    }
    return descriptor
  }

  /// The fault of an altered object, which is put aside first.
  func altered(_ identity: Identity, quarantines: Bool = true) throws -> ObjectFault {
    if quarantines { try quarantine(identity) }
    return ObjectFault(identity: identity, reason: .altered)
  }

  /// Moves an altered object out of the way, where a person can look at it and nothing serves it.
  private func quarantine(_ identity: Identity) throws {
    let name = Store.name(of: identity)
    var target = "\(root)/quarantine/\(Files.name(name))"
    while Files.exists(target) { target += "+" }
    guard rename(path(of: identity), target) == 0 || errno == ENOENT else {
      throw Failure.system("rename", path: path(of: identity), errno: errno)
    }
    try index.forget(object: name)
  }
}

extension Tree {
  /// The identities of all its files.
  public var files: [Identity] {
    entries.compactMap { if case .file(let identity, _) = $0.node { identity } else { nil } }
  }
}
