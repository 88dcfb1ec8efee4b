import LemmaBasics
import LemmaCorpus
import LemmaEngine
import LemmaModel
import LemmaPipeline

/// `sft`: supervised fine-tuning on the native core.
struct FineTuneStage: BuiltinStage {
  let implementation = 1
  let facts: [String: JSON] = ["numerics": .string(numericsClass), "prompt": PromptTemplate.zeroShot.json]
  let kind = StageKind(
    name: "sft",
    summary: "Trains a decoder on responses, from new weights or from a parent's.",
    inputs: [
      .rows,
      .init(name: "tokenizer", summary: "The vocabulary of a new model.", isRequired: false),
      .init(
        name: "parent", summary: "A checkpoint to go on from, such as stage 1's.", isRequired: false, isFolder: true),
    ],
    outputs: [
      .init(name: "model", summary: "The checkpoint, as a Hugging Face folder.", fileName: "model", isFolder: true),
      .init(name: "log", summary: "Loss, rate and gradient norm of every step.", fileName: "log.jsonl"),
    ],
    parameters: [
      .init(
        name: "model", summary: "The shape of a new model; a parent has its own.", type: .record(shape),
        defaultValue: [:]),
      .init(
        name: "epochs", summary: "How often every row is seen.", type: .optional(.integer(1...100_000)), defaultValue: 4
      ),
      .init(
        name: "steps", summary: "Optimiser steps, in place of epochs.", type: .optional(.integer(1...100_000_000)),
        defaultValue: .null),
      .count("batch_size", "A step takes up to batch_size x context_length tokens.", atLeast: 1, default: 16),
      .count(
        "context_length", "The most tokens of one row; longer rows are left out and counted.", atLeast: 8, default: 128),
      .number("learning_rate", "The rate after warm-up.", 0...10, default: 0.002),
      .number("warmup", "The share of the steps over which the rate rises.", 0...1, default: 0.05),
      .number("floor", "What the rate falls to along a cosine, as a share of it.", 0...1, default: 0.05),
      .number("weight_decay", "Decoupled, on matrices only.", 0...10, default: 0.1),
      .number("clip", "The greatest norm of all gradients together.", 0.000001...1_000_000, default: 1),
      .seed,
    ],
    mistakes: { with, inputs in
      let settings = Settings(with)
      var mistakes = [StageKind.Mistake].from("batch_size") { try configuration(settings).validate() }
      if inputs.contains("parent") { return mistakes }
      if !inputs.contains("tokenizer") { mistakes.append(.init("model", noTokenizer)) }
      mistakes += .from("model") { _ = try newShape(settings, vocabularySize: Tokenizer.leastVocabularySize) }
      return mistakes
    })

  private static let noTokenizer = Failure(
    .user, "sft", "a new model needs a tokenizer", hint: "give 'tokenizer' or 'parent' under 'in'")

  private static let shape: [StageKind.Parameter] = [
    .count("hidden_size", "Width of the residual stream.", atLeast: 2, default: 128),
    .count("intermediate_size", "Width of the feed-forward layer.", atLeast: 1, default: 352),
    .count("num_hidden_layers", "Layers.", atLeast: 1, default: 4),
    .count("num_attention_heads", "Query heads.", atLeast: 1, default: 4),
    .count("num_key_value_heads", "Key and value heads.", atLeast: 1, default: 2),
    .count("max_position_embeddings", "The longest sequence.", atLeast: 8, default: 256),
  ]

  func run(_ context: StageContext) throws -> JSON {
    let settings = Settings(context)
    let rows = try Row.read(context.input("rows").path)
    let examples = rows.map { Example(prompt: PromptTemplate.zeroShot.prompt(for: $0.problem), response: $0.response) }
    let start = try startingModel(context, settings)
    let trainer = try Trainer(
      model: start, configuration: try FineTuneStage.configuration(settings), threads: context.threads)
    let result = try trainer.run(
      examples: examples,
      progress: { progress in
        let record = progress.record
        context.report(
          Progress(
            unit: "steps", done: record.step, total: progress.steps,
            detail: "loss \(fixed(record.loss, 3)) · \(fixed(progress.tokensPerSecond / 1000, 1))k tokens/s"))
      }, isCancelled: context.isCancelled)
    let folder = try context.output("model")
    try Checkpoint.save(result.model, to: folder)
    let log = try JSONLWriter(path: context.output("log"))
    for record in result.history { try log.write(record.json) }
    try log.finish()
    let facts: JSON = [
      "rows": JSON(result.examples), "too_long": JSON(result.tooLong), "empty": JSON(result.empty),
      "steps": JSON(result.history.count), "tokens": JSON(result.tokens),
      "parameters": JSON(result.model.configuration.parameterCount),
      "first_loss": JSON(mean(result.history.prefix(10).map(\.loss))),
      "last_loss": JSON(mean(result.history.suffix(10).map(\.loss))),
    ]
    // Beside the weights, so that an evaluation can say what it evaluated.
    try Files.write(Array(facts.pretty.utf8), to: "\(folder)/training.json")
    return facts
  }

  private func startingModel(_ context: StageContext, _ settings: Settings) throws -> Model {
    if let parent = context.inputs["parent"]?.first { return try Checkpoint.load(from: parent.path) }
    let tokenizer: Tokenizer
    if let input = context.inputs["tokenizer"]?.first {
      tokenizer = try Tokenizer(parsing: Files.read(input.path), file: "tokenizer.json")
    } else {
      throw FineTuneStage.noTokenizer
    }
    return try Model(
      configuration: FineTuneStage.newShape(settings, vocabularySize: tokenizer.vocabularySize), tokenizer: tokenizer,
      seed: settings.seed())
  }

  private static func newShape(_ settings: Settings, vocabularySize: Int) throws -> ModelConfiguration {
    var shape = try settings.map("model")
    for parameter in FineTuneStage.shape where shape[parameter.name] == nil {
      shape[parameter.name] = parameter.defaultValue
    }
    shape["vocab_size"] = JSON(vocabularySize)
    return try ModelConfiguration(json: .object(shape), file: "model")
  }

  private static func configuration(_ settings: Settings) throws -> TrainingConfiguration {
    var configuration = TrainingConfiguration()
    if let steps = try settings.optionalInt("steps") {
      configuration.duration = .steps(steps)
    } else {
      configuration.duration = .epochs(try settings.int("epochs"))
    }
    configuration.batchSize = try settings.int("batch_size")
    configuration.contextLength = try settings.int("context_length")
    configuration.learningRate = try settings.number("learning_rate")
    configuration.warmup = try settings.number("warmup")
    configuration.floor = try settings.number("floor")
    configuration.weightDecay = try settings.number("weight_decay")
    configuration.clip = try settings.number("clip")
    configuration.seed = try settings.seed()
    return configuration
  }

  private func mean(_ values: [Double]) -> Double {
    values.isEmpty ? 0 : (values.reduce(0, +) / Double(values.count) * 1e6).rounded() / 1e6
  }
}

extension PromptTemplate {
  /// What a digest of a stage that puts problems to a model must cover.
  var json: JSON { ["name": .string(name), "version": JSON(version)] }
}
