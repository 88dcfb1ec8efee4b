import LemmaBasics
import LemmaCorpus
import LemmaEngine
import LemmaModel
import LemmaPipeline

/// `sft`: supervised fine-tuning on the native core.
struct FineTuneStage: BuiltinStage {
  let implementation = 2
  let facts: [String: JSON] = ["numerics": .string(numericsClass), "prompt": PromptTemplate.zeroShot.json]
  let resumes = true
  let kind = StageKind(
    name: "sft",
    summary: "Trains a decoder on responses, from new weights or from a parent's.",
    inputs: [
      .rows,
      .init(name: "held_out", summary: "Rows whose loss is looked at and not trained on.", isRequired: false),
      .init(name: "tokenizer", summary: "The vocabulary of a new model.", isRequired: false),
      .init(
        name: "parent", summary: "A checkpoint to go on from, such as stage 1's.", isRequired: false, isFolder: true),
    ],
    outputs: [
      .init(name: "model", summary: "The checkpoint, as a Hugging Face folder.", fileName: "model", isFolder: true),
      .init(name: "log", summary: "Loss, rate and gradient norm of every step.", fileName: "log.jsonl"),
      .init(name: "events", summary: "The same for TensorBoard.", fileName: "events", isFolder: true),
    ],
    parameters: [
      .init(
        name: "model", summary: "The shape of a new model; a parent has its own.", type: .record(shape),
        defaultValue: [:])
    ] + training + [
      .count(
        "save_steps", "Steps after which the state is kept, to go on from after a kill; 0 keeps none.", default: 200)
    ],
    mistakes: { with, inputs in
      let settings = Settings(with)
      var mistakes = [StageKind.Mistake].from("batch_size") { _ = try configuration(settings) }
      mistakes += .from("patience") {
        guard try inputs.contains("held_out") || settings.int("patience") == 0 else {
          throw Failure(.user, "training", "'patience' needs rows under 'held_out'")
        }
      }
      if inputs.contains("parent") { return mistakes }
      if !inputs.contains("tokenizer") { mistakes.append(.init("model", noTokenizer)) }
      mistakes += .from("model") {
        try newShape(settings, vocabularySize: Tokenizer.leastVocabularySize).check(configuration(settings).precision)
      }
      return mistakes
    })

  private static let noTokenizer = Failure(
    .user, "sft", "a new model needs a tokenizer", hint: "give 'tokenizer' or 'parent' under 'in'")

  private static let training: [StageKind.Parameter] = [
    .init(
      name: "epochs", summary: "How often every row is seen.", type: .optional(.integer(1...100_000)), defaultValue: 4),
    .init(
      name: "steps", summary: "Optimiser steps, in place of epochs.", type: .optional(.integer(1...100_000_000)),
      defaultValue: .null),
    .init(
      name: "tokens", summary: "Tokens to see, in place of epochs.", type: .optional(.integer(1...1 << 50)),
      defaultValue: .null),
    .init(
      name: "minutes", summary: "Minutes of tokens at 'tokens_per_second', in place of epochs.",
      type: .optional(.number(0.001...10_000_000)), defaultValue: .null),
    .count(
      "tokens_per_second", "What 'minutes' counts by: a clock must not decide what is learnt.", atLeast: 1,
      default: 400),
    .count("batch_size", "A step takes up to batch_size x context_length tokens.", atLeast: 1, default: 16),
    .count(
      "context_length", "The most tokens of one row; longer rows are left out and counted.", atLeast: 8, default: 128),
    .count(
      "accumulation", "Batches that a step is cut into: less memory, the same result.", atLeast: 1, default: 1),
    .init(
      name: "recompute", summary: "Run layers again on the way back: less memory, the same result.", type: .boolean,
      defaultValue: false),
    .init(
      name: "precision", summary: "Of the operands of matrix products.",
      type: .choice(Precision.allCases.map(\.rawValue)), defaultValue: "float32"),
    .number("learning_rate", "The rate after warm-up.", 0...10, default: 0.002),
    .init(
      name: "schedule", summary: "What the rate does after warm-up.",
      type: .choice(TrainingConfiguration.Schedule.allCases.map(\.rawValue)), defaultValue: "cosine"),
    .number("warmup", "The share of the steps over which the rate rises.", 0...1, default: 0.05),
    .number("floor", "What the rate falls to, as a share of it.", 0...1, default: 0.05),
    .number("weight_decay", "Decoupled, on matrices only.", 0...10, default: 0.1),
    .number("beta1", "AdamW's memory of gradients.", 0...1, default: 0.9),
    .number("beta2", "AdamW's memory of their squares.", 0...1, default: 0.95),
    .number("clip", "The greatest norm of all gradients together.", 0.000001...1_000_000, default: 1),
    .number("label_smoothing", "How much of each target is spread over all tokens.", 0...1, default: 0),
    .number("dropout", "The share of elements dropped.", 0...1, default: 0),
    .count("lora_rank", "Rank of adapters to train in place of all weights; 0 trains all.", default: 0),
    .number("lora_alpha", "Adapters count alpha / rank.", 0...1_000_000, default: 32),
    .template,
    .init(
      name: "train_on_prompts", summary: "Whether prompts are learnt, too.", type: .boolean, defaultValue: false),
    .count("eval_steps", "Steps between two looks at held-out rows; 0 looks at the end.", default: 0),
    .count(
      "patience", "Looks without a lower held-out loss after which training stops; 0 goes on.", default: 0),
    .seed,
  ]

