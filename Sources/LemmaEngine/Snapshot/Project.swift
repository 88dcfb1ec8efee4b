import Glibc
import LemmaBasics
import LemmaHash
import LemmaPipeline
import LemmaStore

/// A pipeline file in its workspace, as a command finds it: with what the last run of it left
/// behind, and what changed since.
public final class Project {
  public let workspace: Workspace
  public let registry: Registry
  public let name: String
  /// The path the pipeline was read from.
  public let file: String
  public let parameters: [String: JSON]
  public let sources: [Source]
  let stages: StageList
  let overrides: [String: String]
  /// What the last run left and what became of it; nil when there was none, or it is of no use.
  let survey: Survey?
  /// By stage, its number in the survey's snapshot, where it is declared as it was.
  let earlier: [Int?]
  private let parsed: Pipeline?

  /// Opens a pipeline. Its file is parsed only when it is not the one that the last run read.
  /// - Parameters:
  ///   - file: the pipeline file; it stands in positions as it is given.
  ///   - overrides: parameters by name, each value a YAML scalar or flow value.
  ///   - stage: the only stage that is asked about, with those before it; nil for all.
  /// - Throws: `Failures` with every mistake of the file; `Failure` when it cannot be read.
  public convenience init(
    workspace: Workspace, file: String, overrides: [String: String] = [:], registry: Registry,
    about stage: String? = nil
  ) throws {
    let survey = try Project.survey(of: file, overrides: overrides, in: workspace, about: stage)
    if let survey, survey.stands(.pipeline) {
      try self.init(remembered: survey, workspace: workspace, file: file, overrides: overrides, registry: registry)
    } else {
      let pipeline = try Pipeline.load(file: file, overrides: overrides, catalogue: registry.catalogue)
      self.init(
        parsed: pipeline, survey: survey, workspace: workspace, overrides: overrides, registry: registry)
    }
  }

  /// A pipeline that was already read.
  public convenience init(workspace: Workspace, pipeline: Pipeline, registry: Registry) throws {
    let survey = try Project.survey(of: pipeline.file, overrides: [:], in: workspace)
    self.init(parsed: pipeline, survey: survey, workspace: workspace, overrides: [:], registry: registry)
  }

  private init(
    remembered survey: Survey, workspace: Workspace, file: String, overrides: [String: String], registry: Registry
  ) throws {
    let context = survey.snapshot.context
    self.workspace = workspace
    self.registry = registry
    self.file = file
    self.overrides = overrides
    self.survey = survey
    name = context["pipeline"]?.string ?? ""
    parameters = context["parameters"]?.object ?? [:]
    sources = Source.list(context["sources"], file: file)
    stages = StageList(survey.snapshot, file: file)
    earlier = Array(0..<stages.count)
    parsed = nil
  }

  private init(
    parsed pipeline: Pipeline, survey: Survey?, workspace: Workspace, overrides: [String: String], registry: Registry
  ) {
    self.workspace = workspace
    self.registry = registry
    self.overrides = overrides
    self.parsed = pipeline
    name = pipeline.name
    file = pipeline.file
    parameters = pipeline.parameters
    sources = pipeline.sources
    let stages = StageList(pipeline)
    self.stages = stages
    // A source of another place may stand behind any stage.
    guard let survey, Source.json(pipeline.sources) == survey.snapshot.context["sources"] else {
      self.survey = nil
      earlier = Array(repeating: nil, count: stages.count)
      return
    }
    self.survey = survey
    let snapshot = survey.snapshot
    let numbers = Dictionary(uniqueKeysWithValues: (0..<snapshot.stageCount).map { (snapshot.id($0), $0) })
    earlier = (0..<stages.count).map { number in
      guard let before = numbers[stages.id(number)] else { return nil }
      let isSame = snapshot.bytes(.stageOffset, .stageLength, of: before)
        .elementsEqual(stages[number].json.canonicalBytes)
      return isSame ? before : nil
    }
  }

  /// The pipeline file's bytes as they were read.
  func bytes() throws -> [UInt8] { try parsed?.bytes ?? Files.read(file) }

  /// How many stage instances there are.
  public var stageCount: Int { stages.count }

  public var stageIDs: [String] { (0..<stages.count).map { stages.id($0) } }

  // MARK: What the last run knew

  /// What every stage's own files say of it.
  func firstVerdicts() -> [FirstVerdict] {
    guard let survey else { return Array(repeating: .changed, count: stages.count) }
    return earlier.map { $0.map(survey.verdict) ?? .changed }
  }

  /// The result that the last run had for a stage that is declared as it was then.
  func earlierResult(_ number: Int) -> ActionResult? { earlier[number].flatMap { survey?.snapshot.result($0) } }

  /// The identity of the action document that the last run had for it.
  func earlierDocument(_ number: Int) -> Identity? { earlier[number].flatMap { survey?.snapshot.document($0) } }

  /// Whether a stage sees more of the stages before it than their outputs.
  func isDeep(_ number: Int) -> Bool {
    earlier[number].flatMap { survey?.snapshot.flags($0).contains(.isDeep) } ?? true
  }

  /// The ledger's run that the snapshot belongs to.
  var earlierCommit: String? { survey?.snapshot.context["commit"]?.string }

