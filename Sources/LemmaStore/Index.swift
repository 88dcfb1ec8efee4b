import LemmaBasics
import LemmaHash
import Synchronization

/// What the store remembers beside its objects: file stamps, object stamps, action results and the
/// last action of every stage. All of it can be found again by hashing and running.
public final class Index: @unchecked Sendable {
  static let schemaVersion: Int64 = 1

  // One connection, guarded by the lock: hence @unchecked.
  private let database: Database
  private let lock = Mutex(())

  init(path: String) throws {
    database = try Database(path: path)
    let version = try database.query("PRAGMA user_version") { $0.integer(0) }.first ?? 0
    guard version <= Index.schemaVersion else {
      throw Failure(
        .store, "index-newer", "the index '\(path)' is of version \(version); this lemma knows \(Index.schemaVersion)",
        hint: "use a newer lemma")
    }
    if version == 0 { try database.transaction { try database.script(Index.schema) } }
  }

  private static let schema = """
    CREATE TABLE IF NOT EXISTS stamps (
      device INTEGER NOT NULL, inode INTEGER NOT NULL, size INTEGER NOT NULL, modified INTEGER NOT NULL,
      changed INTEGER NOT NULL, hashed_at INTEGER NOT NULL, xxh3 BLOB NOT NULL, sha256 TEXT NOT NULL,
      PRIMARY KEY (device, inode)) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS objects (
      name TEXT PRIMARY KEY, device INTEGER NOT NULL, inode INTEGER NOT NULL, size INTEGER NOT NULL,
      modified INTEGER NOT NULL, changed INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS results (
      key TEXT PRIMARY KEY, document_seal TEXT NOT NULL, result TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS last_actions (
      workspace TEXT NOT NULL, pipeline TEXT NOT NULL, stage TEXT NOT NULL, document TEXT NOT NULL,
      PRIMARY KEY (workspace, pipeline, stage)) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS ledger_heads (
      ledger TEXT PRIMARY KEY, head TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS places (
      workspace TEXT NOT NULL, path TEXT NOT NULL, PRIMARY KEY (workspace, path)) STRICT, WITHOUT ROWID;
    PRAGMA user_version = 1;
    """

  private func locked<T>(_ body: () throws -> T) rethrows -> T {
    try lock.withLock { _ in try body() }
  }

  // MARK: File stamps

  /// The identity of the file behind `stamp`, when it was hashed before and cannot have changed since.
  func identity(of stamp: Stamp) throws -> Identity? {
    try locked {
      try database.query(
        "SELECT size, modified, changed, hashed_at, xxh3, sha256 FROM stamps WHERE device = ? AND inode = ?",
        [.integer(Int64(bitPattern: stamp.device)), .integer(Int64(bitPattern: stamp.inode))]
      ) { row -> Identity? in
        guard row.integer(0) == stamp.size, row.integer(1) == stamp.modified, row.integer(2) == stamp.changed,
          !stamp.isRacy(hashedAt: row.integer(3))
        else { return nil }
        return Index.identity(size: stamp.size, digest: row.blob(4), seal: row.text(5))
      }.first ?? nil
    }
  }

  private static func identity(size: Int64, digest: [UInt8], seal: String) -> Identity? {
    guard digest.count == 16, let seal = Seal(hex: seal) else { return nil }
    func word(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
    let digest = Digest(high: word(digest[..<8]), low: word(digest[8...]), size: UInt64(size))
    return Identity(digest: digest, seal: seal)
  }

  func record(_ stamps: [(stamp: Stamp, hashedAt: Int64, identity: Identity)]) throws {
    guard !stamps.isEmpty else { return }
    try locked {
      try database.transaction {
        for (stamp, hashedAt, identity) in stamps {
          try database.run(
            "INSERT OR REPLACE INTO stamps VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
              .integer(Int64(bitPattern: stamp.device)), .integer(Int64(bitPattern: stamp.inode)),
              .integer(stamp.size), .integer(stamp.modified), .integer(stamp.changed), .integer(hashedAt),
              .blob(identity.digest.bytes), .text(identity.seal.hex),
            ])
        }
      }
    }
  }

  // MARK: Object stamps

