import ArgumentParser
import LemmaBasics
import LemmaEngine
import LemmaPipeline
import LemmaProvenance

struct CheckCommand: LemmaCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Read and validate a pipeline file; run nothing.",
    discussion: """
      Every mistake is reported with file:line:column and the nearest correct name.

      EXAMPLES
        lemma check
        lemma check pipelines/quickstart.yaml --param sizes='[500, 1000]'
      """)

  @Argument(help: "The pipeline file.", completion: .file(extensions: ["yaml", "yml"]))
  var file = "lemma.yaml"
  @OptionGroup var parameters: ParameterOptions
  @Flag(help: "Print what was read as JSON.") var json = false

  func execute() throws {
    let pipeline = try parameters.load(file)
    if json {
      Terminal.json([
        "pipeline": .string(pipeline.name), "parameters": .object(pipeline.parameters),
        "sources": .array(pipeline.sources.map { ["name": .string($0.name), "path": .string($0.path)] }),
        "stages": .array(
          pipeline.stages.map { stage in
            ["stage": .string(stage.id), "dependencies": .array(stage.dependencies.map(JSON.string))]
          }),
      ])
    } else {
      Terminal.out(
        "\(file): '\(pipeline.name)' is well formed: \(pipeline.sources.count) sources, \(pipeline.stages.count) stages"
      )
    }
  }
}

struct PlanCommand: LemmaCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Say what 'run' would do, and why; do nothing.",
    discussion: """
      EXAMPLES
        lemma plan
        lemma plan pipelines/quickstart.yaml --param seed=2
        lemma plan --json | jq '.[] | select(.verdict == "run")'
      """)

  @OptionGroup var options: PipelineOptions
  @Flag(help: "Print as JSON.") var json = false

  func execute() throws {
    let project = try options.open()
    let plan = try Plan.make(project)
    let open = plan.entries.filter { if case .current = $0.verdict { false } else { true } }
    if json { return Terminal.json(PlanView.json(plan, of: project)) }
    if open.isEmpty { return Terminal.out("nothing to do: \(plan.entries.count) stages are up to date") }
    for line in Columns.lines(open.map { [$0.verdict.word, $0.id, $0.verdict.text] }) { Terminal.out(line) }
    let current = plan.entries.count - open.count
    if current > 0 { Terminal.out("\(current) stages are up to date") }
  }
}

struct StatusCommand: LemmaCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Show every stage: up to date, to be run, or with outputs changed in the workspace.",
    discussion: """
      EXAMPLES
        lemma status
        lemma status pipelines/quickstart.yaml --json
      """)

  @OptionGroup var options: PipelineOptions
  @Flag(help: "Print as JSON.") var json = false

  func execute() throws {
    let project = try options.open()
    let plan = try Plan.make(project)
    if json { return Terminal.json(PlanView.json(plan, of: project)) }
    let runs = try project.workspace.ledger().runs()
    if let run = runs.first(where: { $0.title.hasPrefix("Run \(project.name):") }) {
      Terminal.out("last run: \(run.number), \(run.id.prefix(10)), \(Clock.text(run.time)): \(run.title)")
    } else {
      Terminal.out("this pipeline has not been run here yet")
    }
    for line in Columns.lines(plan.entries.map { [$0.verdict.word, $0.id, $0.verdict.text] }) {
      Terminal.out(line)
    }
  }
}

/// A plan's entries as JSON.
enum PlanView {
  static func json(_ plan: Plan, of project: Project) -> JSON {
    .array(
      plan.entries.map { entry in
        var members: [String: JSON] = [
          "stage": .string(entry.id), "verdict": .string(entry.verdict.word),
          "action_key": plan.document(entry, of: project).map { .string($0.digest.hex) } ?? .null,
        ]
        if !entry.verdict.text.isEmpty { members["reason"] = .string(entry.verdict.text) }
        return .object(members)
      })
  }
}

struct WhyCommand: LemmaCommand {
  static let configuration = CommandConfiguration(
    commandName: "why",
    abstract: "Say what differs for a stage from the last time, down to the field, the file or the line.",
    discussion: """
      EXAMPLES
        lemma why train
        lemma why 'train[size=500]' pipelines/quickstart.yaml
      """)

  @Argument(help: "A stage, with or without its matrix values.") var stage: String
  @OptionGroup var options: PipelineOptions
  @Flag(help: "Print as JSON.") var json = false

  func execute() throws {
    let answers = try Why.explain(stage, project: try options.open(about: stage))
    if json {
      return Terminal.json(
        .array(
          answers.map { answer in
            [
              "stage": .string(answer.stage), "verdict": .string(answer.verdict),
              "details": .array(answer.details.map(JSON.string)),
            ]
          }))
    }
    for answer in answers {
      Terminal.out("\(answer.stage): \(answer.verdict)")
      for detail in answer.details { Terminal.out("  \(detail)") }
    }
  }
}

struct SchemaCommand: LemmaCommand {
  static let configuration = CommandConfiguration(
    commandName: "schema",
    abstract: "Print the JSON Schema of the pipeline file, for editors.",
    discussion: """
      EXAMPLES
        lemma schema > lemma.schema.json
        then, in the first line of a pipeline: # yaml-language-server: $schema=lemma.schema.json
      """)

  func execute() throws { Terminal.json(Registry.standard.catalogue.jsonSchema()) }
}
