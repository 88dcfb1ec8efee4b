import ArgumentParser
import LemmaBasics
import LemmaEngine
import LemmaHash
import LemmaLedger
import LemmaProvenance

struct DiffCommand: LemmaCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff",
    abstract: "Compare two runs: what stages were given, what they gave, and the numbers.",
    discussion: """
      A run is 'latest', its number, '@~1' for the one before, a tag, or the head of its commit id. A stage that was \
      given the same and gave something else is pointed out.

      EXAMPLES
        lemma diff                     the newest run with the one before of the same pipeline
        lemma diff paper-v1 latest
        lemma diff 3 12 --json | jq '.metrics'
      """)

  @Argument(help: "The earlier run. Default: the last one of the same pipeline before the later.") var from: String?
  @Argument(help: "The later run.") var to = "latest"
  @OptionGroup var workspace: WorkspaceOptions
  @Flag(help: "Print as JSON.") var json = false

  func execute() throws {
    let ledger = try workspace.openExisting().ledger()
    let difference = try RunDifference.between(
      try from.map { try ledger.resolve($0) }, try ledger.resolve(to), in: History(ledger))
    if json { Terminal.json(DiffCommand.json(difference)) } else { DiffCommand.print(difference) }
  }

  /// More is there for programs.
  private static let listedStages = 100
  private static let listedFields = 8

  private static func print(_ difference: RunDifference) {
    for (sign, run) in [("-", difference.from), ("+", difference.to)] {
      Terminal.out("\(sign) run \(run.number)  \(run.id.prefix(10))  \(Clock.text(run.time))  \(run.title)")
    }
    if difference.stages.isEmpty { return Terminal.out("no stage differs") }
    for stage in difference.stages.prefix(listedStages) {
      Terminal.out("")
      Terminal.out("\(stage.change.rawValue)  \(stage.stage)", stage.isUnrepeated ? .yellow : nil)
      for field in stage.action.prefix(listedFields) { Terminal.out("  \(field.text)") }
      if stage.action.count > listedFields { Terminal.out("  and \(stage.action.count - listedFields) more") }
      if stage.isUnrepeated { Terminal.out("  given the same, it gave something else", .yellow) }
      if stage.change != .changed { continue }
      for (name, pair) in stage.outputs.sorted(by: { $0.key < $1.key }) {
        Terminal.out("  output '\(name)': \(text(pair.before)) -> \(text(pair.after))")
      }
    }
    if difference.stages.count > listedStages {
      Terminal.out("\nand \(difference.stages.count - listedStages) more stages: see --json")
    }
    if difference.metrics.isEmpty { return }
    Terminal.out("")
    let rows = difference.metrics.map { metric in
      [
        metric.name, MetricsView.text(metric.before), MetricsView.text(metric.after),
        MetricsView.change(metric.before, metric.after),
      ]
    }
    for line in Columns.lines([["metric", "before", "after", "change"]] + rows, rightAligned: [1, 2, 3]) {
      Terminal.out(line)
    }
  }

  private static func text(_ artifact: Artifact?) -> String {
    artifact.map { String($0.identity.digest.hex.prefix(12)) } ?? "none"
  }

  private static func json(_ difference: RunDifference) -> JSON {
    func run(_ run: RecordedRun) -> JSON { ["number": JSON(run.number), "commit": .string(run.id)] }
    return [
      "from": run(difference.from), "to": run(difference.to),
      "stages": .array(
        difference.stages.map { stage in
          [
            "stage": .string(stage.stage), "change": .string(stage.change.rawValue),
            "action": .array(
              stage.action.map {
                ["field": .string($0.path), "before": $0.before ?? .null, "after": $0.after ?? .null]
              }),
            "outputs": .object(
              stage.outputs.mapValues { ["before": $0.before?.json ?? .null, "after": $0.after?.json ?? .null] }),
          ]
        }),
      "metrics": .array(
        difference.metrics.map {
          ["metric": .string($0.name), "before": $0.before ?? .null, "after": $0.after ?? .null]
        }),
    ]
  }
}
