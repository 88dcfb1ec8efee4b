import LemmaBasics
import LemmaHash
import LemmaPipeline
import LemmaStore

/// What a run would do, found out without running, keeping or writing anything.
public struct Plan {
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

  public struct Entry {
    public var number: Int
    /// The stage's id.
    public var id: String
    public var verdict: Verdict
    /// The identity of the action document, where the stage could be looked at.
    public var document: Identity?
  }

  /// In the pipeline's order.
  public var entries: [Entry]

  /// - Parameter stage: when given, the plan is of the stages of that name, and of those before them.
  public static func make(_ project: Project, about stage: String? = nil) throws -> Plan {
    var maker = Maker(project)
    let numbers =
      stage.map { project.stages.numbers(of: $0) }
      ?? Array(0..<project.stageCount)
    return Plan(entries: try numbers.map { try maker.entry($0) })
  }

  private struct Maker {
    let project: Project
    let resolver: Resolver
    let lookup: Lookup
    let outputs: WorkspaceOutputs
    let verdicts: [FirstVerdict]
    var results: [Int: ActionResult] = [:]
    /// By stage: whether its result is that of the last run, and was not even looked up.
    var isSettled: [Bool]
    var isOpen: [Bool]

    init(_ project: Project) {
      self.project = project
      resolver = Resolver(project: project, keepsBytes: false)
      lookup = Lookup(workspace: project.workspace, pipeline: project.name)
      outputs = WorkspaceOutputs(workspace: project.workspace)
      verdicts = project.firstVerdicts()
      isSettled = Array(repeating: false, count: project.stageCount)
      isOpen = isSettled
    }

    mutating func entry(_ number: Int) throws -> Entry {
      let id = project.stages.id(number)
      let dependencies = project.stages.dependencies[number]
      let areSettled = dependencies.allSatisfy { isSettled[$0] }
      if verdicts[number] == .settled, areSettled {
        isSettled[number] = true
        return Entry(number: number, id: id, verdict: .current, document: nil)
      }
      let open = dependencies.filter { isOpen[$0] }
      if !open.isEmpty {
        isOpen[number] = true
        return Entry(
          number: number, id: id, verdict: .depends(on: open.map { project.stages.id($0) }), document: nil)
      }
      let stage = project.stages[number]
      if verdicts[number] == .misplaced, areSettled, let result = project.earlierResult(number) {
        isSettled[number] = true
        return Entry(number: number, id: id, verdict: .restore(paths: try outputs.stale(result, of: stage)))
      }
      let action: Resolver.Action
      do {
        action = try resolver.action(for: stage) { project.stages.number(of: $0).flatMap { result($0) } }
      } catch let failure as Failure where failure.kind == .user {
        isOpen[number] = true
        return Entry(number: number, id: id, verdict: .failed(failure))
      }
      let document = action.document.identity
      switch try lookup.find(action, repairs: false) {
      case .known(let result, _):
        results[number] = result
        // What was there before in every byte changes nothing behind it.
        isSettled[number] =
          areSettled && project.earlierResult(number)?.outputs == result.outputs && !project.isDeep(number)
        let stale = try outputs.stale(result, of: stage)
        return Entry(
          number: number, id: id, verdict: stale.isEmpty ? .current : .restore(paths: stale), document: document)
      case .unknown(let reason):
        isOpen[number] = true
        return Entry(number: number, id: id, verdict: .run(reason), document: document)
      }
    }

    func result(_ number: Int) -> ActionResult? {
      results[number] ?? (isSettled[number] ? project.earlierResult(number) : nil)
    }
  }

  /// The identity of a stage's action document, from this plan or from the last run.
  public func document(_ entry: Entry, of project: Project) -> Identity? {
    entry.document ?? project.earlierDocument(entry.number)
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
