import Glibc
import LemmaBasics
import LemmaHash

/// Whether an object is there and sound.
extension Store {
  /// True when the object's bytes are those of its name. An unchanged stamp answers without
  /// reading; any other is hashed, and an altered object goes into quarantine.
  public func isSound(_ identity: Identity) throws -> Bool {
    var status = stat()
    guard lstat(path(of: identity), &status) == 0 else { return false }
    if try index.stamp(ofObject: Store.name(of: identity)) == Stamp(status).columns { return true }
    do {
      try verify(identity)
      return true
    } catch is ObjectFault {
      return false
    }
  }

  /// Whether a whole artifact is there and sound: for a folder its manifest and every file in it.
  public func isSound(_ artifact: Artifact) throws -> Bool {
    guard try isSound(artifact.identity) else { return false }
    guard artifact.kind == .folder else { return true }
    return try tree(artifact.identity).files.allSatisfy { try isSound($0) }
  }

  /// Reads the whole object and compares both names, whatever its stamp says.
  /// - Throws: `ObjectFault` when it is missing or altered; an altered one goes into quarantine.
  public func verify(_ identity: Identity) throws {
    let path = path(of: identity)
    let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT { throw ObjectFault(identity: identity, reason: .missing) }
      throw Failure.system("open", path: path, errno: errno)
    }
    defer { close(descriptor) }
    let before = try Stamp(descriptor: descriptor, path: path)
    var hasher = ContentHasher()
    try hasher.update(readingFrom: descriptor, path: path)
    guard hasher.finish() == identity else {
      try quarantine(identity)
      throw ObjectFault(identity: identity, reason: .altered)
    }
    if try Stamp(descriptor: descriptor, path: path) == before {
      try index.record(objects: [(Store.name(of: identity), before)])
    }
  }

  /// Moves an altered object out of the way, where a person can look at it and nothing serves it.
  func quarantine(_ identity: Identity) throws {
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
