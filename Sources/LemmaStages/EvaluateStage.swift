import LemmaBasics
import LemmaCorpus
import LemmaEngine
import LemmaEvaluation
import LemmaModel
import LemmaPipeline

/// `evaluate`: puts problems to a checkpoint and grades the answers.
struct EvaluateStage: BuiltinStage {
  let implementation = 2
  let facts: [String: JSON] = [
    "numerics": .string(numericsClass), "prompt": PromptTemplate.zeroShot.json, "grader": .string(Grader.version),
  ]
  let kind = StageKind(
    name: "evaluate",
    summary: "Answers problems greedily, zero-shot, and grades them exactly, strictly and leniently.",
    inputs: [
      .init(name: "model", summary: "A checkpoint, as a Hugging Face folder.", isFolder: true),
      .init(name: "rows", summary: "The problems with their answers."),
    ],
    outputs: [
      .init(
        name: "metrics", summary: "Accuracy with Wilson intervals, overall and by steps.", fileName: "metrics.json"),
      .init(name: "items", summary: "One record a problem: response, extraction, verdicts.", fileName: "items.jsonl"),
    ],
    parameters: [
      .count("max_new_tokens", "The most tokens of an answer.", atLeast: 1, default: 128),
      .init(
        name: "precision", summary: "Of the operands of matrix products.",
        type: .choice(Precision.allCases.map(\.rawValue)), defaultValue: "float32"),
      .template,
      .init(
        name: "take", summary: "Only the first so many problems.", type: .optional(.integer(1...1_000_000_000)),
        defaultValue: .null),
    ])

  func run(_ context: StageContext) throws -> JSON {
    let settings = Settings(context)
    var rows = try Row.read(context.input("rows").path)
    if let take = try settings.optionalInt("take") { rows = Array(rows.prefix(take)) }
    let folder = try context.input("model").path
    let precision = Precision(rawValue: try settings.text("precision")) ?? .float32
    let decoder = try Decoder(model: try Checkpoint.load(from: folder), precision: precision, threads: context.threads)
    let form = PromptForm(rawValue: try settings.text("template")) ?? .plain
    let completions = try decoder.generate(
      prompts: rows.map { $0.prompt(form) }, as: form, maxNewTokens: try settings.int("max_new_tokens"),
      progress: { progress in
        context.report(
          Progress(
            unit: "problems", done: progress.finished, total: progress.prompts, detail: "\(progress.tokens) tokens"))
      }, isCancelled: context.isCancelled)
    let items = zip(rows, completions).map { EvaluationItem(row: $0, response: $1.text) }
    let writer = try JSONLWriter(path: context.output("items"))
    for item in items { try writer.write(item.json) }
    try writer.finish()
    var metrics = try self.metrics(AccuracySummary(items), modelFolder: folder)
    metrics["no_answer"] = JSON(items.count { $0.grade.strict.extraction == nil })
    try Files.write(Array(JSON.object(metrics).pretty.utf8), to: context.output("metrics"))
    return .object(metrics)
  }

  /// The summary, beside what the checkpoint says of its training.
  private func metrics(_ summary: AccuracySummary, modelFolder: String) throws -> [String: JSON] {
    let overall = summary.overall
    var metrics: [String: JSON] = [
      "accuracy": rounded(overall.strictShare), "accuracy_low": rounded(overall.strictInterval.low),
      "accuracy_high": rounded(overall.strictInterval.high), "accuracy_lenient": rounded(overall.lenientShare),
      "items": JSON(overall.items),
    ]
    for (steps, accuracy) in summary.bySteps {
      metrics["steps_\(steps)"] = rounded(accuracy.strictShare)
      metrics["steps_\(steps)_items"] = JSON(accuracy.items)
    }
    let record = "\(modelFolder)/training.json"
    if Files.exists(record) {
      let training = try JSON(parsing: Files.read(record), file: "training.json")
      for name in ["rows", "too_long", "steps", "tokens", "parameters"] { metrics["training_\(name)"] = training[name] }
    }
    return metrics
  }

  /// Six decimals: more than any number of items can tell apart here, and short to read.
  private func rounded(_ share: Double) -> JSON { JSON((share * 1e6).rounded() / 1e6) }
}
