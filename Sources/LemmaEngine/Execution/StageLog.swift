import LemmaBasics
import LemmaHash
import LemmaStore

/// What a stage printed, found again after its run.
public enum StageLog {
  /// The log of the last attempt at an action if it failed, else that of its result.
  /// - Parameter actionKey: in hexadecimal, as the ledger has it.
  /// - Returns: nil when nothing was printed.
  /// - Throws: `ObjectFault` when it was lost.
  public static func read(actionKey: String?, result: ActionResult?, in workspace: Workspace) throws -> [UInt8]? {
    if let actionKey {
      let kept = CommandLog.keptPath(ofKey: actionKey, in: workspace.store)
      if Files.exists(kept) { return try Files.read(kept) }
    }
    return try result?.log.map { try workspace.store.read($0.identity) }
  }
}
