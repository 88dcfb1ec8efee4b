import ArgumentParser
import LemmaBasics
import LemmaEngine
import LemmaHash
import LemmaLedger
import LemmaProvenance

struct LogCommand: LemmaCommand {
  static let configuration = CommandConfiguration(
    commandName: "log",
    abstract: "List the runs, newest first.",
    discussion: """
      The same history as 'git log refs/lemma/runs'.

      EXAMPLES
        lemma log
        lemma log --limit 5 --json
      """)

  @OptionGroup var workspace: WorkspaceOptions
  @Option(name: .shortAndLong, help: "How many runs.") var limit = 20
  @Flag(help: "Print as JSON.") var json = false

  func validate() throws {
    if limit < 1 { throw ValidationError("--limit must be at least 1") }
  }

  func execute() throws {
    let runs = try workspace.openExisting().ledger().runs(limit: limit)
    if json {
      return Terminal.json(
        .array(
          runs.map {
            [
              "number": JSON($0.number), "commit": .string($0.id), "parent": $0.parent.map(JSON.string) ?? .null,
              "time": .string(Clock.text($0.time)), "title": .string($0.title),
            ]
          }))
    }
    if runs.isEmpty { return Terminal.out("nothing has been run here yet") }
    let rows = runs.map { ["#\($0.number)", String($0.id.prefix(10)), Clock.text($0.time), $0.title] }
    for line in Columns.lines(rows) { Terminal.out(line) }
  }
}

struct ShowCommand: LemmaCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show a run, or one stage of it, as it was recorded.",
    discussion: """
      A run is 'latest', its number, '@~1' for the one before, a tag, or the head of its commit id.

      EXAMPLES
        lemma show
        lemma show --run 12
        lemma show 'train[size=500]' --json
        lemma show train --log
      """)

  @Argument(help: "A stage, an output or a metric. Default: the whole run.") var what: String?
  @Option(help: "The run.") var run = "latest"
  @OptionGroup var workspace: WorkspaceOptions
  @Flag(help: "Print as JSON.") var json = false
  @Flag(help: "Print what the stage printed: in its last attempt if that failed, else when it was run.") var log = false

  func validate() throws {
    if log, what == nil { throw ValidationError("--log needs a stage") }
  }

  func execute() throws {
    let workspace = try workspace.openExisting()
    let ledger = try workspace.ledger()
    let history = History(ledger)
    let id = try ledger.resolve(run)
    let stages = try history.stages(of: id)
    guard let what else { return try show(ledger.run(id), stages, history) }
    let target = try Target.find(
      what, stages: stages, project: workspace.project, folder: try WorkspaceOptions.currentFolder())
    guard let stage = stages.first(where: { $0.stage == target.stage }) else { return }
    if !log { return show(stage, target) }
    let bytes = try StageLog.read(actionKey: stage.actionKey, result: stage.result, in: workspace) ?? []
    let text = String(decoding: bytes.last == UInt8(ascii: "\n") ? bytes.dropLast() : bytes[...], as: UTF8.self)
    if json { return Terminal.json(["stage": .string(stage.stage), "log": .string(text)]) }
    if !bytes.isEmpty { Terminal.out(text) }
  }

  private func show(_ run: RecordedRun, _ stages: [RecordedStage], _ history: History) throws {
    if json {
      guard case .object(var members) = try history.summary(of: run.id) else { return }
      members["commit"] = .string(run.id)
      members["number"] = JSON(run.number)
      members["metrics"] = .object(
        Dictionary(stages.map { ($0.stage, .object($0.result?.metrics ?? [:])) }) { first, _ in first })
      return Terminal.json(.object(members))
    }
    Terminal.out("run \(run.number)  \(run.id)  \(Clock.text(run.time))")
    Terminal.out(run.title)
    Terminal.out("")
    let rows = stages.map { stage in
      [stage.stage, stage.outcome, stage.result.map { Terminal.duration($0.seconds) } ?? "", stage.reason ?? ""]
    }
    for line in Columns.lines([["stage", "outcome", "took", "reason"]] + rows) { Terminal.out(line) }
    Terminal.out("")
    for line in MetricsView.lines(stages.map { ($0.stage, $0.result?.metrics ?? [:]) }) { Terminal.out(line) }
  }

  private func show(_ stage: RecordedStage, _ target: Target) {
    if json {
      return Terminal.json([
        "stage": .string(stage.stage), "outcome": .string(stage.outcome),
        "reason": stage.reason.map(JSON.string) ?? .null,
        "action": stage.action ?? .null, "action_key": stage.actionKey.map(JSON.string) ?? .null,
        "result": stage.result?.json ?? .null, "places": .object(stage.places.mapValues(JSON.string)),
      ])
    }
    if let metric = target.metric, target.output == nil {
      return Terminal.out(stage.result?.metrics[metric]?.canonical ?? "")
    }
    Terminal.out("stage    \(stage.stage)")
    Terminal.out("outcome  \(stage.outcome)\(stage.reason.map { ": \($0)" } ?? "")")
    if let key = stage.actionKey { Terminal.out("action   \(key)") }
    if let result = stage.result { Terminal.out("took     \(Terminal.duration(result.seconds))") }
    for (name, artifact) in (stage.result?.outputs ?? [:]).sorted(by: { $0.key < $1.key })
    where target.output == nil || target.output == name {
      Terminal.out("output   \(name)  \(stage.places[name] ?? "")")
      Terminal.out(
        "         xxh3 \(artifact.identity.digest.hex)  sha256 \(artifact.identity.seal.hex)  \(artifact.identity.size) bytes"
      )
    }
    for (name, value) in (stage.result?.metrics ?? [:]).sorted(by: { $0.key < $1.key }) {
      Terminal.out("metric   \(name)  \(value.canonical)")
    }
    if let configuration = stage.action?["with"] ?? stage.action?["command"] {
      Terminal.out("configuration")
      Terminal.out(configuration.pretty)
    }
  }
}

struct AuditCommand: LemmaCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit",
    abstract: "Prove where a report, a metric or an artifact came from.",
    discussion: """
      Walks back to items, checkpoint, training rows, seeds, configuration and program, computes every digest on the \
      way anew under both names, and exits with 1, naming the object, when anything is missing or altered.

      EXAMPLES
        lemma audit 'evaluate[size=8000].accuracy'
        lemma audit results/report/report.html
        lemma audit train --run 12 --json
      """)

  @Argument(help: "A workspace file, a stage, or STAGE.METRIC or STAGE.OUTPUT.", completion: .file()) var what: String
  @Option(help: "The run: latest, a number, @~1, a tag, or the head of a commit id.") var run = "latest"
  @OptionGroup var workspace: WorkspaceOptions
  @Flag(help: "Print as JSON.") var json = false

  func execute() throws {
    let auditor = try Auditor(workspace: try workspace.openExisting())
    let audit = try auditor.audit(what, run: run, folder: try WorkspaceOptions.currentFolder())
    if json { Terminal.json(AuditView.json(audit)) } else { AuditView.print(audit) }
    if !audit.isSound { throw ExitCode.faulty }
  }
}
