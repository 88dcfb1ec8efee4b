import LemmaBasics
import LemmaLedger

/// A verdict about a recorded action, as a commit of its own on top of the ledger.
extension RunRecord {
  /// - Parameters:
  ///   - base: the run that the verdict is about; its files are the commit's, but for the outcomes.
  ///   - path: where the verdict stands among them.
  ///   - title: the first line of the message.
  /// - Returns: the commit's id.
  public static func append(
    _ verdict: JSON, at path: String, about base: String, summary: JSON, title: String, in workspace: Workspace
  ) throws -> String {
    try workspace.withLedgerLocked {
      let ledger = try workspace.ledger()
      let lost = try lostHead(of: ledger, in: workspace)
      // Nothing ran for this commit that a later run could rest on.
      var run = summary.object ?? [:]
      run["outcomes"] = [:]
      let changes: [(path: String, bytes: [UInt8]?)] = [
        (path, Array(verdict.pretty.utf8)), ("run.json", Array(JSON.object(run).pretty.utf8)),
      ]
      let id = try ledger.commit(base: base, changes: changes, time: Clock.now()) { number in
        printable("\(title)\n\n\(lost.map { "\(lostTrailer)\($0)\n\n" } ?? "")") + Ledger.trailer(number: number)
      }
      try workspace.store.index.record(head: id, ofLedger: workspace.name(of: ledger))
      return id
    }
  }
}
