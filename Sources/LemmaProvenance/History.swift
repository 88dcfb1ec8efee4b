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
  public func summary(of run: String) throws -> JSON { try json("run.json", of: run) }

  /// The pipeline file as it was used.
  public func pipeline(of run: String) throws -> [UInt8] { try bytes("pipeline.yaml", of: run) }

  /// The run's stages in the pipeline's order.
  public func stages(of run: String) throws -> [RecordedStage] {
    let names = try summary(of: run)["stages"]?.array?.compactMap(\.string) ?? []
    return try names.map { try stage($0, of: run) }
  }

  public func stage(_ name: String, of run: String) throws -> RecordedStage {
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
      stage: name, outcome: json["outcome"]?.string ?? "", reason: json["reason"]?.string, action: json["action"],
      actionKey: json["action_key"]?.string, actionSeal: json["action_sha256"]?.string,
      result: ActionResult(json: json["result"]), places: (json["places"]?.object ?? [:]).compactMapValues(\.string),
      origins: origins, failure: json["failure"]?.string)
  }

  /// A run's `metrics.json`.
  public func metrics(of run: String) throws -> JSON { try json("metrics.json", of: run) }

  /// For every action executed at or before `run`, the newest run that did, and what it recorded.
  public func executions(before run: String) throws -> [String: (run: RecordedRun, stage: RecordedStage)] {
    var found: [String: (run: RecordedRun, stage: RecordedStage)] = [:]
    for recorded in try ledger.runs(from: run) {
      for stage in try stages(of: recorded.id) where stage.outcome == "ran" {
        if let key = stage.actionKey, found[key] == nil { found[key] = (recorded, stage) }
      }
    }
    return found
  }

  private func json(_ path: String, of run: String) throws -> JSON {
    try JSON(parsing: try bytes(path, of: run), file: "\(path) of run \(run)")
  }

  private func bytes(_ path: String, of run: String) throws -> [UInt8] {
    guard let bytes = try ledger.read(path, of: run) else {
      throw Failure(.store, "ledger", "run \(run) has no '\(path)'")
    }
    return bytes
  }
}
