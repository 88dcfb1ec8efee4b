import CLinux
import Glibc
import LemmaBasics
import LemmaHash

/// Giving bytes out: always as copies, and never before both names were compared.
extension Store {
  /// The bytes of an object.
  /// - Throws: `ObjectFault` when it is missing or altered.
  public func read(_ identity: Identity) throws -> [UInt8] {
    close(try openObject(identity))
    let bytes = try Files.read(path(of: identity))
    guard Identity(of: bytes) == identity else { throw try altered(identity) }
    return bytes
  }

  /// The manifest of a folder.
  public func tree(_ identity: Identity) throws -> Tree { try Tree(parsing: try read(identity)) }

  /// Verifies an object and returns the path of its read-only file, for readers inside Lemma that
  /// need no copy.
  public func verifiedPath(_ identity: Identity) throws -> String {
    try verify(identity)
    return path(of: identity)
  }

  /// Writes an artifact to `path`, where nothing may stand yet; folders above it are made.
  /// - Throws: `ObjectFault` when an object is missing or altered; what was written is removed.
  public func materialise(_ artifact: Artifact, at path: String) throws {
    try Files.makeFolder(Files.parent(path))
    do {
      switch artifact.kind {
      case .file, .executable:
        try copy(artifact.identity, to: Array(path.utf8), isExecutable: artifact.kind == .executable)
      case .folder:
        let tree = try tree(artifact.identity)
        try makeFolder(Array(path.utf8))
        // The manifest's paths stay inside and every parent is a folder made here, so that no
        // link can lead a later entry out.
        for entry in tree.entries {
          let target = Array(path.utf8) + [UInt8(ascii: "/")] + entry.path
          switch entry.node {
          case .folder: try makeFolder(target)
          case .file(let identity, let isExecutable): try copy(identity, to: target, isExecutable: isExecutable)
          case .link(let destination): try makeLink(target, to: destination)
          }
        }
      }
    } catch {
      try? Files.remove(path)
      throw error
    }
  }

  private func copy(_ identity: Identity, to target: [UInt8], isExecutable: Bool) throws {
    let source = path(of: identity)
    let shown = String(decoding: target, as: UTF8.self)
    let input = try openObject(identity)
    defer { close(input) }
    let output = open(
      cString(target), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, isExecutable ? 0o755 : 0o644)
    guard output >= 0 else { throw Failure.system("create", path: shown, errno: errno) }
    defer { close(output) }
    let isCloned = lemma_reflink(input, output) == 0
    var hasher = ContentHasher()
    try hasher.update(readingFrom: input, path: source) { chunk in
      if !isCloned { try Files.writeAll(chunk, to: output, path: shown) }
    }
    guard hasher.finish() == identity else { throw try altered(identity) }
  }

  private func makeFolder(_ path: [UInt8]) throws {
    guard mkdir(cString(path), 0o755) == 0 else {
      throw Failure.system("mkdir", path: String(decoding: path, as: UTF8.self), errno: errno)
    }
  }

  private func makeLink(_ path: [UInt8], to destination: [UInt8]) throws {
    guard symlink(cString(destination), cString(path)) == 0 else {
      throw Failure.system("symlink", path: String(decoding: path, as: UTF8.self), errno: errno)
    }
  }

  private func cString(_ bytes: [UInt8]) -> [CChar] { bytes.map { CChar(bitPattern: $0) } + [0] }
}
