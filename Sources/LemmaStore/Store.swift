import Glibc
import LemmaBasics
import LemmaHash
import Synchronization

/// The content-addressed store under `cache/`: objects, the index beside them, locks and scratch
/// folders. Formats and crash rules: `docs/formats.md`.
public final class Store: Sendable {
  public let root: String
  public let index: Index
  let pending: Pending
  let openPacks: OpenPacks
  /// How much a flush has made durable; see `Pending.mark`.
  let flushed = Mutex<UInt64>(0)
  private let temporary = Mutex<TemporaryFolder?>(nil)
  /// Held shared from the first write on: a collection waits for its end.
  private let use = Mutex<FileLock?>(nil)
  private let device: UInt64
  private let inode: UInt64

  static let formatText = "lemma store 2\n"
  private static let firstFormatText = "lemma store 1\n"

  /// Opens the store at `root`, making it when there is none. An existing store costs two system calls
  /// or three; its index is opened when it is first asked.
  /// - Throws: `Failure` when the folder is of another format, another user's or open to others' writes,
  ///   or cannot be made.
  public init(at root: String) throws {
    self.root = root
    let isMade = try Store.check(root)
    if !isMade { try Store.make(root) }
    var status = stat()
    guard stat(root, &status) == 0 else { throw Failure.system("stat", path: root, errno: errno) }
    try Store.checkOwner(status, root)
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
    let isReadOnly = access(root, W_OK) != 0 && (errno == EROFS || errno == EACCES)
    index = Index(path: "\(root)/index.sqlite", isReadOnly: isReadOnly) { database in
      try Store.adopt(Store.packsOnDisk(root), in: root, database)
    }
    pending = Pending(root: root)
    openPacks = OpenPacks(root: root)
  }

  deinit {
    // What is only remembered, such as the stamps that a status found. Whoever promised durability
    // flushed before.
    try? flush()
  }

  // MARK: Opening

  /// Whether there is a store of this version; one of the first is brought up to date.
  private static func check(_ root: String) throws -> Bool {
    let format = "\(root)/format"
    guard Files.exists(format) else { return false }
    switch try Files.readText(format) {
    case formatText: return true
    // The first version is this one without packs.
    case firstFormatText: return access(root, W_OK) != 0 && errno == EROFS
    default:
      throw Failure(.store, "store-format", "'\(root)' is not a store of this version", hint: "see '\(format)'")
    }
  }

  private static func checkOwner(_ status: stat, _ root: String) throws {
    guard status.st_uid == geteuid() else {
      throw Failure(
        .store, "foreign-store", "the store '\(root)' belongs to another user (number \(status.st_uid))",
        hint: "choose a store of your own with --store")
    }
    // A folder that is yet to become a store may be open to its group, as a common umask makes it.
    let others: mode_t = Files.exists("\(root)/format") ? 0o022 : 0o002
    guard status.st_mode & others == 0 else {
      throw Failure(
        .store, "open-store", "other users may write to the store '\(root)'",
        hint: "chmod 700 '\(root)'; then 'lemma verify' tells whether they altered an object")
    }
  }

  private static func make(_ root: String) throws {
    let isNew = !Files.exists(root)
    try Files.makeFolder(root)
    var status = stat()
    guard stat(root, &status) == 0 else { throw Failure.system("stat", path: root, errno: errno) }
    try checkOwner(status, root)
    if isNew || Files.exists("\(root)/format") { try makePrivate(root) }
    for folder in ["objects", "packs", "censuses", "actions", "locks", "tmp", "quarantine"] {
      try Files.makeFolder("\(root)/\(folder)")
    }
    guard let opening = try FileLock.take("\(root)/locks/opening", pollEvery: 0.002) else {
      throw Failure(.internal, "lock", "the store's lock was not given")
    }
    defer { withExtendedLifetime(opening) {} }
    if try check(root) { return }
    // Backup tools and indexers skip a folder with this tag: https://bford.info/cachedir/
    try Files.write(Array("Signature: 8a477f597d28d172789f06886806bc55\n".utf8), to: "\(root)/CACHEDIR.TAG")
    // Results are not for version control, whatever the project's own rules say.
    if !Files.exists("\(root)/.gitignore") { try Files.write(Array("*\n".utf8), to: "\(root)/.gitignore") }
    try Files.write(Array(formatText.utf8), to: "\(root)/format", durable: true)
    // An empty folder that was there before has become a store.
    try makePrivate(root)
  }

