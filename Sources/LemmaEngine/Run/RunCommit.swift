import LemmaBasics
import LemmaLedger
import LemmaStore

/// A run on its way into the ledger. Made where the project is at hand; committed on any thread.
struct RunCommit: Sendable {
  private let workspace: Workspace
  private let pipeline: String
  private let summary: RunSummary
  /// The run whose files the new ones are made from.
  private let base: String?
  private let changes: [(path: String, content: RunRecord.Content)]
  private let run: [String: JSON]

  init(_ summary: RunSummary, of project: Project) throws {
    workspace = project.workspace
    pipeline = project.name
    self.summary = summary
    base = project.earlierCommit
    changes = try RunRecord.changes(summary, of: project)
    run = try RunRecord.run(summary, of: project)
  }

  /// Commits the run and remembers the new head, unless the last run of this pipeline says all that
  /// there is to say: that nothing changed is no news.
  /// - Returns: the commit's id; nil when there was nothing to record.
  func write() throws -> String? { try workspace.withLedgerLocked { try write(to: workspace.ledger()) } }

  private func write(to ledger: Ledger) throws -> String? {
    let lost = try RunRecord.lostHead(of: ledger, in: workspace)
    // Outputs that were put back may have been another run's.
    let isNews =
      try !changes.isEmpty || lost != nil || summary.records.contains { $0.outcome.word != "cached" }
      || (!summary.records.isEmpty && ledger.head() != base)
    guard isNews else { return nil }
    var run = run
    run["project_commit"] = ledger.projectCommit().map(JSON.string) ?? .null
    let files = changes + [("run.json", .json(.object(run)))]
    let id = try ledger.commit(
      base: base, changes: files.map { ($0.path, $0.content.bytes) }, time: summary.began + Int64(summary.seconds)
    ) { message(number: $0, lost: lost) }
    try workspace.store.index.record(head: id, ofLedger: workspace.name(of: ledger))
    return id
  }

  /// How many stages a run's message lists.
  private static let listedStages = 100

  private func message(number: Int, lost: String?) -> String {
    let counts = ["ran", "cached", "failed", "cancelled", "blocked", "skipped"]
      .map { (word: $0, count: summary.count($0)) }.filter { $0.count > 0 }
      .map { "\($0.count) \($0.word)" }.joined(separator: ", ")
    var text = "Run \(pipeline): \(summary.status), \(counts.isEmpty ? "no stages" : counts)\n\n"
    let changed = summary.records.filter { $0.outcome.word != "cached" }
    for record in changed.prefix(RunCommit.listedStages) {
      text += "\(record.outcome.word) \(record.stage.id)"
      if let reason = record.reason { text += ": \(reason.text)" }
      if case .failed(let failure) = record.outcome {
        text += ": \(failure.message.split(separator: "\n").first ?? "")"
      }
      text += "\n"
    }
    if changed.count > RunCommit.listedStages { text += "and \(changed.count - RunCommit.listedStages) more\n" }
    if let lost { text += "\(RunRecord.lostTrailer)\(lost)\n" }
    return printable(text) + (!changed.isEmpty || lost != nil ? "\n" : "") + "\(Ledger.trailer(number: number))"
  }
}
