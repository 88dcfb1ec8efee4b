import LemmaBasics
import LemmaStore

/// Keeping all the runs of a store from beginning, for work that none may see half done.
extension Workspace {
  /// Takes every workspace of the store as a run would, without waiting.
  /// - Returns: the locks; runs go on when they go.
  /// - Throws: `Failure` of code `store-in-use` while a run is at work.
  public func pauseRuns() throws -> [FileLock] {
    let folder = "\(store.root)/locks"
    let others = try Files.list(folder).filter { $0.hasPrefix(Workspace.runLockPrefix) }.map { "\(folder)/\($0)" }
    return try Set(others + [runLockPath]).sorted().map { path in
      if let lock = try FileLock.tryTake(path) { return lock }
      throw Failure(
        .store, "store-in-use", "a run is at work on the store '\(store.root)' (\(FileLock.holder(path)))",
        hint: "try again when it is done")
    }
  }

  /// Removes what killed runs left of actions that nobody is at work on, but for folders to resume from.
  /// - Returns: of how many actions.
  public func removeExecutionRoots() throws -> Int { try ExecutionRoot.sweep(store) }
}
