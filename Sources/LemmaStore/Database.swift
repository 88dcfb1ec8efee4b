import CLinux
import CSQLite
import LemmaBasics
import LemmaHash

/// One SQLite connection: prepared statements with bound parameters, transactions, clear errors.
/// Knows nothing of what is stored. Not thread-safe: `Index` guards it.
final class Database {
  enum Mode {
    /// Made when there is none, in WAL mode with full synchronisation.
    case writable
    case readOnly
    /// On a read-only file system, where nobody can write and no shared memory can be made.
    case immutable
  }

  private let handle: OpaquePointer
  private let path: String
  private var statements: [String: OpaquePointer] = [:]

  /// - Throws: `Failure` when the file is not a database or cannot be opened.
  init(path: String, mode: Mode) throws {
    let (name, flags): (String, Int32) =
      switch mode {
      case .writable: (path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)
      case .readOnly: (path, SQLITE_OPEN_READONLY)
      case .immutable: ("file:\(Database.escaped(path))?immutable=1", SQLITE_OPEN_READONLY | SQLITE_OPEN_URI)
      }
    var opened: OpaquePointer?
    let code = sqlite3_open_v2(name, &opened, flags | SQLITE_OPEN_NOMUTEX, nil)
    guard code == SQLITE_OK, let opened else {
      let reason = opened.map { String(cString: sqlite3_errmsg($0)) } ?? "out of memory"
      sqlite3_close_v2(opened)
      throw Failure(.store, "index", "cannot open the index '\(path)': \(reason)")
    }
    handle = opened
    self.path = path
    sqlite3_busy_timeout(handle, 60_000)
    if mode == .writable {
      // Hosts that share a network file system do not share the log's memory.
      let journal = Database.isOnNetwork(path) ? "DELETE" : "WAL"
      try script("PRAGMA journal_mode = \(journal); PRAGMA synchronous = FULL; PRAGMA cache_size = -16000;")
    }
  }

  deinit {
    for statement in statements.values { sqlite3_finalize(statement) }
    sqlite3_close_v2(handle)
  }

  /// Whether other hosts may have the file open: NFS, SMB and CIFS, 9P, FUSE (sshfs and the like), Ceph,
  /// Lustre, GPFS, AFS, by their numbers in statfs(2).
  private static func isOnNetwork(_ path: String) -> Bool {
    let networks: Set<UInt32> = [
      0x6969, 0x517B, 0xFF53_4D42, 0xFE53_4D42, 0x0102_1997, 0x6573_5546, 0x00C3_6400, 0x0BD0_0BD0, 0x4750_4653,
      0x5346_414F,
    ]
    return networks.contains(lemma_file_system_type(path))
  }

  /// A path as the file part of a URI.
  private static func escaped(_ path: String) -> String {
    var text = ""
    for byte in path.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "-"),
        UInt8(ascii: "_"):
        text.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        let digits = String(byte, radix: 16, uppercase: true)
        text += "%" + (digits.utf8.count == 1 ? "0" : "") + digits
      }
    }
    return text
  }

  /// Runs statements without parameters.
  func script(_ sql: String) throws {
    guard sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else { throw failure() }
  }

  /// Runs `body` in one immediate transaction, rolled back when it throws.
  func transaction<T>(_ body: () throws -> T) throws -> T {
    try script("BEGIN IMMEDIATE")
    do {
      let value = try body()
      try script("COMMIT")
      return value
    } catch {
      try? script("ROLLBACK")
      throw error
    }
  }

  /// Runs one statement with its parameters and maps every row.
  @discardableResult
  func query<T>(_ sql: String, _ parameters: [SQLValue] = [], row: (Row) throws -> T) throws -> [T] {
    var rows: [T] = []
    try each(sql, parameters) { rows.append(try row($0)) }
    return rows
  }

  /// Runs one statement with its parameters and hands every row to `body`.
  func each(_ sql: String, _ parameters: [SQLValue] = [], _ body: (Row) throws -> Void) throws {
    let statement = try prepare(sql)
    defer {
      sqlite3_reset(statement)
      sqlite3_clear_bindings(statement)
    }
    for (offset, parameter) in parameters.enumerated() {
      guard parameter.bind(to: statement, at: Int32(offset + 1)) == SQLITE_OK else { throw failure() }
    }
    while true {
      switch sqlite3_step(statement) {
      case SQLITE_ROW: try body(Row(statement: statement))
      case SQLITE_DONE: return
      default: throw failure()
      }
    }
  }

  func run(_ sql: String, _ parameters: [SQLValue] = []) throws { try each(sql, parameters) { _ in } }

  private func prepare(_ sql: String) throws -> OpaquePointer {
    if let statement = statements[sql] { return statement }
    var statement: OpaquePointer?
    guard sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil) == SQLITE_OK,
      let statement
    else { throw failure() }
    statements[sql] = statement
    return statement
  }

  private func failure() -> Failure {
    let code = sqlite3_errcode(handle)
    let reason = String(cString: sqlite3_errmsg(handle))
    let hint: String? =
      switch code {
      case SQLITE_NOTADB, SQLITE_CORRUPT: "'lemma doctor' makes it anew from the store and the ledger"
      case SQLITE_FULL: "free some space and run again: finished work is kept"
      case SQLITE_IOERR: "look for trouble with the disk; finished work is kept"
      case SQLITE_BUSY: "another process holds the index; try again when it is done"
      case SQLITE_READONLY, SQLITE_CANTOPEN: "the store must be on a writable file system"
      default: nil
      }
    let isDamaged = code == SQLITE_NOTADB || code == SQLITE_CORRUPT
    return Failure(
      .store, isDamaged ? Database.damaged : "index", "the index '\(path)' failed: \(reason)", hint: hint)
  }

  /// The code of a failure that making the index anew would mend.
  static let damaged = "index-damaged"
}

/// A bound parameter.
enum SQLValue {
  case integer(Int64)
  case text(String)
  case blob([UInt8])

  fileprivate func bind(to statement: OpaquePointer, at index: Int32) -> Int32 {
    switch self {
    case .integer(let value): sqlite3_bind_int64(statement, index, value)
    case .text(let value): sqlite3_bind_text(statement, index, value, -1, lemma_sqlite_transient())
    case .blob(let value):
      value.withUnsafeBytes {
        sqlite3_bind_blob(statement, index, $0.baseAddress, Int32($0.count), lemma_sqlite_transient())
      }
    }
  }
}

/// The row a query stands on; columns count from 0.
struct Row {
  fileprivate let statement: OpaquePointer

  func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(statement, column) }

  func text(_ column: Int32) -> String {
    sqlite3_column_text(statement, column).map { String(cString: $0) } ?? ""
  }

  func blob(_ column: Int32) -> [UInt8] { bytes(column) { Array($0) } }

  /// The bytes of a blob, valid while `body` runs.
  func bytes<T>(_ column: Int32, _ body: (UnsafeRawBufferPointer) throws -> T) rethrows -> T {
    let base = sqlite3_column_blob(statement, column)
    return try body(UnsafeRawBufferPointer(start: base, count: Int(sqlite3_column_bytes(statement, column))))
  }

  /// The identity in a column of 48 bytes, with its size; `nil` for anything else.
  func identity(_ column: Int32, size: Int64) -> Identity? {
    bytes(column) {
      $0.count == Identity.storedSize && size >= 0 ? Identity(loading: $0, size: UInt64(size)) : nil
    }
  }
}
