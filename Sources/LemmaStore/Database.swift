import CSQLite
import LemmaBasics

/// One SQLite connection: prepared statements with bound parameters, transactions, clear errors.
/// Knows nothing of what is stored. Not thread-safe: `Index` guards it.
final class Database {
  private let handle: OpaquePointer
  private let path: String
  private var statements: [String: OpaquePointer] = [:]

  /// Opens or creates the database in WAL mode with full synchronisation.
  /// - Throws: `Failure` when the file is not a database or cannot be opened.
  init(path: String) throws {
    var opened: OpaquePointer?
    let code = sqlite3_open_v2(path, &opened, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nil)
    guard code == SQLITE_OK, let opened else {
      let reason = opened.map { String(cString: sqlite3_errmsg($0)) } ?? "out of memory"
      sqlite3_close_v2(opened)
      throw Failure(.store, "index", "cannot open the index '\(path)': \(reason)")
    }
    handle = opened
    self.path = path
    sqlite3_busy_timeout(handle, 60_000)
    try script("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")
  }

  deinit {
    for statement in statements.values { sqlite3_finalize(statement) }
    sqlite3_close_v2(handle)
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
    let statement = try prepare(sql)
    defer {
      sqlite3_reset(statement)
      sqlite3_clear_bindings(statement)
    }
    for (offset, parameter) in parameters.enumerated() {
      guard parameter.bind(to: statement, at: Int32(offset + 1)) == SQLITE_OK else { throw failure() }
    }
    var rows: [T] = []
    while true {
      switch sqlite3_step(statement) {
      case SQLITE_ROW: rows.append(try row(Row(statement: statement)))
      case SQLITE_DONE: return rows
      default: throw failure()
      }
    }
  }

  func run(_ sql: String, _ parameters: [SQLValue] = []) throws {
    try query(sql, parameters) { _ in }
  }

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
      case SQLITE_NOTADB, SQLITE_CORRUPT: "move '\(path)' aside: what it knew is found again by running"
      case SQLITE_FULL: "free some space and run again: finished work is kept"
      case SQLITE_BUSY: "another process holds the index; try again when it is done"
      case SQLITE_READONLY, SQLITE_CANTOPEN: "the store must be on a writable file system"
      default: nil
      }
    return Failure(.store, "index", "the index '\(path)' failed: \(reason)", hint: hint)
  }
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

  func blob(_ column: Int32) -> [UInt8] {
    guard let base = sqlite3_column_blob(statement, column) else { return [] }
    return Array(UnsafeRawBufferPointer(start: base, count: Int(sqlite3_column_bytes(statement, column))))
  }
}