  /// Others must not read it either: the index holds the secret of the fingerprints.
  private static func makePrivate(_ root: String) throws {
    guard chmod(root, 0o700) == 0 else { throw Failure.system("chmod", path: root, errno: errno) }
  }

  /// Whether the store can only be read.
  public var isReadOnly: Bool { index.isReadOnly }

  /// A fresh path on the store's file system, for something that is then renamed to its place. What is
  /// left there goes with this process, or is swept later.
  public func scratchPath() throws -> String {
    try prepareToWrite()
    return try temporaryPath()
  }

  /// Whether a folder is the store itself.
  func isRoot(device: UInt64, inode: UInt64) -> Bool { device == self.device && inode == self.inode }

  // MARK: Writing

  /// To be called before anything is written: takes the store into use, and puts in order what dead
  /// processes left.
  func prepareToWrite() throws {
    try use.withLock { use in
      if use != nil { return }
      if index.isReadOnly { throw readOnly() }
      use = try FileLock.share("\(root)/locks/use")
      _ = try sweep()
      try adoptStrays()
      try mergeSmallPacks()
    }
  }

  /// Takes the store alone: nobody else writes to it until the lock goes.
  /// - Throws: `Failure` of code `store-in-use` when others do not finish within some seconds.
  func useAlone() throws -> FileLock {
    use.withLock { $0 = nil }
    var tries = 0
    let lock = try FileLock.take("\(root)/locks/use") {
      tries += 1
      return tries > 50
    }
    guard let lock else {
      throw Failure(
        .store, "store-in-use", "another process writes to the store '\(root)'",
        hint: "try again when it is done")
    }
    return lock
  }

  func readOnly() -> Failure {
    Failure(
      .store, "store-read-only", "the store '\(root)' is read-only, so nothing can be taken into it",
      hint: "remount it writable, or choose another with --store")
  }

  /// Removes temporary folders that no living process holds.
  /// - Returns: how many there were.
  public func sweep() throws -> Int {
    var count = 0
    for name in try Files.list("\(root)/tmp") {
      let folder = "\(root)/tmp/\(name)"
      if let lock = try? FileLock.tryTake("\(folder)/\(TemporaryFolder.lockName)") {
        try Files.remove(folder)
        withExtendedLifetime(lock) {}
        count += 1
      } else if !Files.isFolder(folder) {
        try Files.remove(folder)
        count += 1
      }
    }
    return count
  }

  /// A fresh name for a temporary file of this process, inside the store's file system.
  public func temporaryPath(_ name: String? = nil) throws -> String {
    try temporary.withLock { folder in
      if folder == nil { folder = try TemporaryFolder(in: "\(root)/tmp") }
      return folder?.path(name) ?? ""
    }
  }

  // MARK: Names

  /// The file name of an object of its own, below `objects/`: XXH3-128, then the head of the seal, so
  /// that a forged pair with one XXH3-128 becomes two objects.
  static func name(of identity: Identity) -> String {
    let hex = identity.digest.hex
    return "\(hex.prefix(2))/\(hex.dropFirst(2))-\(identity.seal.hex.prefix(16))"
  }

  func path(of identity: Identity) -> String { "\(root)/objects/\(Store.name(of: identity))" }

  /// The folder in which an action runs; its holder has the action's lock.
  public func executionRoot(key: Digest) -> String { "\(root)/actions/\(key.hex)" }

  /// Takes the lock that lets one thread of one process execute an action.
  /// - Parameter waiting: told when somebody else has it.
  /// - Returns: `nil` when `isCancelled` turned true first.
  public func lock(action key: Digest, waiting: () -> Void, isCancelled: () -> Bool) throws -> FileLock? {
    if let lock = try tryLock(actionKey: key.hex) { return lock }
    waiting()
    var pause: UInt32 = 1000
    while !isCancelled() {
      usleep(pause)
      pause = min(pause * 2, 100_000)
      if let lock = try tryLock(actionKey: key.hex) { return lock }
    }
    return nil
  }

  /// The same without waiting.
  /// - Parameter key: in hexadecimal digits.
  public func tryLock(actionKey key: String) throws -> FileLock? {
    // Two keys with one byte wait for each other, and do no harm.
    let head = UInt64(key.prefix(16), radix: 16) ?? 0
    return try FileLock.tryTake("\(root)/locks/actions", byte: head >> 2)
  }
}
