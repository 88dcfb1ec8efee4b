import LemmaBasics
import LemmaHash
import LemmaLedger
import LemmaPipeline
import LemmaStore

/// A run as files of a ledger commit, and back. Layout: `docs/formats.md`.
public enum RunRecord {
  /// A stage's outputs that a person would read are kept as plain files up to this size.
  static let plainFileLimit = 256 * 1024
  static let plainOutputs: Set<String> = ["metrics", "report", "table"]

  /// The line of a run's message that names a run which the ledger contained and no longer does.
  public static let lostTrailer = "Lemma-Lost: "

  /// The newest run that this store has seen in the ledger, if the ledger does not contain it.
  public static func lostHead(of ledger: Ledger, in workspace: Workspace) throws -> String? {
    guard let seen = try workspace.store.index.head(ofLedger: workspace.name(of: ledger)) else { return nil }
    if try ledger.head() == seen { return nil }
    return try ledger.runs().contains { $0.id == seen } ? nil : seen
  }

  /// What a file of a commit holds.
  enum Content: Sendable {
    case json(JSON)
    case bytes([UInt8])
    /// The file goes.
    case nothing

    var bytes: [UInt8]? {
      switch self {
      case .json(let json): Array(json.pretty.utf8)
      case .bytes(let bytes): bytes
      case .nothing: nil
      }
    }
  }

  /// What differs from the last run's files, `run.json` aside.
  static func changes(_ summary: RunSummary, of project: Project) throws -> [(path: String, content: Content)] {
    var changes: [(path: String, content: Content)] = []
    for record in summary.records where !project.isKnown(record) {
      let name = fileName(record.stage.id)
      changes.append(("stages/\(name).json", .json(try stage(record))))
      for output in record.stage.outputs where plainOutputs.contains(output.name) {
        let artifact = record.result?.outputs[output.name]
        var content = Content.nothing
        if let artifact, artifact.kind != .folder, artifact.identity.size <= plainFileLimit,
          let bytes = try? project.workspace.store.read(artifact.identity)
        {
          content = .bytes(bytes)
        }
        changes.append(("files/\(name)/\(output.fileName)", content))
      }
    }
    for (number, state) in summary.states.enumerated() where state == .skipped {
      let stage = project.stages[number]
      changes.append(("stages/\(fileName(stage.id)).json", .json(nothing(of: stage))))
    }
    if let gone = project.stagesGone {
      for id in gone { changes.append(("stages/\(fileName(id)).json", .nothing)) }
      changes.append(("pipeline.yaml", .bytes(try project.bytes())))
      let order = (0..<project.stages.count).map { JSON.string(project.stages.id($0)) }
      changes.append(("stages.json", .json(.array(order))))
    }
    if !changes.isEmpty {
      let metrics = project.shown(after: summary).filter { !$0.result.metrics.isEmpty }
        .map { ($0.stage.id, JSON.object($0.result.metrics)) }
      changes.append(("metrics.json", .json(.object(Dictionary(uniqueKeysWithValues: metrics)))))
    }
    return changes
  }

  /// The members of `run.json`, `project_commit` aside.
  static func run(_ summary: RunSummary, of project: Project) throws -> [String: JSON] {
    let program = try project.workspace.store.identify("/proc/self/exe")
    return [
      "format": 2, "pipeline": .string(project.name), "pipeline_sha256": .string(Seal(of: try project.bytes()).hex),
      "parameters": .object(project.parameters), "status": .string(summary.status),
      "began": .string(Clock.text(summary.began)), "seconds": JSON((summary.seconds * 1000).rounded() / 1000),
      "lemma": ["version": .string(lemmaVersion), "program": program?.json ?? .null],
      "platform": ActionDocument.platform, "processors": JSON(Machine.processors),
      "outcomes": .object(try outcomes(summary, of: project)),
      "sources": .array(
        project.sources.map { source in
          [
            "name": .string(source.name), "path": .string(source.path),
            "license": source.license.map(JSON.string) ?? .null,
          ]
        }),
    ]
  }

  /// How the stages ended that were not simply up to date.
  private static func outcomes(_ summary: RunSummary, of project: Project) throws -> [String: JSON] {
    var outcomes: [String: JSON] = [:]
    for record in summary.records {
      var members: [String: JSON] = [
        "outcome": .string(record.outcome.word), "reason": .string(record.reasonText),
      ]
      if let action = record.action { members["action_key"] = .string(action.key.hex) }
      if case .failed(let failure) = record.outcome { members["failure"] = .string(failure.description) }
      outcomes[record.stage.id] = .object(members)
    }
    for (number, state) in summary.states.enumerated() where state == .skipped {
      outcomes[project.stages.id(number)] = ["outcome": "skipped"]
    }
    return outcomes
  }

  private static func stage(_ record: RunSummary.StageRecord) throws -> JSON {
    guard case .object(var members) = nothing(of: record.stage) else { return .null }
    if let action = record.action {
      members["action"] = action.json
      members["action_key"] = .string(action.key.hex)
      members["action_sha256"] = .string(action.identity.seal.hex)
      members["origins"] = .object(
        Dictionary(uniqueKeysWithValues: record.inputs.map { ($0.name, .array($0.members.map { $0.origin.json })) }))
    }
    if let determinism = record.determinism { members["determinism"] = .string(determinism.rawValue) }
    if let result = record.result { members["result"] = result.json }
    return .object(members)
  }

  /// A stage of which nothing is known.
  private static func nothing(of stage: Stage) -> JSON {
    [
      "stage": .string(stage.id),
      "places": .object(Dictionary(uniqueKeysWithValues: stage.outputs.map { ($0.name, .string($0.path)) })),
    ]
  }

  /// A stage's id as one part of a path.
  public static func fileName(_ stage: String) -> String {
    stage.unicodeScalars.map { "/%".unicodeScalars.contains($0) ? "%\(String($0.value, radix: 16))" : String($0) }
      .joined()
  }
}

extension Reference.Origin {
  /// Where an input came from, as the ledger names it.
  var json: JSON {
    switch self {
    case .source(let name): ["source": .string(name)]
    case .path(let path): ["path": .string(path)]
    case .stage(let id, let output): ["stage": .string(id), "output": .string(output)]
    }
  }
}

/// This program's version.
public let lemmaVersion = "0.1.0"
