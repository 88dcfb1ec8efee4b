import LemmaBasics

/// Supervised fine-tuning from new weights or from a parent's: the loss is on responses and their end alone, unless
/// the configuration says otherwise. The same model, configuration and examples give the same bits, whatever the
/// threads, the processor path, the batches that a step is cut into, and the interruptions.
public struct Trainer {
  private let start: Model
  private let configuration: TrainingConfiguration
  private let threads: Int
  private let path: KernelPath
  private let takesOver: Bool

  /// - Parameters:
  ///   - model: where training starts; it is not changed, unless `takesOver`.
  ///   - threads: workers, 1...256.
  ///   - takesOver: whether the model's own memory is trained in, so that it must not be used afterwards.
  /// - Throws: `Failure` for a configuration that makes no sense, or that the model cannot serve.
  public init(
    model: Model, configuration: TrainingConfiguration, threads: Int, path: KernelPath = .best, takesOver: Bool = false
  ) throws {
    try configuration.validate()
    try model.configuration.check(configuration.precision)
    let longest = model.configuration.longestSequence
    guard configuration.contextLength <= longest else {
      throw Failure(
        .user, "training",
        "'context_length' is \(configuration.contextLength), but the model takes at most \(longest) tokens")
    }
    guard (1...256).contains(threads) else {
      throw Failure(.user, "threads", "the number of threads is 1 to 256, not \(threads)")
    }
    start = model
    self.configuration = configuration
    self.threads = threads
    self.path = path
    self.takesOver = takesOver
  }

  /// Trains to the end.
  /// - Parameters:
  ///   - heldOut: examples to look at the loss of; they are not trained on.
  ///   - announce: told what memory the training needs, before any of it is taken.
  ///   - saves: where to leave the state, and where to go on from.
  ///   - progress: called after each step.
  ///   - isCancelled: asked before each step; true ends the training with `CancellationError`.
  /// - Throws: `Failure` when no example is left to train on, when the memory does not suffice, or when loss or
  ///   gradients are no longer finite.
  public func run(
    examples: [Example], heldOut: [Example] = [], announce: (MemoryNeed) -> Void = { _ in },
    saves: TrainingSaves? = nil,
    progress: (TrainingProgress) -> Void = { _ in }, isCancelled: () -> Bool = { false }
  ) throws -> TrainingResult {
    let encoded = try encode(examples)
    let kept = encoded.filter(fits)
    let empty = encoded.count { $0.length < 1 }
    guard !kept.isEmpty else {
      throw Failure(
        .user, "no-examples",
        "none of the \(examples.count) examples can be trained on: \(empty) are empty, the others are longer than "
          + "\(configuration.contextLength) tokens")
    }
    let looks = try encode(heldOut).filter(fits)
    guard !looks.isEmpty || heldOut.isEmpty else {
      throw Failure(
        .user, "no-examples",
        "none of the \(heldOut.count) held-out examples can be looked at: they are empty, or longer than "
          + "\(configuration.contextLength) tokens")
    }
    guard configuration.patience == 0 || !looks.isEmpty else {
      throw Failure(.user, "training", "'patience' needs held-out examples")
    }
    let loop = try TrainingLoop(
      start: start, configuration: configuration, examples: kept, heldOut: looks, threads: threads, path: path,
      takesOver: takesOver, announce: announce)
    let (state, step) = try loop.run(saves: saves, progress: progress, isCancelled: isCancelled)
    return TrainingResult(
      model: loop.model, history: state.history, evaluations: state.evaluations, step: step, examples: kept.count,
      tooLong: encoded.count - kept.count - empty, empty: empty)
  }

  /// Bytes that training on these examples takes.
  public func memoryNeed(examples: [Example], heldOut: [Example] = []) throws -> MemoryNeed {
    let shape = TrainingLoop.shape(
      start, configuration, try encode(examples).filter(fits), try encode(heldOut).filter(fits))
    return TrainingLoop.need(start, configuration, shape, takesOver: takesOver)
  }

  private func fits(_ example: EncodedExample) -> Bool {
    example.length >= 1 && example.length <= configuration.contextLength
  }

  private func encode(_ examples: [Example]) throws -> [EncodedExample] {
    try start.encode(examples: examples, as: configuration.form).map { prompt, response in
      EncodedExample(tokens: prompt + response, responseStart: configuration.learnsPrompts ? 0 : prompt.count)
    }
  }
}

/// An example as tokens, of which those from `responseStart` on are learnt.
struct EncodedExample {
  var tokens: [Int32]
  var responseStart: Int
  /// The tokens that go into the network.
  var length: Int { tokens.count - 1 }
}