  private static let shape: [StageKind.Parameter] = [
    .count("hidden_size", "Width of the residual stream.", atLeast: 2, default: 128),
    .count("intermediate_size", "Width of the feed-forward layer.", atLeast: 1, default: 352),
    .count("num_hidden_layers", "Layers.", atLeast: 1, default: 4),
    .count("num_attention_heads", "Query heads.", atLeast: 1, default: 4),
    .count("num_key_value_heads", "Key and value heads.", atLeast: 1, default: 2),
    .count("max_position_embeddings", "The longest sequence.", atLeast: 8, default: 256),
    .init(
      name: "model_type", summary: "The architecture.",
      type: .choice(ModelConfiguration.Architecture.allCases.map(\.rawValue)), defaultValue: "llama"),
  ]

  func run(_ context: StageContext) throws -> JSON {
    let settings = Settings(context)
    let rows = try Row.read(context.input("rows").path)
    let heldOut = try context.inputs["held_out"]?.first.map { try Row.read($0.path) } ?? []
    let trainer = try Trainer(
      model: try startingModel(context, settings), configuration: try FineTuneStage.configuration(settings),
      threads: context.threads, takesOver: true)
    let form = try FineTuneStage.configuration(settings).form
    let examples = rows.map { $0.example(form) }
    let interval = try settings.int("save_steps")
    let result = try trainer.run(
      examples: examples, heldOut: heldOut.map { $0.example(form) },
      announce: { context.report(Progress(unit: "", done: 0, total: 0, detail: "needs \($0)")) },
      saves: interval == 0 ? nil : context.resume.map { TrainingSaves(folder: $0, interval: interval) },
      progress: { progress in
        let record = progress.record
        context.report(
          Progress(
            unit: "steps", done: record.step, total: progress.steps,
            detail: "loss \(fixed(record.loss, 3)) · \(Int(progress.tokensPerSecond)) tokens/s"))
      }, isCancelled: context.isCancelled)
    let folder = try context.output("model")
    try Checkpoint.save(result.model, to: folder)
    try writeLog(result, context)
    let facts = try facts(of: result)
    // Beside the weights, so that an evaluation can say what it evaluated.
    try Files.write(Array(facts.pretty.utf8), to: "\(folder)/training.json")
    return facts
  }

  /// Steps and looks at held-out rows in order, as JSON lines and as events.
  private func writeLog(_ result: TrainingResult, _ context: StageContext) throws {
    let log = try JSONLWriter(path: context.output("log"))
    var events = EventFile()
    var looks = result.evaluations[...]
    for record in result.history {
      try log.write(record.json)
      events.add(
        step: record.step,
        [
          ("train/loss", record.loss), ("train/learning_rate", record.learningRate),
          ("train/gradient_norm", record.gradientNorm), ("train/tokens", Double(record.tokens)),
        ])
      while let look = looks.first, look.step == record.step {
        try log.write(look.json)
        events.add(step: look.step, [("held_out/loss", look.loss)])
        looks.removeFirst()
      }
    }
    try log.finish()
    let folder = try context.output("events")
    try Files.makeFolder(folder)
    try Files.write(events.bytes, to: "\(folder)/\(EventFile.name)")
  }

  private func facts(of result: TrainingResult) throws -> JSON {
    var facts: [String: JSON] = [
      "rows": JSON(result.examples), "too_long": JSON(result.tooLong), "empty": JSON(result.empty),
      "steps": JSON(result.history.count), "tokens": JSON(result.tokens),
      "parameters": JSON(result.model.configuration.parameterCount),
      "first_loss": JSON(mean(result.history.prefix(10).map(\.loss))),
      "last_loss": JSON(mean(result.history.suffix(10).map(\.loss))),
    ]
    if let look = result.evaluations.last(where: { $0.step == result.step }) {
      facts["held_out_loss"] = JSON(rounded(look.loss))
      facts["best_step"] = JSON(result.step)
    }
    return .object(facts)
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
    var keys = settings.values.filter { key, _ in training.contains { $0.name == key } }
    let speed = keys.removeValue(forKey: "tokens_per_second")?.int ?? 1
    if let minutes = keys.removeValue(forKey: "minutes")?.double {
      if let other = ["steps", "tokens"].first(where: { !(keys[$0]?.isNull ?? true) }) {
        throw Failure(.user, "training", "give one of '\(other)' and 'minutes'", at: Position(file: "sft"))
      }
      keys["tokens"] = JSON(max(1, Int((minutes * 60 * Double(speed)).rounded())))
    }
    // Epochs have a default, which the others take the place of.
    if ["steps", "tokens"].contains(where: { !(keys[$0]?.isNull ?? true) }) { keys["epochs"] = nil }
    return try TrainingConfiguration(json: .object(keys), file: "sft")
  }

  private func rounded(_ value: Double) -> Double { (value * 1e6).rounded() / 1e6 }

  private func mean(_ values: [Double]) -> Double {
    values.isEmpty ? 0 : rounded(values.reduce(0, +) / Double(values.count))
  }
}
