import LemmaBasics
import LemmaEngine
import LemmaHash
import LemmaLedger
import LemmaStore

/// What an index knew, found again in the ledger: results, last documents, places of outputs, the newest run.
/// What the index knows already is left as it is.
public struct Recovery: Sendable {
  /// Runs that were read.
  public var runs = 0
  /// Results that were found again, each with outputs that are sound in the store.
  public var results = 0
  /// Results whose outputs the store has not, or not as they were.
  public var lostResults = 0
  public var documents = 0
  public var places = 0
  /// Records of the ledger whose action is not the one that they name.
  public var unusableRecords = 0

  public var isEmpty: Bool { results == 0 && documents == 0 && places == 0 }

  /// Whether the index knows nothing of a ledger that has runs: it was lost, or made anew.
  public static func isNeeded(in workspace: Workspace) throws -> Bool {
    let ledger = try workspace.ledger()
    guard try !workspace.store.isReadOnly && ledger.head() != nil else { return false }
    return try workspace.store.index.head(ofLedger: workspace.name(of: ledger)) == nil
  }

  /// Recovers before a run, when that is needed, and tells of it.
  public static func beforeRun(in workspace: Workspace, tell: (String) -> Void) throws {
    guard try isNeeded(in: workspace) else { return }
    let found = try recover(in: workspace)
    tell("the index knew nothing of the \(found.runs) runs in the ledger: \(found.results) results were found again")
  }

  /// Reads all the runs of the workspace's ledger, the newest first.
  /// - Throws: `Failure` when the ledger is damaged or the store cannot be written.
  public static func recover(in workspace: Workspace) throws -> Recovery {
    let ledger = try workspace.ledger()
    guard let head = try ledger.head() else { return Recovery() }
    var work = Work(workspace: workspace, records: RecordedActions(ledger))
    for run in try ledger.runs() { try work.add(run.id, History(ledger)) }
    try work.finish()
    let name = workspace.name(of: ledger)
    // A ledger that was rolled back must go on to be told of.
    if try workspace.store.index.head(ofLedger: name) == nil {
      try workspace.store.index.record(head: head, ofLedger: name)
    }
    return work.found
  }

  private struct Work {
    let workspace: Workspace
    var records: RecordedActions
    var found = Recovery()
    /// Records that were looked at, by pipeline.
    private var seen: Set<[String]> = []
    private var settled: Set<Identity> = []
    private var lost: Set<Identity> = []
    private var results: [ActionRecord] = []
    /// By pipeline and stage.
    private var documents: [String: [String: Identity]] = [:]
    private var places: Set<String> = []

    init(workspace: Workspace, records: RecordedActions) {
      self.workspace = workspace
      self.records = records
    }

    private var store: Store { workspace.store }

    mutating func add(_ run: String, _ history: History) throws {
      let pipeline: String
      do {
        pipeline = try history.summary(of: run)["pipeline"]?.string ?? ""
      } catch let failure as Failure where failure.code == "ledger-format" {
        return
      }
      found.runs += 1
      for (record, action) in try records.actions(of: run) where seen.insert([pipeline, record]).inserted {
        guard let result = action.result else { continue }
        try addResult(action, result)
        try addPlaces(action)
        if documents[pipeline]?[action.stage] == nil {
          documents[pipeline, default: [:]][action.stage] = action.document
          _ = try store.put(action.bytes)
        }
      }
      found.unusableRecords = records.unusable.count
    }

    private mutating func addResult(_ action: RecordedAction, _ result: JSON) throws {
      if settled.contains(action.document) { return }
      let isKnown = try store.index.result(key: action.document.digest, documentSeal: action.document.seal) != nil
      guard try isKnown || action.outputs.allSatisfy({ try store.isSound($0) }) else {
        lost.insert(action.document)
        return
      }
      settled.insert(action.document)
      lost.remove(action.document)
      if isKnown { return }
      _ = try store.put(action.bytes)
      results.append(
        ActionRecord(key: action.document.digest, documentSeal: action.document.seal, result: result))
    }

    /// What stands at a place and is no output that a run had there may be a person's own file.
    private mutating func addPlaces(_ action: RecordedAction) throws {
      for (path, artifact) in action.places where !places.contains(path) {
        if try store.index.isPlace(path, workspace: workspace.id) { continue }
        let place = workspace.absolute(path)
        guard try !Files.exists(place) || store.identify(place) == artifact else { continue }
        places.insert(path)
      }
    }

    mutating func finish() throws {
      try store.flush(recording: results)
      try store.index.record(places: places.sorted(), workspace: workspace.id)
      for (pipeline, stages) in documents {
        let unknown = try stages.filter { stage, _ in
          try store.index.lastDocument(workspace: workspace.id, pipeline: pipeline, stage: stage) == nil
        }
        try store.index.record(
          lastDocuments: unknown.map { (stage: $0.key, document: $0.value) }, workspace: workspace.id,
          pipeline: pipeline)
        found.documents += unknown.count
      }
      try store.index.register(workspace: workspace.project)
      found.results = results.count
      found.lostResults = lost.count
      found.places = places.count
    }
  }
}
