import LemmaBasics
import LemmaEngine
import LemmaHash
import LemmaLedger
import LemmaStore

/// Puts a store in order: the index from what lies in the store and in the ledger, and what dead processes
/// left. It reads no object that nothing refers to; that is a verification's work.
public struct Doctor {
  /// What was found and mended.
  public struct Report: Sendable {
    /// Where a damaged index was put.
    public var damagedIndex: String?
    public var hadNoIndex = false
    public var packedObjects = 0
    public var recovery = Recovery()
    /// Of dead processes.
    public var temporaryFolders = 0
    /// Of dead runs, by actions.
    public var executionRoots = 0
    public var deadSnapshots = 0
    /// Of ledgers of other workspaces on the store that could not be read, with why.
    public var unread: [(workspace: String, reason: String)] = []

    /// Whether there was nothing to mend.
    public var isSound: Bool {
      damagedIndex == nil && !hadNoIndex && recovery.isEmpty && temporaryFolders == 0
        && executionRoots == 0 && deadSnapshots == 0
    }
  }

  /// - Throws: `Failure` of code `store-in-use` while a run is at work, or when what cannot be made again is
  ///   damaged: the ledger.
  public static func mend(_ workspace: Workspace) throws -> Report {
    let store = workspace.store
    let pause = try workspace.pauseRuns()
    defer { withExtendedLifetime(pause) {} }
    var report = Report()
    report.hadNoIndex = !Files.exists("\(store.root)/index.sqlite")
    let rebuilt = try store.rebuildIndex()
    report.damagedIndex = rebuilt.aside
    report.packedObjects = rebuilt.packedObjects
    report.temporaryFolders = try store.sweep()
    report.executionRoots = try workspace.removeExecutionRoots()
    report.deadSnapshots = try SnapshotFolder(of: store).removeDead()
    report.recovery = try Recovery.recover(in: workspace)
    for path in try store.index.workspaces() where path != workspace.project && Files.isFolder(path) {
      do {
        report.recovery.add(try Recovery.recover(in: Workspace(project: path, store: store.root)))
      } catch let failure as Failure {
        report.unread.append((path, failure.message))
      }
    }
    return report
  }
}

extension Recovery {
  mutating func add(_ other: Recovery) {
    runs += other.runs
    results += other.results
    lostResults += other.lostResults
    documents += other.documents
    places += other.places
    unusableRecords += other.unusableRecords
  }
}