  /// The ids of stages that the last run had and that are declared no more; nil when the pipeline is
  /// the very same.
  var stagesGone: [String]? {
    if stages.snapshot != nil, parameters == survey?.snapshot.context["parameters"]?.object { return nil }
    guard let snapshot = survey?.snapshot else { return [] }
    return (0..<snapshot.stageCount).map { snapshot.id($0) }.filter { stages.number(of: $0) == nil }
  }

  /// Whether the last run recorded just this of a stage.
  func isKnown(_ record: RunSummary.StageRecord) -> Bool {
    guard let earlier = earlier[record.number], let snapshot = survey?.snapshot else { return false }
    // A stage that was only put back has no action here.
    guard let action = record.action else { return record.outcome.word == "cached" }
    return snapshot.flags(earlier).contains(.isDone) && snapshot.document(earlier) == action.identity
      && snapshot.result(earlier)?.json == record.result?.json
  }

  /// The stages that have numbers or something to read, with their results, in the pipeline's order.
  public func shown(after summary: RunSummary) -> [(stage: Stage, result: ActionResult)] {
    let records = Dictionary(uniqueKeysWithValues: summary.records.map { ($0.number, $0) })
    return summary.states.enumerated().compactMap { number, state in
      switch state {
      case .unchanged:
        guard let earlier = earlier[number], let snapshot = survey?.snapshot,
          snapshot.flags(earlier).contains(.isShown), let result = snapshot.result(earlier)
        else { return nil }
        return (stages[number], result)
      case .examined: return records[number].flatMap { record in record.result.map { (record.stage, $0) } }
      case .skipped, .open: return nil
      }
    }
  }

  /// One stage after a run, for people and programs.
  public struct Account {
    public var id: String
    /// `ran`, `cached`, `failed`, `cancelled`, `blocked` or `skipped`.
    public var outcome: String
    /// Why it ran, or why it did not.
    public var reason: String
    public var failure: Failure?
    public var actionKey: Digest?
    public var result: ActionResult?
  }

  /// Every stage, in the pipeline's order.
  public func account(of summary: RunSummary) -> [Account] {
    let records = Dictionary(uniqueKeysWithValues: summary.records.map { ($0.number, $0) })
    return summary.states.enumerated().map { number, state in
      let id = stages.id(number)
      if let record = records[number], record.action != nil || state != .unchanged {
        return Account(
          id: id, outcome: record.outcome.word, reason: record.reasonText, failure: record.failure,
          actionKey: record.action?.key, result: record.result)
      }
      if state == .skipped { return Account(id: id, outcome: "skipped", reason: "not asked for") }
      return Account(
        id: id, outcome: "cached",
        reason: records[number]?.reasonText ?? RunSummary.unchanged,
        actionKey: earlierDocument(number)?.digest, result: earlierResult(number))
    }
  }

  /// Where a stage is declared.
  func position(_ number: Int) -> Position {
    guard let snapshot = stages.snapshot else { return stages[number].position }
    return Position(file: file, line: snapshot.field(.line, of: number), column: snapshot.field(.column, of: number))
  }

  // MARK: The snapshot's place

  private static func survey(
    of file: String, overrides: [String: String], in workspace: Workspace, about stage: String? = nil
  ) throws -> Survey? {
    let place = place(of: file, overrides: overrides, in: workspace)
    guard let snapshot = Snapshot(path: place), snapshot.context["path"]?.string == searchPath() else { return nil }
    var survey = try Survey(snapshot, store: workspace.store, about: stage)
    // In another file the stage may have other stages before it.
    if stage != nil, !survey.stands(.pipeline) { survey = try Survey(snapshot, store: workspace.store) }
    guard survey.stands(.program) else { return nil }
    if !survey.stands(.ledger) {
      // Another pipeline's run, or a ledger that no longer has what the snapshot builds on.
      guard let commit = snapshot.context["commit"]?.string, try workspace.ledger().contains(commit) else { return nil }
    }
    return survey
  }

  private static func place(of file: String, overrides: [String: String], in workspace: Workspace) -> String {
    var resolved = file
    if let real = realpath(file, nil) {
      resolved = String(cString: real)
      free(real)
    }
    if resolved.hasPrefix(workspace.project + "/") { resolved.removeFirst(workspace.project.count + 1) }
    let name: JSON = [
      "workspace": .string(workspace.id), "file": .string(resolved),
      "overrides": .object(overrides.mapValues(JSON.string)),
    ]
    return "\(workspace.store.root)/snapshots/\(Digest(of: name.canonicalBytes).hex)"
  }

  /// Where the snapshot of this pipeline is kept.
  var snapshotPlace: String { Project.place(of: file, overrides: overrides, in: workspace) }
}

extension Source {
  static func json(_ sources: [Source]) -> JSON {
    .array(
      sources.map { source in
        [
          "name": .string(source.name), "path": .string(source.path),
          "license": source.license.map(JSON.string) ?? .null, "line": source.position.line.map { JSON($0) } ?? .null,
          "column": source.position.column.map { JSON($0) } ?? .null,
        ]
      })
  }

  static func list(_ json: JSON?, file: String) -> [Source] {
    (json?.array ?? []).compactMap { source in
      guard let name = source["name"]?.string, let path = source["path"]?.string else { return nil }
      return Source(
        name: name, path: path, license: source["license"]?.string,
        position: Position(file: file, line: source["line"]?.int, column: source["column"]?.int))
    }
  }
}
