import ArgumentParser
import LemmaBasics
import LemmaEngine
import LemmaPipeline
import LemmaProvenance

struct ReproduceCommand: LemmaCommand {
  static let configuration = CommandConfiguration(
    commandName: "reproduce",
    abstract: "Execute a stage of the newest run again and compare every bit.",
    discussion: """
      The stage runs in a fresh folder from its recorded inputs, whatever the cache knows. The recorded result stays; \
      the verdict becomes a commit of the ledger. Exits with 1 when an output differs, naming the first file, and in \
      it the first tensor (.safetensors), row (.jsonl) or byte.

      EXAMPLES
        lemma reproduce train
        lemma reproduce 'train[size=500]' pipelines/quickstart.yaml --json
      """)

  @Argument(help: "A stage, with or without its matrix values.") var stage: String
  @OptionGroup var options: PipelineOptions
  @Option(help: "The sandbox, in place of what the pipeline says. Default: the variable LEMMA_SANDBOX, if it is set.")
  var sandbox: SandboxMode?
  @Flag(help: "Run the commands of this project's pipelines, now and from now on.") var trust = false
  @Flag(help: "Print as JSON.") var json = false

  func execute() throws {
    Interrupt.block()
    let workspace = try options.workspace.openExisting()
    let progress = ProgressLine()
    try Interrupt.watch { Terminal.note("stopping") }
    let waiting = { (holder: String) in Terminal.note("another run is at work here; waiting for \(holder)") }
    guard let lock = try workspace.lockForRun(waiting: waiting, isCancelled: { Interrupt.isRequested }) else {
      throw ExitCode.interrupted
    }
    defer { withExtendedLifetime(lock) {} }
    let project = try options.open(in: workspace)
    try Trust(project: workspace.project).require(isGiven: trust) { try options.parse() }
    var run = RunOptions()
    run.program = StageOptions.program
    run.sandbox = try StageOptions.mode(sandbox)
    let verdict: Reproduction
    do {
      verdict = try Reproduction(
        of: stage, in: project, options: run,
        report: { progress.show("\($0.done)/\($0.total) \($0.unit) \($0.detail)") },
        isCancelled: { Interrupt.isRequested })
    } catch  where Interrupt.isRequested {
      progress.end()
      throw ExitCode.interrupted
    }
    progress.end()
    if json { Terminal.json(view(verdict)) } else { print(verdict) }
    if !verdict.isSame { throw ExitCode.faulty }
  }

  private func view(_ verdict: Reproduction) -> JSON {
    [
      "stage": .string(verdict.stage), "run": .string(verdict.run), "action_key": .string(verdict.actionKey),
      "same": .bool(verdict.isSame), "same_outputs": .array(verdict.same.map(JSON.string)),
      "differences": .array(
        verdict.divergences.map {
          [
            "output": .string($0.output), "file": $0.file.map(JSON.string) ?? .null, "place": .string($0.place),
          ]
        }), "commit": .string(verdict.commit),
    ]
  }

  private func print(_ verdict: Reproduction) {
    for output in verdict.same { Terminal.out("same       \(output)", .green) }
    for divergence in verdict.divergences { Terminal.out("different  \(divergence.text)", .red) }
    Terminal.out(
      "\(verdict.stage): \(verdict.isSame ? "every bit is the same" : "not the same"); run \(verdict.commit.prefix(10))"
    )
  }
}
