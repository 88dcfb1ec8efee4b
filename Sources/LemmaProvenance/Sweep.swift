import LemmaBasics
import LemmaEngine
import LemmaHash
import LemmaStore

/// Removing from a store what nothing needs any more.
public struct Sweep: Sendable {
  public struct Options: Sendable {
    /// How many of each ledger's newest runs keep what they need, besides the tagged ones.
    public var keepRuns = 20
    /// Seconds; what is younger stays, needed or not.
    public var youth: Int64 = 3600
    public var forgetsMissing = false
    /// Whether what killed stages left to go on from goes, too.
    public var dropsUnfinished = false
    public var applies = false

    public init() {}
  }

  public var collection: Store.Collection
  public var unfinished: UnfinishedWork
  /// Results that were dropped from the index, since their outputs are gone and no kept run has them.
  public var droppedResults = 0
  /// Runs whose needs were kept.
  public var keptRuns = 0
  /// Registered workspaces whose folder is not there.
  public var missing: [String]

  /// - Throws: `Failure` of code `store-in-use` when it applies and another process uses the store; or when a
  ///   ledger cannot be read, so that nobody knows what its runs need.
  public init(_ workspace: Workspace, _ options: Options) throws {
    let store = workspace.store
    // What a run is about to record must not be decided upon before it has.
    let pause = options.applies ? try workspace.pauseRuns() : []
    defer { withExtendedLifetime(pause) {} }
    let need = try Need(of: workspace, newest: options.keepRuns, forgetsMissing: options.forgetsMissing)
    let keeping = try store.closure(of: need.artifacts)
    keptRuns = need.runs
    missing = need.missing
    let moment = Clock.nanoseconds() - options.youth * 1_000_000_000
    collection = try store.collect(keeping: keeping, olderThan: moment, dryRun: !options.applies)
    unfinished = try UnfinishedWork(
      in: store, olderThan: moment, removes: options.applies && options.dropsUnfinished)
    guard options.applies else { return }
    let stale = try store.index.results().filter { key, result in
      guard !need.keys.contains(key) else { return false }
      let outputs = ActionResult(json: result)?.outputs.values.map { $0 } ?? []
      return try result == nil || !outputs.allSatisfy { try store.isSound($0, quarantines: false) }
    }
    try store.index.forget(results: stale.map(\.key))
    droppedResults = stale.count
    if options.forgetsMissing {
      for path in missing { try store.index.forget(workspace: path) }
      _ = try SnapshotFolder(of: store).removeDead()
    }
  }
}
