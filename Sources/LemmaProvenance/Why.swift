import LemmaBasics
import LemmaEngine
import LemmaHash
import LemmaPipeline
import LemmaStore

/// Why a stage would run, or why it last did, down to the field, the file or the row.
public struct Why: Sendable {
  public var stage: String
  /// One sentence.
  public var verdict: String
  /// What differs, most telling first.
  public var details: [String]
}

extension Why {
  /// - Parameter project: opened about this stage, or about all.
  /// - Throws: `Failure` when the pipeline has no such stage.
  public static func explain(
    _ name: String, project: Project
  ) throws -> [Why] {
    let plan = try Plan.make(project, about: name)
    let entries = plan.entries.filter { $0.id == name || $0.id.hasPrefix(name + "[") }
    guard !entries.isEmpty else {
      let names = project.stageIDs.flatMap { [$0, String($0.prefix { $0 != "[" })] }
      throw Failure(
        .user, "no-such-stage", "the pipeline has no stage '\(name)'",
        hint: nearest(to: name, among: names).map { "did you mean '\($0)'?" })
    }
    return try entries.map { try explain($0, document: plan.document($0, of: project), workspace: project.workspace) }
  }

  private static func explain(_ entry: Plan.Entry, document: Identity?, workspace: Workspace) throws -> Why {
    let id = entry.id
    switch entry.verdict {
    case .current, .restore:
      let last = try lastExecution(of: document?.digest.hex ?? "", by: id, workspace: workspace)
      let state = entry.verdict.text.isEmpty ? "up to date" : "up to date; \(entry.verdict.text)"
      return Why(stage: id, verdict: state, details: last)
    case .run(.changed(let differences)):
      let details = differences.flatMap { [$0.text] + inside($0, store: workspace.store).map { "  \($0)" } }
      return Why(
        stage: id, verdict: "would run: \(differences.count) thing\(differences.count == 1 ? "" : "s") changed",
        details: details)
    case .run(let reason): return Why(stage: id, verdict: "would run: \(reason.text)", details: [])
    case .depends(let stages):
      return Why(
        stage: id, verdict: "depends: it runs if the outputs of \(stages.joined(separator: ", ")) come out changed",
        details: [])
    case .failed(let failure): return Why(stage: id, verdict: "cannot be looked up: \(failure)", details: [])
    }
  }

  /// What the ledger says of the last time that an action ran.
  private static func lastExecution(of key: String, by stage: String, workspace: Workspace) throws -> [String] {
    let history = History(try workspace.ledger())
    guard let head = try history.ledger.head(),
      let (run, reason) = try history.execution(of: key, by: stage, before: head)
    else { return [] }
    return ["last ran in run \(run.number) (\(run.id.prefix(10)), \(Clock.text(run.time))): \(reason)"]
  }

  /// Looks into two versions of an artifact, where the store still has both.
  private static func inside(_ difference: Difference, store: Store) -> [String] {
    guard let before = Artifact(json: difference.before), let after = Artifact(json: difference.after) else {
      return []
    }
    if before.kind == .folder, after.kind == .folder {
      guard let old = try? store.tree(before.identity), let new = try? store.tree(after.identity) else { return [] }
      return compare(old, new)
    }
    guard let old = try? store.read(before.identity), let new = try? store.read(after.identity) else { return [] }
    return compareLines(old, new)
  }

  private static func compare(_ old: Tree, _ new: Tree) -> [String] {
    let before = Dictionary(uniqueKeysWithValues: old.entries.map { ($0.path, $0.node) })
    let after = Dictionary(uniqueKeysWithValues: new.entries.map { ($0.path, $0.node) })
    let paths = Set(before.keys).union(after.keys).sorted { $0.lexicographicallyPrecedes($1) }
    let lines = paths.compactMap { path -> String? in
      let name = String(decoding: path, as: UTF8.self)
      switch (before[path], after[path]) {
      case (nil, .some): return "new file '\(name)'"
      case (.some, nil): return "file '\(name)' is gone"
      case (let old, let new): return old == new ? nil : "file '\(name)' changed"
      }
    }
    return Array(lines.prefix(20)) + (lines.count > 20 ? ["and \(lines.count - 20) more files"] : [])
  }

  private static func compareLines(_ old: [UInt8], _ new: [UInt8]) -> [String] {
    let newline = UInt8(ascii: "\n")
    let before = old.split(separator: newline, omittingEmptySubsequences: false)
    let after = new.split(separator: newline, omittingEmptySubsequences: false)
    guard
      let first = zip(before, after).enumerated().first(where: { $1.0 != $1.1 })?.offset
        ?? (before.count != after.count ? min(before.count, after.count) : nil)
    else { return [] }
    let gone = Set(before).subtracting(after).count
    let fresh = Set(after).subtracting(before).count
    return ["first differs in line \(first + 1); \(gone) line\(gone == 1 ? "" : "s") gone, \(fresh) new"]
  }
}
