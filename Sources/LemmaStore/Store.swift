import Glibc
import LemmaBasics
import LemmaHash
import Synchronization

/// The content-addressed store under `cache/`: objects, the index beside them, locks and scratch
/// folders. Formats and crash rules: `docs/formats.md`.
public final class Store: Sendable {
  public let root: String
  public let index: Index
  private let temporary = Mutex<TemporaryFolder?>(nil)

  static let formatText = "lemma store 1\n"

  /// Opens the store at `root`, making it when there is none, and sweeps what dead processes left.
  /// - Throws: `Failure` when the folder is of another format or cannot be written.
  public init(at root: String) throws {
    self.root = root
    for folder in ["objects", "actions", "locks", "tmp", "quarantine"] {
      try Files.makeFolder("\(root)/\(folder)")
    }
    // One at a time: SQLite gives up at once, without waiting, where two would switch a new index's
    // journal mode together.
    guard let opening = try FileLock.take("\(root)/locks/opening", pollEvery: 0.002) else {
      throw Failure(.internal, "lock", "the store's lock was not given")
    }
    defer { withExtendedLifetime(opening) {} }
    let format = "\(root)/format"
    if Files.exists(format) {
      guard try Files.readText(format) == Store.formatText else {
        throw Failure(.store, "store-format", "'\(root)' is not a store of this version", hint: "see '\(format)'")
      }
    } else {
      // Backup tools and indexers skip a folder with this tag: https://bford.info/cachedir/
      try Files.write(Array("Signature: 8a477f597d28d172789f06886806bc55\n".utf8), to: "\(root)/CACHEDIR.TAG")
      // Results are not for version control, whatever the project's own rules say.
      if !Files.exists("\(root)/.gitignore") { try Files.write(Array("*\n".utf8), to: "\(root)/.gitignore") }
      try Files.write(Array(Store.formatText.utf8), to: format, durable: true)
    }
    index = try Index(path: "\(root)/index.sqlite")
    try sweep()
  }

  /// Removes temporary folders that no living process holds.
  private func sweep() throws {
    for name in try Files.list("\(root)/tmp") {
      let folder = "\(root)/tmp/\(name)"
      if let lock = try? FileLock.tryTake("\(folder)/\(TemporaryFolder.lockName)") {
        try Files.remove(folder)
        withExtendedLifetime(lock) {}
      } else if !Files.isFolder(folder) {
        try Files.remove(folder)
      }
    }
  }

  /// Whether a folder's status is that of the store itself.
  func isRoot(_ status: stat) throws -> Bool {
    var own = stat()
    guard stat(root, &own) == 0 else { throw Failure.system("stat", path: root, errno: errno) }
    return status.st_dev == own.st_dev && status.st_ino == own.st_ino
  }

  /// A fresh name for a temporary file of this process, inside the store's file system.
  func temporaryPath() throws -> String {
    try temporary.withLock { folder in
      if folder == nil { folder = try TemporaryFolder(in: "\(root)/tmp") }
      return folder?.next() ?? ""
    }
  }

  /// The file name of an object, below `objects/`: XXH3-128, then the head of the seal, so that a
  /// forged pair with one XXH3-128 becomes two objects.
  static func name(of identity: Identity) -> String {
    let hex = identity.digest.hex
    return "\(hex.prefix(2))/\(hex.dropFirst(2))-\(identity.seal.hex.prefix(16))"
  }

  func path(of identity: Identity) -> String { "\(root)/objects/\(Store.name(of: identity))" }

  /// The folder in which an action runs; its holder has the action's lock.
  public func executionRoot(key: Digest) -> String { "\(root)/actions/\(key.hex)" }

  /// Takes the lock that lets one process execute an action.
  /// - Parameter waiting: told who has it, when it is not free.
  /// - Returns: `nil` when `isCancelled` turned true first.
  public func lock(
    action key: Digest, waiting: (_ holder: String) -> Void, isCancelled: () -> Bool
  ) throws -> FileLock? {
    let path = "\(root)/locks/\(key.hex)"
    if let lock = try FileLock.tryTake(path) { return lock }
    waiting(FileLock.holder(path))
    return try FileLock.take(path, isCancelled: isCancelled)
  }
}
