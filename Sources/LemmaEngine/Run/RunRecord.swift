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

  /// Commits the run and remembers the new head, unless the last run of this pipeline says all that
  /// there is to say: that nothing changed is no news.
  /// - Returns: the commit's id; nil when there was nothing to record.
  public static func commit(_ summary: RunSummary, of project: Project) throws -> String? {
    let workspace = project.workspace
    guard let lock = try FileLock.take("\(workspace.store.root)/locks/ledger") else {
      throw Failure(.internal, "lock", "the ledger's lock was not given")
    }
    defer { withExtendedLifetime(lock) {} }
    let ledger = try workspace.ledger()
    let base = project.earlierCommit
    var changes = try self.changes(summary, of: project)
    let lost = try lostHead(of: ledger, in: workspace)
    // Outputs that were put back may have been another run's.
    let isNews =
      try !changes.isEmpty || lost != nil || summary.records.contains { $0.outcome.word != "cached" }
      || (!summary.records.isEmpty && ledger.head() != base)
    guard isNews else { return nil }
    changes.append(
      ("run.json", Array(try run(summary, of: project, projectCommit: ledger.projectCommit()).pretty.utf8)))
    let id = try ledger.commit(base: base, changes: changes, time: summary.began + Int64(summary.seconds)) { number in
      message(summary, of: project.name, number: number, lost: lost)
    }
    try workspace.store.index.record(head: id, ofLedger: workspace.name(of: ledger))
    return id
  }

  /// The line of a run's message that names a run which the ledger contained and no longer does.
  public static let lostTrailer = "Lemma-Lost: "

  /// The newest run that this store has seen in the ledger, if the ledger does not contain it.
  public static func lostHead(of ledger: Ledger, in workspace: Workspace) throws -> String? {
    guard let seen = try workspace.store.index.head(ofLedger: workspace.name(of: ledger)) else { return nil }
    if try ledger.head() == seen { return nil }
    return try ledger.runs().contains { $0.id == seen } ? nil : seen
  }

  /// How many stages a run's message lists.
  private static let listedStages = 100

  private static func message(_ summary: RunSummary, of pipeline: String, number: Int, lost: String?) -> String {
    let counts = ["ran", "cached", "failed", "cancelled", "blocked", "skipped"]
      .map { (word: $0, count: summary.count($0)) }.filter { $0.count > 0 }
      .map { "\($0.count) \($0.word)" }.joined(separator: ", ")
    var text = "Run \(pipeline): \(summary.status), \(counts.isEmpty ? "no stages" : counts)\n\n"
    let changed = summary.records.filter { $0.outcome.word != "cached" }
    for record in changed.prefix(listedStages) {
      text += "\(record.outcome.word) \(record.stage.id)"
      if let reason = record.reason { text += ": \(reason.text)" }
      if case .failed(let failure) = record.outcome {
        text += ": \(failure.message.split(separator: "\n").first ?? "")"
      }
      text += "\n"
    }
    if changed.count > listedStages { text += "and \(changed.count - listedStages) more\n" }
    if let lost { text += "\(lostTrailer)\(lost)\n" }
    return printable(text) + (!changed.isEmpty || lost != nil ? "\n" : "") + "\(Ledger.trailer(number: number))"
  }

  /// What differs from the last run's files, `run.json` aside.
  private static func changes(_ summary: RunSummary, of project: Project) throws -> [(path: String, bytes: [UInt8]?)] {
    var changes: [(path: String, bytes: [UInt8]?)] = []
    for record in summary.records where !project.isKnown(record) {
      let name = fileName(record.stage.id)
      changes.append(("stages/\(name).json", Array(try stage(record).pretty.utf8)))
      for output in record.stage.outputs where plainOutputs.contains(output.name) {
        let place = "files/\(name)/\(output.fileName)"
        let artifact = record.result?.outputs[output.name]
        if let artifact, artifact.kind != .folder, artifact.identity.size <= plainFileLimit,
          let bytes = try? project.workspace.store.read(artifact.identity)
        {
          changes.append((place, bytes))
        } else {
          changes.append((place, nil))
        }
      }
    }
    for (number, state) in summary.states.enumerated() where state == .skipped {
      let stage = project.stages[number]
      changes.append(("stages/\(fileName(stage.id)).json", Array(nothing(of: stage).pretty.utf8)))
    }
    if let gone = project.stagesGone {
      for id in gone { changes.append(("stages/\(fileName(id)).json", nil)) }
      changes.append(("pipeline.yaml", try project.bytes()))
      let order = (0..<project.stages.count).map { JSON.string(project.stages.id($0)) }
      changes.append(("stages.json", Array(JSON.array(order).pretty.utf8)))
    }
    if !changes.isEmpty {
      let metrics = project.shown(after: summary).filter { !$0.result.metrics.isEmpty }
        .map { ($0.stage.id, JSON.object($0.result.metrics)) }
      changes.append(
        ("metrics.json", Array(JSON.object(Dictionary(uniqueKeysWithValues: metrics)).pretty.utf8)))
    }
    return changes
  }

  private static func run(_ summary: RunSummary, of project: Project, projectCommit: String?) throws -> JSON {
    let program = try project.workspace.store.identify("/proc/self/exe")
    return [
      "format": 2, "pipeline": .string(project.name), "pipeline_sha256": .string(Seal(of: try project.bytes()).hex),
      "parameters": .object(project.parameters), "status": .string(summary.status),
      "began": .string(Clock.text(summary.began)), "seconds": JSON((summary.seconds * 1000).rounded() / 1000),
      "lemma": ["version": .string(lemmaVersion), "program": program?.json ?? .null],
      "project_commit": projectCommit.map(JSON.string) ?? .null, "platform": ActionDocument.platform,
      "processors": JSON(Machine.processors), "outcomes": .object(try outcomes(summary, of: project)),
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
    for record in summary.records where record.outcome.word != "cached" {
      var members: [String: JSON] = ["outcome": .string(record.outcome.word)]
      if let reason = record.reason { members["reason"] = .string(reason.text) }
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
