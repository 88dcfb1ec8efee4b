import LemmaBasics
import LemmaEngine
import LemmaHash
import LemmaLedger

/// One stage as a run's commit has it.
public struct RecordedStage: Sendable {
  public var stage: String
  /// `ran`, `cached`, `failed`, `cancelled` or `blocked`.
  public var outcome: String
  public var reason: String?
  /// The action document; nil when the stage did not get that far.
  public var action: JSON?
  public var actionKey: String?
  public var actionSeal: String?
  public var result: ActionResult?
  /// Workspace paths by output name.
  public var places: [String: String]
  /// By input name, where each member came from.
  public var origins: [String: [Origin]]
  public var failure: String?

  public enum Origin: Sendable {
    case source(String)
    case path(String)
    case stage(id: String, output: String)
  }
}

/// The runs of a ledger as they were recorded.
public struct History {
  public let ledger: Ledger

  public init(_ ledger: Ledger) { self.ledger = ledger }

  /// A run's `run.json`.
  /// - Throws: `Failure` when the ledger is damaged or the commit is not a run.
  public func summary(of run: String) throws -> JSON {
    let summary = try json("run.json", of: run)
    guard summary["format"] == 2 else {
      throw Failure(
        .store, "ledger-format", "run \(run) was recorded by another version of lemma, in a format not known here")
    }
    return summary
  }

  /// The pipeline file as it was used.
  public func pipeline(of run: String) throws -> [UInt8] { try bytes("pipeline.yaml", of: run) }

  /// The run's stages in the pipeline's order.
  public func stages(of run: String) throws -> [RecordedStage] {
    let outcomes = try summary(of: run)["outcomes"]
    return try names(of: run).map { try stage($0, of: run, outcome: outcomes?[$0]) }
  }

  public func stage(_ name: String, of run: String) throws -> RecordedStage {
    try stage(name, of: run, outcome: try summary(of: run)["outcomes"]?[name])
  }

  /// - Parameter outcome: what the run's record says of the stage; nil when it was up to date.
  private func stage(_ name: String, of run: String, outcome: JSON?) throws -> RecordedStage {
    let json = try json("stages/\(RunRecord.fileName(name)).json", of: run)
    let origins = (json["origins"]?.object ?? [:]).mapValues { members in
      (members.array ?? []).compactMap { member -> RecordedStage.Origin? in
        if let source = member["source"]?.string { return .source(source) }
        if let path = member["path"]?.string { return .path(path) }
        if let stage = member["stage"]?.string { return .stage(id: stage, output: member["output"]?.string ?? "") }
        return nil
      }
    }
    return RecordedStage(
      stage: name, outcome: outcome?["outcome"]?.string ?? "cached",
      reason: outcome == nil ? RunSummary.unchanged : outcome?["reason"]?.string,
      action: json["action"],
      actionKey: json["action_key"]?.string, actionSeal: json["action_sha256"]?.string,
      result: ActionResult(json: json["result"]), places: (json["places"]?.object ?? [:]).compactMapValues(\.string),
      origins: origins, failure: outcome?["failure"]?.string)
  }

  /// The names of a run's stages, in the pipeline's order.
  func names(of run: String) throws -> [String] {
    try json("stages.json", of: run).array?.compactMap(\.string) ?? []
  }

  /// A run's `metrics.json`.
  public func metrics(of run: String) throws -> JSON { try json("metrics.json", of: run) }

  /// For every action executed at or before `run`, the newest run that did, and what it recorded.
  public func executions(before run: String) throws -> [String: (run: RecordedRun, stage: RecordedStage)] {
    var found: [String: (run: RecordedRun, stage: RecordedStage)] = [:]
    for recorded in try ledger.runs(from: run) {
      for (name, outcome) in try summary(of: recorded.id)["outcomes"]?.object ?? [:] where outcome["outcome"] == "ran" {
        guard let key = outcome["action_key"]?.string, found[key] == nil else { continue }
        found[key] = (recorded, try stage(name, of: recorded.id, outcome: outcome))
      }
    }
    return found
  }

  /// The newest run at or before `run` that executed an action of that key, and why.
  /// - Parameter stage: the stage that most likely did; another may have been the same action.
  public func execution(
    of key: String, by stage: String, before run: String
  ) throws -> (run: RecordedRun, reason: String)? {
    for recorded in try ledger.runs(from: run) {
      let bytes = try bytes("run.json", of: recorded.id)
      func isMatch(_ outcome: JSON?) -> Bool {
        outcome?["outcome"] == "ran" && outcome?["action_key"]?.string == key
      }
      // A first run has many outcomes: only one is wanted, and mostly it is this one.
      var match = try JSON.member(["outcomes", stage], of: bytes, file: "run.json of run \(recorded.id)")
      if !isMatch(match) {
        match = try summary(of: recorded.id)["outcomes"]?.object?.values.first(where: isMatch)
      }
      if let match { return (recorded, match["reason"]?.string ?? "") }
    }
    return nil
  }

  func json(_ path: String, of run: String) throws -> JSON {
    try JSON(parsing: try bytes(path, of: run), file: "\(path) of run \(run)")
  }

  private func bytes(_ path: String, of run: String) throws -> [UInt8] {
    guard let bytes = try ledger.read(path, of: run) else {
      throw Failure(.store, "ledger", "run \(run) has no '\(path)'")
    }
    return bytes
  }
}
