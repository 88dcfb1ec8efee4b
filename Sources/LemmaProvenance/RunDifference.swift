import LemmaBasics
import LemmaEngine
import LemmaHash
import LemmaLedger

/// What two runs do not have alike, as they were recorded.
public struct RunDifference: Sendable {
  /// One stage.
  public struct StageDifference: Sendable {
    public enum Change: String, Sendable {
      case new, gone, changed
    }

    public var stage: String
    public var change: Change
    /// In what it was given; empty for a stage that only one of the runs has.
    public var action: [Difference]
    /// By output name, in what it gave; nil where there was none.
    public var outputs: [String: (before: Artifact?, after: Artifact?)]

    /// Whether it was given the same, ended well both times, and gave something else.
    public var isUnrepeated: Bool
  }

  /// One number.
  public struct MetricDifference: Sendable {
    /// STAGE.METRIC
    public var name: String
    public var before: JSON?
    public var after: JSON?
  }

  public var from: RecordedRun
  public var to: RecordedRun
  /// In the order of the later run's pipeline, what is gone behind.
  public var stages: [StageDifference] = []
  public var metrics: [MetricDifference] = []
}

extension RunDifference {
  /// - Parameters:
  ///   - from: the id of a run; nil for the last one of the same pipeline before `to`.
  ///   - to: the id of a run.
  /// - Throws: `Failure` when the ledger is damaged, or there is no earlier run.
  public static func between(_ from: String?, _ to: String, in history: History) throws -> RunDifference {
    let from = try from ?? history.predecessor(of: to)
    let ledger = history.ledger
    var difference = RunDifference(from: try ledger.run(from), to: try ledger.run(to))
    for path in try ledger.changedFiles(from: from, to: to) where path.hasPrefix("stages/") {
      let before = try history.record(path, of: from)
      let after = try history.record(path, of: to)
      if let stage = compare(before, after) { difference.stages.append(stage) }
      difference.metrics += compareMetrics(before, after)
    }
    let order = Dictionary(try history.names(of: to).enumerated().map { ($1, $0) }) { first, _ in first }
    difference.stages.sort { (order[$0.stage] ?? .max, $0.stage) < (order[$1.stage] ?? .max, $1.stage) }
    return difference
  }

  private static func compare(_ before: JSON?, _ after: JSON?) -> StageDifference? {
    guard let name = (after ?? before)?["stage"]?.string else { return nil }
    let (old, new) = (ActionResult(json: before?["result"]), ActionResult(json: after?["result"]))
    var outputs: [String: (before: Artifact?, after: Artifact?)] = [:]
    for output in Set((old?.outputs ?? [:]).keys).union((new?.outputs ?? [:]).keys)
    where old?.outputs[output] != new?.outputs[output] {
      outputs[output] = (old?.outputs[output], new?.outputs[output])
    }
    let change: StageDifference.Change = before == nil ? .new : after == nil ? .gone : .changed
    let action =
      change == .changed ? Difference.between(before?["action"] ?? .null, after?["action"] ?? .null) : []
    // A stage that was executed again took another time, and is the same.
    let isAnother = !outputs.isEmpty || old?.metrics != new?.metrics
    if change == .changed, action.isEmpty, !isAnother { return nil }
    return StageDifference(
      stage: name, change: change, action: action, outputs: outputs,
      isUnrepeated: action.isEmpty && isAnother && old != nil && new != nil)
  }

  private static func compareMetrics(_ before: JSON?, _ after: JSON?) -> [MetricDifference] {
    guard let name = (after ?? before)?["stage"]?.string else { return [] }
    let old = before?["result"]?["metrics"]?.object ?? [:]
    let new = after?["result"]?["metrics"]?.object ?? [:]
    return Set(old.keys).union(new.keys).sorted().filter { old[$0] != new[$0] }.map {
      MetricDifference(name: "\(name).\($0)", before: old[$0], after: new[$0])
    }
  }
}

extension History {
  /// A file of a run's record; nil when it has none of that name.
  func record(_ path: String, of run: String) throws -> JSON? {
    try ledger.read(path, of: run).map { try JSON(parsing: $0, file: "\(path) of run \(run)") }
  }

  /// The newest run of the same pipeline before a run.
  fileprivate func predecessor(of run: String) throws -> String {
    let pipeline = try summary(of: run)["pipeline"]
    var next = try ledger.run(run).parent
    while let id = next {
      if try summary(of: id)["pipeline"] == pipeline { return id }
      next = try ledger.run(id).parent
    }
    throw Failure(
      .user, "no-such-run", "there is no earlier run of the pipeline '\(pipeline?.string ?? "")' to compare with",
      hint: "see 'lemma log'")
  }
}
