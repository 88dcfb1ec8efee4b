import CKernels
import LemmaBasics

/// Supervised fine-tuning from new weights or from a parent's: the loss is on responses and their end alone.
/// The same model, configuration and examples give the same bits, whatever the threads and the processor path.
public struct Trainer {
  private let start: Model
  private let configuration: TrainingConfiguration
  private let pool: KernelPool

  /// - Parameters:
  ///   - model: where training starts; it is not changed.
  ///   - threads: workers, 1...256.
  /// - Throws: `Failure` for a configuration that makes no sense, or that the model cannot serve.
  public init(
    model: Model, configuration: TrainingConfiguration, threads: Int, path: KernelPath = .best
  ) throws {
    try configuration.validate()
    guard configuration.contextLength <= model.configuration.contextLength else {
      throw Failure(
        .user, "training",
        "'context_length' is \(configuration.contextLength), but the model takes at most "
          + "\(model.configuration.contextLength) tokens")
    }
    start = model
    self.configuration = configuration
    pool = try KernelPool(threads: threads, path: path, precision: configuration.precision)
  }

  private struct Encoded {
    var tokens: [Int32]
    var responseStart: Int
    var length: Int { tokens.count - 1 }
  }

  /// Trains to the end.
  /// - Parameters:
  ///   - progress: called after each step.
  ///   - isCancelled: asked before each step; true ends the training with `CancellationError`.
  /// - Throws: `Failure` when no example is left to train on, or when loss or gradients are no longer finite.
  public func run(
    examples: [Example], progress: (TrainingProgress) -> Void = { _ in }, isCancelled: () -> Bool = { false }
  ) throws -> TrainingResult {
    let encoded = encode(examples)
    let kept = encoded.filter { $0.length >= 1 && $0.length <= configuration.contextLength }
    let empty = encoded.count { $0.length < 1 }
    guard !kept.isEmpty else {
      throw Failure(
        .user, "no-examples",
        "none of the \(examples.count) examples can be trained on: \(empty) are empty, the others are longer than "
          + "\(configuration.contextLength) tokens")
    }
    let model = start.configuration
    let parameters = try start.parameters.copy(model)
    let capacity = min(configuration.batchSize * configuration.contextLength, kept.reduce(0) { $0 + $1.length })
    let network = try Network(
      NetworkShape(model: model, precision: configuration.precision, tokens: capacity, stepTokens: capacity),
      parameters: parameters, pool: pool)
    var optimiser = try AdamW(count: parameters.layout.count)
    var curriculum = Curriculum(lengths: kept.map(\.length), configuration: configuration)
    var history: [StepRecord] = []
    let clock = ContinuousClock()
    for step in 0..<curriculum.steps {
      if isCancelled() { throw CancellationError() }
      let began = clock.now
      var batch = TokenBatch()
      for index in curriculum.batch() {
        batch.append(kept[index].tokens[...], responseStart: kept[index].responseStart)
      }
      let loss = network.step([batch])
      let norm = optimiser.norm(of: network.gradients, pool: pool)
      guard loss.isFinite, norm.isFinite else { throw notFinite(step: step) }
      let rate = configuration.learningRate(step: step, of: curriculum.steps)
      optimiser.update(
        parameters, gradients: network.gradients, norm: norm, rate: rate, settings: configuration, pool: pool)
      let record = StepRecord(
        step: step + 1, loss: loss, learningRate: rate, gradientNorm: norm, tokens: batch.count)
      history.append(record)
      let seconds = (clock.now - began) / .seconds(1)
      progress(
        TrainingProgress(
          record: record, steps: curriculum.steps, tokensPerSecond: Double(batch.count) / max(seconds, 1e-9)))
    }
    return TrainingResult(
      model: Model(configuration: model, tokenizer: start.tokenizer, parameters: parameters), history: history,
      examples: kept.count, tooLong: encoded.count - kept.count - empty, empty: empty)
  }

  /// Prompt and response are encoded apart, as they are when the model is asked; the end of text follows.
  private func encode(_ examples: [Example]) -> [Encoded] {
    let tokenizer = start.tokenizer
    let ids = tokenizer.encode(examples.flatMap { [$0.prompt, $0.response] })
    return examples.indices.map { index in
      Encoded(
        tokens: ids[2 * index] + ids[2 * index + 1] + [tokenizer.endOfText], responseStart: ids[2 * index].count)
    }
  }

  private func notFinite(step: Int) -> Failure {
    Failure(
      .user, "loss-not-finite", "the training diverged: at step \(step + 1) the loss or its gradient is not finite",
      hint: "lower 'learning_rate', or lengthen 'warmup'")
  }
}
