import Glibc
import LemmaBasics
import LemmaHash
import Synchronization

/// What the store remembers beside its objects, in one SQLite file that is opened when it is first
/// asked. Where objects are can be found again in the store, results in the ledger; the rest is found
/// by hashing and running.
public final class Index: @unchecked Sendable {
  static let schemaVersion: Int64 = 2

  private let path: String
  /// Called with the lock on opening held, when the index is new or was damaged, to find the objects
  /// again that the store already has.
  private let fill: @Sendable (Database) throws -> Void
  // One connection, guarded by the lock: hence @unchecked.
  private var opened: Database?
  private var secret: FingerprintKey?
  private let lock = Mutex(())
  /// Whether the store can only be read. Then nothing is remembered.
  let isReadOnly: Bool

  init(path: String, isReadOnly: Bool, fill: @escaping @Sendable (Database) throws -> Void) {
    self.path = path
    self.isReadOnly = isReadOnly
    self.fill = fill
  }

  /// Runs `body` with the connection, alone.
  func locked<T>(_ body: (Database) throws -> T) throws -> T {
    try lock.withLock { _ in
      let database = try opened ?? open()
      return try body(database)
    }
  }

  /// Runs `body` in one transaction. On a store that can only be read, nothing is done.
  func update(_ body: (Database) throws -> Void) throws {
    if isReadOnly { return }
    try locked { database in try database.transaction { try body(database) } }
  }

  // MARK: Opening

  private func open() throws -> Database {
    if isReadOnly {
      opened = try openReadOnly()
    } else if let database = try openCurrent() {
      opened = database
    } else {
      opened = try make()
    }
    guard let database = opened else { throw Failure(.internal, "index", "the index was not opened") }
    return database
  }

  private func openReadOnly() throws -> Database {
    guard Files.exists(path) else {
      throw Failure(
        .store, "index", "the store of '\(path)' has no index, and is read-only", hint: "make it writable once")
    }
    // Rows in a log that was not merged are seen only beside its shared memory.
    let log = Stamp.of("\(path)-wal")
    let database = try Database(path: path, mode: (log?.size ?? 0) > 0 ? .readOnly : .immutable)
    let version = try Index.version(database)
    try refuseNewer(version)
    guard version == Index.schemaVersion else {
      throw Failure(
        .store, "index-older", "the index '\(path)' is of version \(version) and its store is read-only",
        hint: "make the store writable once, so that it can be brought up to date")
    }
    return database
  }

  /// The index as it stands, if it is of this version and whole.
  private func openCurrent() throws -> Database? {
    guard Files.exists(path) else { return nil }
    do {
      let database = try Database(path: path, mode: .writable)
      let version = try Index.version(database)
      try refuseNewer(version)
      return version == Index.schemaVersion ? database : nil
    } catch let failure as Failure where failure.code == Database.damaged {
      return nil
    }
  }

  /// Makes, mends or brings up to date. One process at a time: SQLite gives up at once, without
  /// waiting, where two would switch a new index's journal mode together.
  private func make() throws -> Database {
    guard let opening = try FileLock.take("\(Files.parent(path))/locks/opening", pollEvery: 0.002) else {
      throw Failure(.internal, "lock", "the lock on opening the index was not given")
    }
    defer { withExtendedLifetime(opening) {} }
    if let database = try openCurrent() { return database }
    try putDamagedAside()
    let database = try Database(path: path, mode: .writable)
    let version = try Index.version(database)
    try database.transaction {
      if version == 1 { try database.script("DROP TABLE stamps; DROP TABLE objects;") }
      try database.script(Index.schema)
      try database.run(
        "INSERT OR IGNORE INTO secrets VALUES ('fingerprint', ?)", [.blob(FingerprintKey.random().bytes)])
    }
    if version == 0 { try fill(database) }
    return database
  }

  private func putDamagedAside() throws {
    guard Files.exists(path) else { return try forgetLog() }
    do {
      _ = try Index.version(try Database(path: path, mode: .writable))
    } catch let failure as Failure where failure.code == Database.damaged {
      _ = try putAside()
    }
  }

  private func putAside() throws -> String {
    var aside = "\(path).damaged"
    while Files.exists(aside) { aside += "+" }
    guard rename(path, aside) == 0 else { throw Failure.system("rename", path: path, errno: errno) }
    try forgetLog()
    return aside
  }

  /// A log without its index belongs to nothing, and would be taken for the new one's.
  private func forgetLog() throws {
    for suffix in ["-wal", "-shm"] { try Files.remove(path + suffix) }
  }

