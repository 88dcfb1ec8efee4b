import LemmaBasics
import LemmaHash
import LemmaPipeline
import LemmaStore

/// What a run would do, found out without running, keeping or writing anything.
public struct Plan: Sendable {
  public enum Verdict: Sendable {
    /// The result is known and stands in the workspace.
    case current
    /// The result is known; these outputs would be put back.
    case restore(paths: [String])
    case run(Reason)
    /// It depends on whether these stages' outputs come out as before.
    case depends(on: [String])
    case failed(Failure)
  }

  public struct Entry: Sendable {
    public var stage: Stage
    public var verdict: Verdict
    public var document: ActionDocument?
    public var result: ActionResult?
  }

  /// In the pipeline's order.
  public var entries: [Entry]

  public static func make(workspace: Workspace, pipeline: Pipeline, registry: Registry) throws -> Plan {
    let resolver = Resolver(workspace: workspace, pipeline: pipeline, registry: registry, keepsBytes: false)
    let lookup = Lookup(workspace: workspace, pipeline: pipeline)
    let outputs = WorkspaceOutputs(workspace: workspace)
    var results: [String: ActionResult] = [:]
    let entries = try pipeline.stages.map { stage -> Entry in
      let open = stage.dependencies.filter { results[$0] == nil }
      if !open.isEmpty { return Entry(stage: stage, verdict: .depends(on: open)) }
      let action: Resolver.Action
      do {
        action = try resolver.action(for: stage, results: results)
      } catch let failure as Failure where failure.kind == .user {
        return Entry(stage: stage, verdict: .failed(failure))
      }
      switch try lookup.find(action, repairs: false) {
      case .known(let result, _):
        results[stage.id] = result
        let stale = try outputs.stale(result, of: stage)
        return Entry(
          stage: stage, verdict: stale.isEmpty ? .current : .restore(paths: stale), document: action.document,
          result: result)
      case .unknown(let reason): return Entry(stage: stage, verdict: .run(reason), document: action.document)
      }
    }
    return Plan(entries: entries)
  }
}

extension Plan.Verdict {
  /// The word in tables and in JSON.
  public var word: String {
    switch self {
    case .current: "current"
    case .restore: "restore"
    case .run: "run"
    case .depends: "depends"
    case .failed: "failed"
    }
  }

  /// One line that explains the word.
  public var text: String {
    switch self {
    case .current: ""
    case .restore(let paths): "to put back: \(paths.joined(separator: ", "))"
    case .run(let reason): reason.text
    case .depends(let stages):
      "after \(stages.prefix(3).joined(separator: ", "))" + (stages.count > 3 ? " and \(stages.count - 3) more" : "")
    case .failed(let failure): failure.message
    }
  }
}
