import LemmaBasics
import LemmaCorpus
import LemmaEngine
import LemmaPipeline
import LemmaSynthesis

/// `seeds`: makes arithmetic word problems with worked steps.
struct SeedsStage: BuiltinStage {
  let implementation = 1
  let kind = StageKind(
    name: "seeds",
    summary: "Makes arithmetic word problems with worked steps in GSM8K's notation.",
    inputs: [],
    outputs: [.rows],
    parameters: [
      .count("rows", "How many problems.", atLeast: 1),
      .count("min_steps", "The fewest worked steps of a problem.", atLeast: 1, default: 1),
      .count("max_steps", "The most worked steps of a problem.", atLeast: 1, default: 2),
      .count("maximum", "The largest number in a problem or a step.", atLeast: 1, default: 30),
      .seed,
    ],
    mistakes: { with, _ in .from("min_steps") { _ = try steps(Settings(with)) } })

  private static func steps(_ settings: Settings) throws -> ClosedRange<Int> {
    let least = try settings.int("min_steps")
    let most = try settings.int("max_steps")
    guard least <= most else {
      throw Failure(.user, "steps", "'min_steps' is \(least), more than 'max_steps', which is \(most)")
    }
    return least...most
  }

  func run(_ context: StageContext) throws -> JSON {
    let settings = Settings(context)
    let generator = try SeedGenerator(
      .init(steps: SeedsStage.steps(settings), maximum: try settings.int("maximum")))
    let rows = try generator.rows(
      count: try settings.int("rows"), seed: try settings.seed(), progress: context.progress("rows"),
      isCancelled: context.isCancelled)
    try Row.write(rows, to: context.output("rows"))
    return ["rows": JSON(rows.count)]
  }
}

/// `gsm8k`: reads a file of GSM8K's form.
struct GSM8KStage: BuiltinStage {
  let implementation = 1
  let kind = StageKind(
    name: "gsm8k",
    summary: "Reads problems of GSM8K's form: JSON lines with 'question' and 'answer'.",
    inputs: [.init(name: "file", summary: "A file of GSM8K, such as train.jsonl.")],
    outputs: [.rows],
    parameters: [
      .init(name: "split", summary: "The split's name in the rows.", type: .string, defaultValue: "train")
    ])

  func run(_ context: StageContext) throws -> JSON {
    let rows = try GSM8K.seeds(context.input("file").path, split: Settings(context).text("split"))
    try Row.write(rows, to: context.output("rows"))
    return ["rows": JSON(rows.count)]
  }
}

extension StageContext {
  /// A callback for long loops that count one thing.
  func progress(_ unit: String) -> @Sendable (Int, Int) -> Void {
    let report = report
    return { done, total in report(Progress(unit: unit, done: done, total: total)) }
  }
}
