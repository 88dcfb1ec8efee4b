import LemmaBasics
import LemmaEngine
import LemmaHash
import LemmaLedger
import LemmaStore

/// What a store must keep: all that recent and tagged runs of every workspace, the snapshots and the last
/// actions of every stage rest on.
struct Need {
  private(set) var artifacts: Set<Artifact> = []
  /// Keys of the actions whose results count.
  private(set) var keys: Set<String> = []
  /// Registered workspaces whose folder is not there.
  private(set) var missing: [String] = []
  private(set) var runs = 0

  /// - Parameters:
  ///   - newest: how many runs of each ledger.
  ///   - forgetsMissing: whether what only workspaces that are gone need counts for nothing.
  /// - Throws: `Failure` when a ledger cannot be read: what it needs is then not known.
  init(of workspace: Workspace, newest: Int, forgetsMissing: Bool) throws {
    let store = workspace.store
    var ledgers: Set<String> = []
    for path in Set(try store.index.workspaces() + [workspace.project]).sorted() {
      guard Files.isFolder(path) else {
        missing.append(path)
        continue
      }
      let ledger = try Workspace(project: path, store: store.root).ledger()
      if ledgers.insert(ledger.location).inserted { try add(ledger, newest: newest) }
    }
    artifacts.formUnion(try SnapshotFolder(of: store).artifacts(ofDead: !forgetsMissing))
    for (id, document) in try store.index.lastDocuments() where !(forgetsMissing && missing.contains(id)) {
      try add(document, of: store)
    }
  }

  private mutating func add(_ ledger: Ledger, newest: Int) throws {
    let wanted = try ledger.runs(limit: newest).map(\.id) + ledger.tags().map(\.run)
    var records = RecordedActions(ledger)
    for run in Set(wanted).sorted() {
      runs += 1
      for (_, action) in try records.actions(of: run) {
        artifacts.formUnion(action.artifacts)
        artifacts.insert(Artifact(kind: .file, identity: action.document))
        keys.insert(action.document.digest.hex)
      }
    }
  }

  /// An action by its document: of a workspace whose ledger is out of reach this is all that is known.
  private mutating func add(_ document: Identity, of store: Store) throws {
    artifacts.insert(Artifact(kind: .file, identity: document))
    keys.insert(document.digest.hex)
    if let result = try store.index.result(key: document.digest, documentSeal: document.seal) {
      RecordedActions.collect(result, into: &artifacts)
    }
    if let bytes = try? store.read(document, quarantines: false),
      let json = try? JSON(parsing: bytes, file: "action \(document.digest.hex)")
    {
      RecordedActions.collect(json, into: &artifacts)
    }
  }
}
