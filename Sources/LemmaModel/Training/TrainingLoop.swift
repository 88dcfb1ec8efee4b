import LemmaBasics

/// The steps of one training, and what they work on.
final class TrainingLoop {
  private let configuration: TrainingConfiguration
  private let examples: [EncodedExample]
  private let heldOut: [EncodedExample]
  private let start: Model
  private let pool: KernelPool
  private let network: Network
  private let adapters: Adapters?
  private var optimiser: AdamW
  private var curriculum: Curriculum
  /// What is trained where the held-out loss was least, if training may stop early.
  private let best: Floats?

  init(
    start: Model, configuration: TrainingConfiguration, examples: [EncodedExample], heldOut: [EncodedExample],
    threads: Int, path: KernelPath, takesOver: Bool, announce: (MemoryNeed) -> Void
  ) throws {
    self.start = start
    self.configuration = configuration
    self.examples = examples
    self.heldOut = heldOut
    let shape = TrainingLoop.shape(start, configuration, examples, heldOut)
    let need = TrainingLoop.need(start, configuration, shape, takesOver: takesOver)
    announce(need)
    try need.check(held: 4 * start.parameters.values.count)
    pool = try KernelPool(threads: threads, path: path, precision: configuration.precision)
    // Adapters start from weights that stay as they are.
    let isOwn = takesOver && configuration.adapters == nil
    let parameters = isOwn ? start.parameters : try start.parameters.copy(start.configuration)
    adapters = try configuration.adapters.map {
      try Adapters(
        start.parameters, $0, seed: configuration.seed,
        pool: KernelPool(threads: threads, path: path, precision: .float32))
    }
    network = try Network(shape, parameters: parameters, pool: pool)
    let count = adapters?.values.count ?? parameters.values.count
    optimiser = try AdamW(count: count)
    best = configuration.patience > 0 ? try Floats(count) : nil
    curriculum = Curriculum(lengths: examples.map(\.length), configuration: configuration)
  }

  static func shape(
    _ start: Model, _ configuration: TrainingConfiguration, _ examples: [EncodedExample], _ heldOut: [EncodedExample]
  ) -> NetworkShape {
    let step = min(configuration.stepTokens, examples.reduce(0) { $0 + $1.length })
    let longest = (examples + heldOut).map(\.length).max() ?? 1
    return NetworkShape(
      model: start.configuration, precision: configuration.precision,
      tokens: max(longest, min(configuration.batchTokens, step)), stepTokens: step,
      recomputes: configuration.recomputes, hasDropout: configuration.dropout > 0)
  }

  static func need(
    _ start: Model, _ configuration: TrainingConfiguration, _ shape: NetworkShape, takesOver: Bool
  ) -> MemoryNeed {
    let trained =
      configuration.adapters.map { Adapters.count(start.parameters.layout, rank: $0.rank) }
      ?? start.parameters.layout.count
    return MemoryNeed(shape, configuration: configuration, trained: trained, keepsStart: !takesOver)
  }

  /// The model as it is now.
  var model: Model {
    Model(
      configuration: start.configuration, tokenizer: start.tokenizer, conventions: start.conventions,
      parameters: network.parameters)
  }

  private var trained: Floats { adapters?.values ?? network.parameters.values }

  /// What a state consists of, besides its records.
  private var blocks: [(name: String, values: Floats)] {
    [("values", trained), ("first", optimiser.first), ("second", optimiser.second)]
      + (best.map { [("best", $0)] } ?? [])
  }

  /// Takes all steps that are left. Returns the state at the end, and the step whose weights the model has.
  func run(
    saves: TrainingSaves?, progress: (TrainingProgress) -> Void, isCancelled: () -> Bool
  ) throws -> (TrainingState, step: Int) {
    var state = try saves?.load(into: blocks) ?? TrainingState()
    for _ in 0..<state.step { _ = curriculum.batch() }
    adapters?.merge(into: network.parameters)
    let clock = ContinuousClock()
    while state.step < curriculum.steps, !hasEnough(state) {
      if isCancelled() { throw CancellationError() }
      let began = clock.now
      let record = try step(state.step)
      state.history.append(record)
      state.step += 1
      if isTimeToLook(state.step) { try look(&state) }
      let seconds = (clock.now - began) / .seconds(1)
      progress(
        TrainingProgress(
          record: record, steps: curriculum.steps, tokensPerSecond: Double(record.tokens) / max(seconds, 1e-9)))
      if let saves, state.step % saves.interval == 0, state.step < curriculum.steps { try saves.save(state, blocks) }
    }
    guard let best, let look = state.best else { return (state, state.step) }
    trained.pointer.update(from: best.pointer, count: best.count)
    adapters?.merge(into: network.parameters)
    return (state, look.step)
  }

  private func hasEnough(_ state: TrainingState) -> Bool {
    configuration.patience > 0 && state.looksWithoutBetter >= configuration.patience
  }

  private func step(_ number: Int) throws -> StepRecord {
    let batches = batches(curriculum.batch().map { examples[$0] })
    let dropout = Network.Dropout(share: configuration.dropout, seed: configuration.seed, step: UInt32(number))
    let loss = network.step(
      batches, smoothing: configuration.labelSmoothing, dropout: configuration.dropout > 0 ? dropout : nil)
    adapters?.project(network.gradients)
    let gradients = adapters?.gradients ?? network.gradients
    let norm = optimiser.norm(of: gradients, pool: pool)
    guard loss.isFinite, norm.isFinite else { throw diverged("at step \(number + 1) the loss or its gradient") }
    let rate = configuration.learningRate(step: number, of: curriculum.steps)
    optimiser.update(
      trained, decaying: adapters?.values.count ?? network.parameters.layout.matrixCount, gradients: gradients,
      norm: norm, rate: rate, step: number + 1, settings: configuration, pool: pool)
    adapters?.merge(into: network.parameters)
    return StepRecord(
      step: number + 1, loss: loss, learningRate: rate, gradientNorm: norm,
      tokens: batches.reduce(0) { $0 + $1.count })
  }

  private func diverged(_ what: String) -> Failure {
    Failure(
      .user, "loss-not-finite", "the training diverged: \(what) is not finite",
      hint: "lower 'learning_rate', or lengthen 'warmup'")
  }

  /// Examples laid into batches, each as full as it gets.
  private func batches(_ examples: [EncodedExample]) -> [TokenBatch] {
    var batches: [TokenBatch] = []
    for example in examples {
      if batches.isEmpty || batches[batches.count - 1].count + example.length > network.shape.tokens {
        batches.append(TokenBatch())
      }
      batches[batches.count - 1].append(example.tokens[...], responseStart: example.responseStart)
    }
    return batches
  }

  private func isTimeToLook(_ step: Int) -> Bool {
    if heldOut.isEmpty { return false }
    if step == curriculum.steps { return true }
    return configuration.evaluationInterval > 0 && step % configuration.evaluationInterval == 0
  }

  private func look(_ state: inout TrainingState) throws {
    let losses = batches(heldOut).flatMap(network.evaluate)
    let record = EvaluationRecord(
      step: state.step, loss: losses.isEmpty ? 0 : losses.reduce(0, +) / Double(losses.count))
    guard record.loss.isFinite else { throw diverged("after step \(state.step) the loss on held-out rows") }
    state.evaluations.append(record)
    if let best, state.best == record { best.pointer.update(from: trained.pointer, count: best.count) }
  }
}
