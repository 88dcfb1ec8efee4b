import Glibc
import LemmaBasics
import LemmaHash
import LemmaLedger
import LemmaStore

/// Where a pipeline lives: the project folder that its paths are relative to, and the store that
/// keeps its results.
public final class Workspace: Sendable {
  /// Absolute, without a final slash.
  public let project: String
  public let store: Store

  /// - Parameter store: the store's folder; `cache` in the project when nil.
  public init(project: String, store: String? = nil) throws {
    self.project = try Workspace.resolve(project)
    let place = store ?? "\(self.project)/cache"
    try Files.makeFolder(place)
    self.store = try Store(at: Workspace.resolve(place))
  }

  private static func resolve(_ path: String) throws -> String {
    guard let resolved = realpath(path, nil) else {
      throw Failure(.user, "no-such-folder", "there is no folder '\(path)'")
    }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  /// The project for a command given in `folder`: the nearest folder, upwards, that holds a store or
  /// a git repository; else `folder` itself.
  public static func findProject(from folder: String) throws -> String {
    let start = try resolve(folder)
    var candidate = start
    while true {
      if Files.exists("\(candidate)/cache/format") || Files.exists("\(candidate)/.git") { return candidate }
      if candidate == "/" { break }
      candidate = Files.parent(candidate)
    }
    return start
  }

  /// The absolute path of one that a pipeline declares.
  public func absolute(_ path: String) -> String { path.hasPrefix("/") ? path : "\(project)/\(path)" }

  /// What the index calls this workspace. It stays the same when project and store move together.
  public var id: String {
    store.root.hasPrefix(project + "/") ? ".\(store.root.dropFirst(project.count))" : project
  }

  /// The history of runs. It stays where it was begun: a repository made around the project later does
  /// not hide the runs that are recorded beside the store.
  public func ledger() throws -> Ledger {
    let fallback = "\(store.root)/ledger.git"
    if store.isReadOnly || Ledger.isComplete(fallback) { return try Ledger(project: project, fallback: fallback) }
    // It may be made here: by one process at a time.
    return try withLock("ledger-opening") { try Ledger(project: project, fallback: fallback) }
  }

  /// Does something that one process at a time may do to the ledger.
  func withLedgerLocked<T>(_ body: () throws -> T) throws -> T { try withLock("ledger", body) }

  private func withLock<T>(_ name: String, _ body: () throws -> T) throws -> T {
    guard let lock = try FileLock.take("\(store.root)/locks/\(name)") else {
      throw Failure(.internal, "lock", "the lock '\(name)' was not given")
    }
    defer { withExtendedLifetime(lock) {} }
    return try body()
  }

  /// What the index calls a ledger. It stays the same when project, store and ledger move together; on a
  /// store that other projects may share it is the ledger's own place.
  public func name(of ledger: Ledger) -> String {
    let moves = store.root.hasPrefix(project + "/") && ledger.location.hasPrefix(project + "/")
    return moves ? ".\(ledger.location.dropFirst(project.count))" : ledger.location
  }

  static let runLockPrefix = "run-"

  var runLockPath: String { "\(store.root)/locks/\(Workspace.runLockPrefix)\(Digest(of: Array(id.utf8)).hex)" }

  /// Takes the workspace for one run; a second run waits, so that two never mix their outputs.
  /// - Parameter waiting: told who has it, when it is not free.
  /// - Returns: `nil` when `isCancelled` turned true first.
  public func lockForRun(waiting: (_ holder: String) -> Void, isCancelled: () -> Bool) throws -> FileLock? {
    let path = runLockPath
    if let lock = try FileLock.tryTake(path) { return lock }
    waiting(FileLock.holder(path))
    return try FileLock.take(path, isCancelled: isCancelled)
  }
}
