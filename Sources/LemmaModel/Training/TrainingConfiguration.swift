import CKernels
import LemmaBasics

/// How a model is trained: everything, besides the examples and the starting weights, that its bits depend on, and
/// how its memory is spent, on which they do not.
public struct TrainingConfiguration: Hashable, Sendable {
  public enum Duration: Hashable, Sendable {
    /// Every example this many times.
    case epochs(Int)
    /// This many optimiser steps, going through the examples as often as needed.
    case steps(Int)
    /// As many optimiser steps as it takes to see this many tokens.
    case tokens(Int)
  }

  /// What the learning rate does after its warm-up.
  public enum Schedule: String, CaseIterable, Sendable {
    /// Half a cosine down to the floor.
    case cosine
    /// A line down to the floor.
    case linear
    /// It stays.
    case constant
  }

  public var duration: Duration = .epochs(4)
  /// A step takes up to `batchSize * contextLength` tokens of whole examples.
  public var batchSize = 16
  /// The most tokens of one example; longer ones are left out and counted. At most the model's own.
  public var contextLength = 128
  /// How many batches a step is cut into, one after another: less memory, the same bits.
  public var accumulation = 1
  /// Whether layers are run again on the way back in place of being kept: less memory, more time, the same bits.
  public var recomputes = false
  /// How operands of matrix products are stored; weights and the optimiser are float32 in either.
  public var precision: Precision = .float32
  /// The learning rate after warm-up.
  public var learningRate = 2e-3
  public var schedule: Schedule = .cosine
  /// The share of the steps over which the rate rises from 0.
  public var warmup = 0.05
  /// What the rate falls to, as a share of `learningRate`.
  public var floor = 0.05
  public var weightDecay = 0.1
  public var beta1 = 0.9
  public var beta2 = 0.95
  public var epsilon = 1e-8
  /// The greatest L2 norm of all gradients together.
  public var clip = 1.0
  /// How much of each target is spread over all tokens (Szegedy et al., 2016).
  public var labelSmoothing = 0.0
  /// The share of elements dropped from embeddings and from what attention and feed-forward add to the stream.
  public var dropout = 0.0
  /// Adapters of low rank in place of all weights; nil trains everything.
  public var adapters: AdapterConfiguration?
  /// Whether prompts are learnt, too, and not only responses.
  public var learnsPrompts = false
  /// Steps between two looks at the loss on held-out examples; 0 looks only at the end.
  public var evaluationInterval = 0
  /// Looks without a better held-out loss after which training stops and goes back to the best; 0 never stops.
  public var patience = 0
  /// How examples are put to the model.
  public var form = PromptForm.plain
  /// Decides the order of the examples and what is dropped; a new model's weights have their own.
  public var seed: UInt64 = 0

  public init() {}

  /// Reads a declaration; absent keys keep their defaults, unknown ones are refused. Of `epochs`, `steps` and `tokens`
  /// one may be given.
  /// - Throws: `Failures` with every mistake found, or `Failure`.
  public init(json: JSON, file: String) throws {
    var fields = try Fields(json, file: file, of: "training")
    let epochs = fields.int("epochs", default: nil)
    let steps = fields.int("steps", default: nil)
    let tokens = fields.int("tokens", default: nil)
    batchSize = fields.int("batch_size", default: batchSize)
    contextLength = fields.int("context_length", default: contextLength)
    accumulation = fields.int("accumulation", default: accumulation)
    recomputes = fields.bool("recompute", default: recomputes)
    precision = fields.choice("precision", default: precision)
    learningRate = fields.number("learning_rate", default: learningRate)
    schedule = fields.choice("schedule", default: schedule)
    warmup = fields.number("warmup", default: warmup)
    floor = fields.number("floor", default: floor)
    weightDecay = fields.number("weight_decay", default: weightDecay)
    beta1 = fields.number("beta1", default: beta1)
    beta2 = fields.number("beta2", default: beta2)
    epsilon = fields.number("epsilon", default: epsilon)
    clip = fields.number("clip", default: clip)
    labelSmoothing = fields.number("label_smoothing", default: labelSmoothing)
    dropout = fields.number("dropout", default: dropout)
    let rank = fields.int("lora_rank", default: 0)
    let alpha = fields.number("lora_alpha", default: 32)
    learnsPrompts = fields.bool("train_on_prompts", default: learnsPrompts)
    evaluationInterval = fields.int("eval_steps", default: evaluationInterval)
    patience = fields.int("patience", default: patience)
    form = fields.choice("template", default: form)
    let seed = fields.int("seed", default: 0)
    try fields.finish()
    let durations = [epochs.map(Duration.epochs), steps.map(Duration.steps), tokens.map(Duration.tokens)].compactMap {
      $0
    }
    guard durations.count <= 1 else {
      throw Failure(.user, "training", "give one of 'epochs', 'steps' and 'tokens'", at: Position(file: file))
    }
    duration = durations.first ?? duration
    guard seed >= 0 else {
      throw Failure(.user, "training", "'seed' must not be negative", at: Position(file: file))
    }
    self.seed = UInt64(seed)
    if rank != 0 { adapters = AdapterConfiguration(rank: rank, alpha: alpha) }
    try validate(file: file)
  }

