import ArgumentParser
import LemmaBasics
import LemmaEngine
import LemmaPipeline

struct RunCommand: LemmaCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Rebuild the stages whose inputs changed.",
    discussion: """
      Finished work is kept whatever happens: after Ctrl-C, a failure or a kill the next run goes on from there. \
      Every run is a commit on refs/lemma/runs ('lemma log', or plain 'git log refs/lemma/runs').

      EXAMPLES
        lemma run
        lemma run pipelines/quickstart.yaml --param seed=2 --jobs 1
        lemma run --json > run.json
      """)

  @OptionGroup var options: PipelineOptions

  @Option(name: .shortAndLong, help: "Processors that stages may keep busy together. Default: all.")
  var jobs: Int?

  @Flag(help: "Run the commands of this project's pipelines, now and from now on.")
  var trust = false

  @Flag(help: "Print the run's record as JSON on standard output.")
  var json = false

  @Flag(name: .shortAndLong, help: "Print failures only.")
  var quiet = false

  func validate() throws {
    if let jobs, jobs < 1 { throw ValidationError("--jobs must be at least 1") }
  }

  func execute() throws {
    Interrupt.block()
    let (workspace, pipeline, registry) = try options.load()
    try Trust(project: workspace.project).require(for: pipeline, isGiven: trust)
    let display = ProgressDisplay(isLive: Terminal.isInteractive && !quiet)
    try Interrupt.watch { display.announceStop() }
    let isQuiet = quiet
    let holderNote = { (holder: String) in display.handle(.note("another run is at work here; waiting for \(holder)")) }
    guard let lock = try workspace.lockForRun(waiting: holderNote, isCancelled: { Interrupt.isRequested }) else {
      throw ExitCode.interrupted
    }
    defer { withExtendedLifetime(lock) {} }
    // A ledger that cannot be written is better known before the work than after it.
    _ = try workspace.ledger().head()
    let runner = Runner(
      workspace: workspace, pipeline: pipeline, registry: registry,
      options: RunOptions(jobs: jobs ?? Machine.processors),
      observe: { event in
        if isQuiet { guard case .finished(_, .failed) = event else { return } }
        display.handle(event)
      }, isCancelled: { Interrupt.isRequested })
    let summary = try runner.run()
    display.end()
    let commit = try RunRecord.commit(summary, of: pipeline, in: workspace)
    if json {
      Terminal.json(RunView.json(summary, pipeline: pipeline, commit: commit))
    } else if !quiet {
      RunView.print(summary, commit: commit, workspace: workspace)
    }
    if let worst = summary.failures.first(where: { $0.kind != .user }) { throw ExitCode(worst) }
    if !summary.failures.isEmpty { throw ExitCode.faulty }
    if summary.wasCancelled { throw ExitCode.interrupted }
  }
}

/// A finished run as text and as JSON.
enum RunView {
  static func print(_ summary: RunSummary, commit: String, workspace: Workspace) {
    let count = summary.stages.count
    let noun = count == 1 ? "stage" : "stages"
    if summary.count("cached") == count {
      Terminal.note("up to date: \(count) \(noun) unchanged, \(Terminal.duration(summary.seconds))")
    } else {
      let counts = ["ran", "cached", "failed", "cancelled", "blocked"]
        .filter { summary.count($0) > 0 }.map { "\(summary.count($0)) \($0 == "blocked" ? "not started" : $0)" }
      Terminal.note(
        "\(summary.status): \(counts.joined(separator: ", ")) of \(count) \(noun), \(Terminal.duration(summary.seconds)); "
          + "run \(commit.prefix(10))")
    }
    guard summary.status == "complete" else { return }
    let tables = places("table", of: summary).filter { $0.hasSuffix(".txt") }
    for table in tables {
      if let text = try? Files.readText(workspace.absolute(table)) { Terminal.out(text) }
    }
    if tables.isEmpty {
      let metrics = summary.stages.map { (stage: $0.stage.id, metrics: $0.result?.metrics ?? [:]) }
      for line in MetricsView.lines(metrics) { Terminal.out(line) }
    }
    for report in places("report", of: summary) { Terminal.out("report: \(report)") }
  }

  /// Where the outputs with a name stand in the workspace.
  private static func places(_ output: String, of summary: RunSummary) -> [String] {
    summary.stages.filter { $0.result != nil }.flatMap { record in
      record.stage.outputs.filter { $0.name == output }.map(\.path)
    }
  }

  static func json(_ summary: RunSummary, pipeline: Pipeline, commit: String) -> JSON {
    [
      "errors": .array(summary.failures.map(\.json)),
      "pipeline": .string(pipeline.name), "status": .string(summary.status), "commit": .string(commit),
      "seconds": JSON((summary.seconds * 1000).rounded() / 1000),
      "stages": .array(
        summary.stages.map { record in
          [
            "stage": .string(record.stage.id), "outcome": .string(record.outcome.word),
            "failure": record.failure.map { .string($0.description) } ?? .null,
            "reason": record.reason.map { .string($0.text) } ?? .null,
            "action_key": record.action.map { .string($0.key.hex) } ?? .null,
            "outputs": .object(record.result?.outputs.mapValues(\.json) ?? [:]),
            "metrics": .object(record.result?.metrics ?? [:]),
          ]
        }),
    ]
  }
}
