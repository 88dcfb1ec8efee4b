import ArgumentParser
import Glibc
import LemmaBasics
import LemmaEngine
import LemmaProvenance

struct RunCommand: LemmaCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Rebuild the stages whose inputs changed.",
    discussion: """
      Finished work is kept whatever happens: after Ctrl-C, a failure or a kill the next run goes on from there. \
      A run that changes anything is a commit on refs/lemma/runs ('lemma log', or plain 'git log refs/lemma/runs').

      EXAMPLES
        lemma run
        lemma run pipelines/quickstart.yaml --param seed=2 --jobs 1
        lemma run --only train --explain
        lemma run --from 'train[size=500]' --force 'train[size=500]'
        lemma run --keep-going --json > run.json
        lemma run --watch
        lemma run --trace train
      """)

  @OptionGroup var options: PipelineOptions

  @Option(name: .shortAndLong, help: "Processors that stages may keep busy together. Default: all.")
  var jobs: Int?

  @Flag(name: .shortAndLong, help: "After a failure go on with stages that do not depend on it.")
  var keepGoing = false

  @Option(help: ArgumentHelp("Only this stage and what it needs; may be repeated.", valueName: "stage"))
  var only: [String] = []

  @Option(
    help: ArgumentHelp("Only this stage, what depends on it and what those need; may be repeated.", valueName: "stage"))
  var from: [String] = []

  @Option(help: ArgumentHelp("Run this stage even if its result is known; may be repeated.", valueName: "stage"))
  var force: [String] = []

  @Flag(help: "Say of every stage why it ran, or why not.")
  var explain = false

  @Flag(help: "Stay, and run again whenever an input or the pipeline file changes.")
  var watch = false

  @Flag(help: "Run the commands of this project's pipelines, now and from now on.")
  var trust = false

  @OptionGroup var stageOptions: StageOptions

  @Flag(help: "Print the run's record as JSON on standard output.")
  var json = false

  @Flag(name: .shortAndLong, help: "Print failures only.")
  var quiet = false

  func validate() throws {
    if let jobs, jobs < 1 { throw ValidationError("--jobs must be at least 1") }
  }

  func execute() throws {
    Interrupt.block()
    let workspace = try options.workspace.open()
    let display = ProgressDisplay(isLive: Terminal.isInteractive && !quiet)
    try Interrupt.watch { display.announceStop() }
    guard watch else {
      let (_, code) = try run(in: workspace, display)
      display.end()
      if let code { throw code }
      return
    }
    while true {
      do {
        let (project, _) = try run(in: workspace, display)
        display.handle(.note("watching; press Ctrl-C to end"))
        guard try project.waitForChange(isCancelled: { Interrupt.isRequested }) else { break }
      } catch let failures as Failures {
        // A pipeline file in the middle of an edit.
        Terminal.error(failures.all)
        try waitForEdit()
      }
      if Interrupt.isRequested { break }
    }
    display.end()
  }

  /// One run.
  /// - Returns: the project, and the exit code that it deserves.
  private func run(in workspace: Workspace, _ display: ProgressDisplay) throws -> (Project, ExitCode?) {
    let holderNote = { (holder: String) in display.handle(.note("another run is at work here; waiting for \(holder)")) }
    guard let lock = try workspace.lockForRun(waiting: holderNote, isCancelled: { Interrupt.isRequested }) else {
      throw ExitCode.interrupted
    }
    defer { withExtendedLifetime(lock) {} }
    let project = try options.open(in: workspace)
    if let stage = stageOptions.trace { return (project, try trace(stage, of: project, display)) }
    let isUpToDate = project.isUpToDate && only.isEmpty && from.isEmpty && force.isEmpty
    if !isUpToDate { try Trust(project: workspace.project).require(isGiven: trust) { try options.parse() } }
    let (summary, commit) = isUpToDate ? (try project.keepSurvey(), nil) : try bringUpToDate(project, display)
    if !watch { display.end() }
    if json {
      Terminal.json(RunView.json(summary, of: project, commit: commit))
    } else if !quiet {
      if explain { RunView.explain(summary, of: project) }
      RunView.print(summary, of: project, commit: commit)
    }
    if let worst = summary.failures.first(where: { $0.kind != .user }) { return (project, ExitCode(worst)) }
    if !summary.failures.isEmpty { return (project, .faulty) }
    return (project, summary.wasCancelled ? .interrupted : nil)
  }

  private func trace(_ stage: String, of project: Project, _ display: ProgressDisplay) throws -> ExitCode? {
    try Trust(project: project.workspace.project).require(isGiven: trust) { try options.parse() }
    var trace = StageTrace(project: project, options: stageOptions.options)
    let report = try trace.run(stage, report: { _ in }, isCancelled: { Interrupt.isRequested })
    display.end()
    if json { Terminal.json(TraceView.json(report)) } else { TraceView.print(report) }
    guard let failure = report.failure else { return nil }
    if !json { Terminal.error([failure]) }
    return .faulty
  }

  private func bringUpToDate(_ project: Project, _ display: ProgressDisplay) throws -> (RunSummary, String?) {
    // A ledger that cannot be written is better known before the work than after it.
    _ = try project.workspace.ledger().head()
    try Recovery.beforeRun(in: project.workspace) { display.handle(.note($0)) }
    var options = stageOptions.options
    options.jobs = max(1, jobs ?? Machine.processors)
    options.keepsGoing = keepGoing
    options.only = only
    options.from = from
    options.force = force
    options.sandbox = try stageOptions.mode()
    let isQuiet = quiet
    let runner = try Runner(
      project: project, options: options,
      observe: { event in
        if isQuiet { guard case .finished(_, .failed) = event else { return } }
        display.handle(event)
      }, isCancelled: { Interrupt.isRequested })
    let summary = try runner.run()
    return (summary, try project.record(summary))
  }

  /// Waits until the pipeline file is another one.
  private func waitForEdit() throws {
    let file = try ParameterOptions.find(options.file)
    let before = try? Files.read(file)
    while !Interrupt.isRequested, (try? Files.read(file)) == before { usleep(250_000) }
  }
}

