import LemmaBasics
import LemmaCorpus
import LemmaEngine
import LemmaPipeline

/// `split`: holds problems out for evaluation.
struct SplitStage: BuiltinStage {
  let implementation = 1
  let kind = StageKind(
    name: "split",
    summary: "Holds out whole seeds: nothing made of a held-out seed is trained on, nor any row with a held-out text.",
    inputs: [.rows],
    outputs: [
      .init(name: "train", summary: "The rows to train on.", fileName: "train.jsonl"),
      .init(name: "heldout", summary: "The rows to evaluate on.", fileName: "heldout.jsonl"),
    ],
    parameters: [.count("heldout", "How many rows to hold out, at least.", atLeast: 1), .seed])

  func run(_ context: StageContext) throws -> JSON {
    let settings = Settings(context)
    let parts = HeldOut.split(
      try Row.read(context.input("rows").path), rows: try settings.int("heldout"), seed: try settings.seed())
    guard !parts.train.isEmpty else {
      throw Failure(.user, "split", "holding out \(try settings.int("heldout")) rows leaves none to train on")
    }
    try Row.write(parts.train, to: context.output("train"))
    try Row.write(parts.heldOut, to: context.output("heldout"))
    return [
      "train": JSON(parts.train.count), "heldout": JSON(parts.heldOut.count), "removed": JSON(parts.removed.count),
    ]
  }
}

/// `decontaminate`: removes training rows that share text with a test set.
struct DecontaminateStage: BuiltinStage {
  let implementation = 1
  let kind = StageKind(
    name: "decontaminate",
    summary: "Removes rows that share an n-gram, or their whole text, with a test set (Skywork-Math, section 4.3.7).",
    inputs: [.rows, .init(name: "tests", summary: "The test problems.", isList: true)],
    outputs: [
      .rows,
      .init(
        name: "removed", summary: "One record a removed row: the reason, the test problem, the words.",
        fileName: "removed.jsonl"),
    ],
    parameters: [
      .count("n", "Words in a row that make a hit.", atLeast: 1, default: 30),
      .init(
        name: "tokenizer", summary: "What a word is.",
        type: .choice(WordTokenizer.allCases.map(\.rawValue)), defaultValue: .string(WordTokenizer.allCases[0].rawValue)
      ),
    ])

  func run(_ context: StageContext) throws -> JSON {
    let settings = Settings(context)
    guard let tokenizer = WordTokenizer(rawValue: try settings.text("tokenizer")) else {
      throw Failure(.internal, "setting", "there is no such tokenizer")
    }
    let tests = try (context.inputs["tests"] ?? []).flatMap { try Row.read($0.path) }
    let decontamination = try Decontamination(
      against: tests, configuration: .init(n: settings.int("n"), tokenizer: tokenizer))
    let outcome = decontamination.filter(try Row.read(context.input("rows").path))
    try Row.write(outcome.kept, to: context.output("rows"))
    let removed = try JSONLWriter(path: context.output("removed"))
    for hit in outcome.hits { try removed.write(hit.json) }
    try removed.finish()
    return decontamination.report(outcome)
  }
}

/// `subset`: the first rows of one fixed order, of all or of those with so many steps.
struct SubsetStage: BuiltinStage {
  let implementation = 2
  let kind = StageKind(
    name: "subset",
    summary: "Takes rows in one fixed seeded order, so that a smaller subset is part of every larger one.",
    inputs: [.rows],
    outputs: [.rows],
    parameters: [
      .init(
        name: "take", summary: "How many rows; all where it is not given.",
        type: .optional(.integer(1...1_000_000_000)),
        defaultValue: .null),
      .count("min_steps", "Only rows with at least so many worked steps.", default: 0),
      .init(
        name: "max_steps", summary: "Only rows with at most so many worked steps.",
        type: .optional(.integer(0...1_000_000_000)), defaultValue: .null),
      .init(
        name: "verified", summary: "Only rows that were checked and passed every check.", type: .boolean,
        defaultValue: false),
      .seed,
    ],
    mistakes: { with, _ in .from("min_steps") { _ = try steps(Settings(with)) } })

  /// Nil where any number will do.
  private static func steps(_ settings: Settings) throws -> ClosedRange<Int>? {
    let (least, most) = (try settings.int("min_steps"), try settings.optionalInt("max_steps"))
    if let most, most < least {
      throw Failure(.user, "steps", "'min_steps' is \(least), more than 'max_steps', which is \(most)")
    }
    return least > 0 || most != nil ? least...(most ?? .max) : nil
  }

  func run(_ context: StageContext) throws -> JSON {
    let settings = Settings(context)
    let all = try Row.read(context.input("rows").path)
    let fitting = Subset.select(
      all, steps: try SubsetStage.steps(settings), onlyVerified: try settings.flag("verified"))
    guard !fitting.isEmpty else {
      throw Failure(.user, "too-few-rows", "none of the \(all.count) rows is of the kind that is asked for")
    }
    let rows = try Subset.take(
      try settings.optionalInt("take") ?? fitting.count, of: fitting, seed: try settings.seed())
    try Row.write(rows, to: context.output("rows"))
    return ["rows": JSON(rows.count)]
  }
}