  func stamp(ofObject name: String) throws -> [Int64]? {
    try locked {
      try database.query(
        "SELECT device, inode, size, modified, changed FROM objects WHERE name = ?", [.text(name)]
      ) { row in (0..<5).map { row.integer($0) } }.first
    }
  }

  func record(objects: [(name: String, stamp: Stamp)]) throws {
    guard !objects.isEmpty else { return }
    try locked {
      try database.transaction {
        for (name, stamp) in objects {
          let columns = [SQLValue.text(name)] + stamp.columns.map(SQLValue.integer)
          try database.run("INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?)", columns)
        }
      }
    }
  }

  func forget(object name: String) throws {
    try locked { try database.run("DELETE FROM objects WHERE name = ?", [.text(name)]) }
  }

  // MARK: Action results

  /// The result recorded under an action key, if its document is the very same (by seal, so that
  /// two documents with one XXH3-128 are two actions). A row that cannot be read is as good as none.
  public func result(key: Digest, documentSeal: Seal) throws -> JSON? {
    try locked {
      try database.query(
        "SELECT result FROM results WHERE key = ? AND document_seal = ?", [.text(key.hex), .text(documentSeal.hex)]
      ) { try? JSON(parsing: $0.text(0).utf8, file: "result of action \(key.hex)") }.first ?? nil
    }
  }

  /// Records results in one transaction. `Store.flush` calls it, when what they refer to is durable.
  func record(results: [ActionRecord]) throws {
    guard !results.isEmpty else { return }
    try locked {
      try database.transaction {
        for record in results {
          try database.run(
            "INSERT OR REPLACE INTO results VALUES (?, ?, ?)",
            [.text(record.key.hex), .text(record.documentSeal.hex), .text(record.result.canonical)])
        }
      }
    }
  }

  // MARK: What came last

  /// The identity of the action document that a stage of a pipeline last had in a workspace.
  public func lastDocument(workspace: String, pipeline: String, stage: String) throws -> Identity? {
    try locked {
      try database.query(
        "SELECT document FROM last_actions WHERE workspace = ? AND pipeline = ? AND stage = ?",
        [.text(workspace), .text(pipeline), .text(stage)]
      ) { Artifact(json: try? JSON(parsing: $0.text(0).utf8, file: "last document of stage \(stage)"))?.identity }
      .first ?? nil
    }
  }

  public func record(
    lastDocuments: [(stage: String, document: Identity)], workspace: String, pipeline: String
  ) throws {
    guard !lastDocuments.isEmpty else { return }
    try locked {
      try database.transaction {
        for (stage, document) in lastDocuments {
          try database.run(
            "INSERT OR REPLACE INTO last_actions VALUES (?, ?, ?, ?)",
            [
              .text(workspace), .text(pipeline), .text(stage),
              .text(Artifact(kind: .file, identity: document).json.canonical),
            ])
        }
      }
    }
  }

  /// Whether an output was put at this path of a workspace before.
  public func isPlace(_ path: String, workspace: String) throws -> Bool {
    try locked {
      try database.query(
        "SELECT 1 FROM places WHERE workspace = ? AND path = ?", [.text(workspace), .text(path)]
      ) { _ in true }.first ?? false
    }
  }

  public func record(places paths: [String], workspace: String) throws {
    guard !paths.isEmpty else { return }
    try locked {
      try database.transaction {
        for path in paths {
          try database.run("INSERT OR IGNORE INTO places VALUES (?, ?)", [.text(workspace), .text(path)])
        }
      }
    }
  }

  /// The newest run commit that this store saw in a ledger: a ledger that does not contain it was
  /// rolled back.
  public func head(ofLedger ledger: String) throws -> String? {
    try locked {
      try database.query("SELECT head FROM ledger_heads WHERE ledger = ?", [.text(ledger)]) { $0.text(0) }.first
    }
  }

  public func record(head: String, ofLedger ledger: String) throws {
    try locked {
      try database.run("INSERT OR REPLACE INTO ledger_heads VALUES (?, ?)", [.text(ledger), .text(head)])
    }
  }
}

extension Stamp {
  var columns: [Int64] {
    [Int64(bitPattern: device), Int64(bitPattern: inode), size, modified, changed]
  }
}
