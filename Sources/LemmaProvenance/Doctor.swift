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
    /// Workspaces on the store whose ledgers could not be read, with why. What only they know cannot be made again.
    public var unread: [(workspace: String, reason: String)] = []

    /// Whether there was nothing to mend.
    public var isSound: Bool {
      damagedIndex == nil && !hadNoIndex && recovery.isEmpty && temporaryFolders == 0
        && executionRoots == 0 && deadSnapshots == 0 && unread.isEmpty
    }
  }

  /// - Throws: `Failure` of code `store-in-use` while a run is at work, or when the store cannot be written.
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
    let others = try store.index.workspaces().filter { $0 != workspace.project && Files.isFolder($0) }
    for path in [workspace.project] + others {
      do {
        let one = path == workspace.project ? workspace : try Workspace(project: path, store: store.root)
        report.recovery.add(try Recovery.recover(in: one))
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