  /// Closes the index, and where it is damaged puts it aside and makes a new one. The caller has the
  /// store alone.
  /// - Returns: where the damaged one is now.
  func renew() throws -> String? {
    try lock.withLock { _ in
      opened = nil
      secret = nil
      guard Files.exists(path) else {
        opened = try make()
        return nil
      }
      var isWhole = false
      do {
        let database = try Database(path: path, mode: .writable)
        try refuseNewer(try Index.version(database))
        isWhole = try database.query("PRAGMA quick_check(1)") { $0.text(0) } == ["ok"]
      } catch let failure as Failure where failure.code == Database.damaged {
        isWhole = false
      }
      let aside = isWhole ? nil : try putAside()
      opened = try open()
      return aside
    }
  }

  func packedCount() throws -> Int {
    try locked { try $0.query("SELECT count(*) FROM packed") { Int($0.integer(0)) }.first ?? 0 }
  }

  private static func version(_ database: Database) throws -> Int64 {
    try database.query("PRAGMA user_version") { $0.integer(0) }.first ?? 0
  }

  private func refuseNewer(_ version: Int64) throws {
    guard version > Index.schemaVersion else { return }
    throw Failure(
      .store, "index-newer", "the index '\(path)' is of version \(version); this lemma knows \(Index.schemaVersion)",
      hint: "use a newer lemma")
  }

  private static let schema = """
    CREATE TABLE IF NOT EXISTS stamps (
      device INTEGER NOT NULL, inode INTEGER NOT NULL, size INTEGER NOT NULL, modified INTEGER NOT NULL,
      changed INTEGER NOT NULL, hashed_at INTEGER NOT NULL, name BLOB NOT NULL,
      PRIMARY KEY (device, inode)) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS censuses (
      device INTEGER NOT NULL, inode INTEGER NOT NULL, census BLOB NOT NULL,
      PRIMARY KEY (device, inode)) STRICT;
    CREATE TABLE IF NOT EXISTS fingerprints (
      fingerprint BLOB PRIMARY KEY, name BLOB NOT NULL, size INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS fingerprint_sizes ON fingerprints (size);
    CREATE TABLE IF NOT EXISTS objects (
      name BLOB PRIMARY KEY, device INTEGER NOT NULL, inode INTEGER NOT NULL, size INTEGER NOT NULL,
      modified INTEGER NOT NULL, changed INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS packs (
      pack INTEGER PRIMARY KEY, device INTEGER NOT NULL, inode INTEGER NOT NULL, size INTEGER NOT NULL,
      modified INTEGER NOT NULL, changed INTEGER NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS packed (
      name BLOB PRIMARY KEY, size INTEGER NOT NULL, pack INTEGER NOT NULL, place INTEGER NOT NULL)
      STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS holdings (name BLOB PRIMARY KEY, holding BLOB NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY, secret BLOB NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS workspaces (path TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS results (
      key TEXT PRIMARY KEY, document_seal TEXT NOT NULL, result TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS last_actions (
      workspace TEXT NOT NULL, pipeline TEXT NOT NULL, stage TEXT NOT NULL, document TEXT NOT NULL,
      PRIMARY KEY (workspace, pipeline, stage)) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS ledger_heads (
      ledger TEXT PRIMARY KEY, head TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS places (
      workspace TEXT NOT NULL, path TEXT NOT NULL, PRIMARY KEY (workspace, path)) STRICT, WITHOUT ROWID;
    PRAGMA user_version = 2;
    """

  /// The key of this store's fingerprints.
  func fingerprintKey() throws -> FingerprintKey {
    try locked { database in
      if let secret { return secret }
      let stored = try database.query("SELECT secret FROM secrets WHERE name = 'fingerprint'") { $0.blob(0) }.first
      // A key that cannot be read makes nothing known again, which costs time and nothing else.
      let key = stored.flatMap { FingerprintKey(bytes: $0) } ?? FingerprintKey.random()
      secret = key
      return key
    }
  }
}

extension Stamp {
  /// As the index keeps it.
  var columns: [Int64] {
    [Int64(bitPattern: device), Int64(bitPattern: inode), size, modified, changed]
  }

  /// Reads `columns` from a row, the first at `column`.
  init(_ row: Row, from column: Int32) {
    self.init(
      device: UInt64(bitPattern: row.integer(column)), inode: UInt64(bitPattern: row.integer(column + 1)),
      size: row.integer(column + 2), modified: row.integer(column + 3), changed: row.integer(column + 4))
  }
}