/// A finished run as text and as JSON.
enum RunView {
  static func print(_ summary: RunSummary, of project: Project, commit: String?) {
    let count = summary.stageCount
    let noun = count == 1 ? "stage" : "stages"
    if summary.count("cached") == count {
      Terminal.note("up to date: \(count) \(noun) unchanged, \(Terminal.duration(summary.seconds))")
    } else {
      let counts = ["ran", "cached", "failed", "cancelled", "blocked", "skipped"]
        .filter { summary.count($0) > 0 }.map { "\(summary.count($0)) \($0 == "blocked" ? "not started" : $0)" }
      Terminal.note(
        "\(summary.status): \(counts.joined(separator: ", ")) of \(count) \(noun), \(Terminal.duration(summary.seconds))"
          + (commit.map { "; run \($0.prefix(10))" } ?? ""))
    }
    guard summary.status == "complete" else { return }
    let shown = project.shown(after: summary)
    func places(_ output: String) -> [String] {
      shown.flatMap { stage, _ in stage.outputs.filter { $0.name == output }.map(\.path) }
    }
    let tables = places("table").filter { $0.hasSuffix(".txt") }
    for table in tables {
      if let text = try? Files.readText(project.workspace.absolute(table)) { Terminal.out(text) }
    }
    if tables.isEmpty {
      for line in MetricsView.lines(shown.map { (stage: $0.stage.id, metrics: $0.result.metrics) }) {
        Terminal.out(line)
      }
    }
    for report in places("report") { Terminal.out("report: \(report)") }
  }

  /// Why every stage ran, or why not.
  static func explain(_ summary: RunSummary, of project: Project) {
    for line in Columns.lines(project.account(of: summary).map { [$0.outcome, $0.id, $0.reason] }) {
      Terminal.out(line)
    }
  }

  static func json(_ summary: RunSummary, of project: Project, commit: String?) -> JSON {
    [
      "errors": .array(summary.failures.map(\.json)),
      "pipeline": .string(project.name), "status": .string(summary.status), "commit": commit.map(JSON.string) ?? .null,
      "seconds": JSON((summary.seconds * 1000).rounded() / 1000),
      "stages": .array(
        project.account(of: summary).map { stage in
          [
            "stage": .string(stage.id), "outcome": .string(stage.outcome), "reason": .string(stage.reason),
            "failure": stage.failure.map { .string($0.description) } ?? .null,
            "action_key": stage.actionKey.map { .string($0.hex) } ?? .null,
            "outputs": .object(stage.result?.outputs.mapValues(\.json) ?? [:]),
            "metrics": .object(stage.result?.metrics ?? [:]),
          ]
        }),
    ]
  }
}