  /// - Throws: `Failure` naming the first value that makes no sense.
  public func validate(file: String? = nil) throws {
    func check(_ condition: Bool, _ message: String) throws {
      guard condition else { throw Failure(.user, "training", message, at: file.map { Position(file: $0) }) }
    }
    switch duration {
    case .epochs(let count): try check((1...100_000).contains(count), "'epochs' must be 1 to 100000")
    case .steps(let count): try check((1...100_000_000).contains(count), "'steps' must be 1 to 100000000")
    case .tokens(let count): try check((1...1 << 50).contains(count), "'tokens' must be 1 to 2^50")
    }
    try check((1...65_536).contains(batchSize), "'batch_size' must be 1 to 65536")
    try check((2...16_384).contains(contextLength), "'context_length' must be 2 to 16384")
    try check(batchSize * contextLength <= 1 << 24, "'batch_size' times 'context_length' must be at most 16777216")
    if case .tokens(let count) = duration {
      try check(count / stepTokens < 100_000_000, "'tokens' must be at most 100000000 steps")
    }
    try check((1...batchSize).contains(accumulation), "'accumulation' must be 1 to 'batch_size'")
    try check(learningRate > 0 && learningRate <= 10, "'learning_rate' must be above 0 and at most 10")
    try check((0...1).contains(warmup), "'warmup' is a share of the steps, 0 to 1")
    try check((0...1).contains(floor), "'floor' is a share of the learning rate, 0 to 1")
    try check((0...10).contains(weightDecay), "'weight_decay' must be 0 to 10")
    // What is rounded to 1 as a float is not below it.
    func isShare(_ value: Double) -> Bool { value >= 0 && Float(value) < 1 }
    try check(isShare(beta1) && isShare(beta2), "'beta1' and 'beta2' must be from 0 to below 1")
    try check(epsilon > 1e-30 && epsilon <= 1, "'epsilon' must be above 1e-30 and at most 1")
    try check(clip > 0 && clip <= 1e9, "'clip' must be above 0 and at most 1e9")
    try check(isShare(labelSmoothing), "'label_smoothing' must be from 0 to below 1")
    try check(isShare(dropout), "'dropout' must be from 0 to below 1")
    if let adapters {
      try check((1...1024).contains(adapters.rank), "'lora_rank' must be 0 to 1024")
      try check(adapters.alpha > 0 && adapters.alpha <= 1e6, "'lora_alpha' must be above 0")
    }
    try check((0...100_000_000).contains(evaluationInterval), "'eval_steps' must be 0 to 100000000")
    try check((0...1_000_000).contains(patience), "'patience' must be 0 to 1000000")
    try check(patience == 0 || evaluationInterval > 0, "'patience' needs 'eval_steps'")
  }

  /// The learning rate of step `step` (from 0) of `steps`: a line up, then the schedule.
  public func learningRate(step: Int, of steps: Int) -> Double {
    let rising = Int((warmup * Double(steps)).rounded(.up))
    if step < rising { return learningRate * Double(step + 1) / Double(rising) }
    let progress = min(1, Double(step - rising) / Double(max(1, steps - 1 - rising)))
    let lowest = learningRate * floor
    switch schedule {
    case .cosine: return lowest + (learningRate - lowest) * 0.5 * (1 + lemma_cos(Double.pi * progress))
    case .linear: return lowest + (learningRate - lowest) * (1 - progress)
    case .constant: return learningRate
    }
  }

  /// The tokens of one step, and of one of the batches that it is cut into.
  var stepTokens: Int { batchSize * contextLength }
  var batchTokens: Int { (batchSize + accumulation - 1) / accumulation * contextLength }
}

/// Low-rank adaptation (Hu et al., 2021): every matrix of a layer gets `alpha / rank` times B A added to it, and only
/// A and B are trained.
public struct AdapterConfiguration: Hashable, Sendable {
  public var rank: Int
  public var alpha: Double

  public init(rank: Int, alpha: Double) {
    self.rank = rank
    self.alpha = alpha
  }

  var scale: Float { Float(alpha / Double(rank)) }
}
