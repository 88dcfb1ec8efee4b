import CKernels
import LemmaBasics

/// The shape of a decoder under the names of Hugging Face's `config.json`: LLaMA and its kin (Touvron et al., 2023),
/// or GPT-2 (Radford et al., 2019).
public struct ModelConfiguration: Hashable, Sendable {
  /// Hugging Face's `model_type`.
  public enum Architecture: String, CaseIterable, Sendable {
    /// RMSNorm, rotary positions, SwiGLU.
    case llama
    /// LLaMA's arithmetic; sequences longer than its sliding window are refused.
    case mistral
    /// LLaMA's arithmetic with biases on queries, keys and values.
    case qwen2
    /// LayerNorm, learned positions, GELU, biases everywhere.
    case gpt2
  }

  /// How rotary frequencies are stretched for long contexts, as LLaMA 3 does.
  public struct RopeScaling: Hashable, Sendable {
    public var factor: Double
    public var lowFrequencyFactor: Double
    public var highFrequencyFactor: Double
    public var originalContextLength: Int
  }

  public var architecture: Architecture = .llama
  /// Tokens in the vocabulary; before a tokenizer is trained, the most it may have.
  public var vocabularySize: Int
  public var hiddenSize: Int
  public var intermediateSize: Int
  public var layers: Int
  public var heads: Int
  /// Heads of keys and values; each serves `heads / keyValueHeads` heads of queries.
  public var keyValueHeads: Int
  public var headSize: Int
  /// The most tokens that one example or one completion with its prompt can have.
  public var contextLength: Int
  public var ropeBase: Double = 10_000
  public var ropeScaling: RopeScaling?
  /// How far back attention looks, where it does not look at everything; longer sequences are refused.
  public var slidingWindow: Int?
  public var normEpsilon: Double = 1e-5
  /// Whether the output projection is the embedding.
  public var tiesEmbeddings = true
  /// Biases on the four projections of attention (`attention_bias`), and on those of the feed-forward (`mlp_bias`).
  public var attentionBias = false
  public var feedForwardBias = false
  /// The standard deviation of new weights; unless told otherwise, 1 / sqrt(hiddenSize), which teaches small models
  /// far better than a fixed 0.02.
  public var initialDeviation: Double

  public init(
    vocabularySize: Int, hiddenSize: Int, intermediateSize: Int, layers: Int, heads: Int, keyValueHeads: Int,
    headSize: Int? = nil, contextLength: Int
  ) {
    self.vocabularySize = vocabularySize
    self.hiddenSize = hiddenSize
    self.intermediateSize = intermediateSize
    self.layers = layers
    self.heads = heads
    self.keyValueHeads = keyValueHeads
    self.headSize = headSize ?? (heads > 0 ? hiddenSize / heads : 0)
    self.contextLength = contextLength
    initialDeviation = 1 / Double(max(1, hiddenSize)).squareRoot()
  }

  /// Reads a new model's declaration: the six sizes and `max_position_embeddings` are required, unknown keys refused.
  /// - Throws: `Failures` with every mistake found, or `Failure`.
  public init(json: JSON, file: String) throws {
    var fields = try Fields(json, file: file, of: "model")
    let type = fields.string("model_type", default: Architecture.llama.rawValue)
    self.init(
      vocabularySize: fields.int("vocab_size"), hiddenSize: fields.int("hidden_size"),
      intermediateSize: fields.int("intermediate_size"), layers: fields.int("num_hidden_layers"),
      heads: fields.int("num_attention_heads"),
      keyValueHeads: fields.int("num_key_value_heads", default: nil)
        ?? fields.int("num_attention_heads"),
      headSize: fields.int("head_dim", default: nil), contextLength: fields.int("max_position_embeddings"))
    ropeBase = fields.number("rope_theta", default: ropeBase)
    normEpsilon = fields.number("rms_norm_eps", default: normEpsilon)
    initialDeviation = fields.number("initializer_range", default: initialDeviation)
    try fields.finish()
    guard let architecture = Architecture(rawValue: type) else {
      throw Failure(
        .user, "model-shape",
        "model_type must be one of \(Architecture.allCases.map(\.rawValue).joined(separator: ", ")), not '\(type)'",
        at: Position(file: file))
    }
    self.architecture = architecture
    try validate(file: file)
  }

  /// - Throws: `Failure` naming the first size that no model can have.
  public func validate(file: String? = nil) throws {
    func check(_ condition: Bool, _ message: @autoclosure () -> String) throws {
      guard !condition else { return }
      throw Failure(.user, "model-shape", message(), at: file.map { Position(file: $0) })
    }
    let sizes = [
      ("vocab_size", vocabularySize, 1...1_000_000), ("hidden_size", hiddenSize, 2...65_536),
      ("intermediate_size", intermediateSize, 1...262_144), ("num_hidden_layers", layers, 1...1024),
      ("num_attention_heads", heads, 1...1024), ("num_key_value_heads", keyValueHeads, 1...1024),
      ("head_dim", headSize, 2...256), ("max_position_embeddings", contextLength, 2...1_000_000),
    ]
    for (name, value, range) in sizes {
      try check(range.contains(value), "\(name) must be \(range.lowerBound) to \(range.upperBound), not \(value)")
    }
    try check(hiddenSize % 2 == 0, "hidden_size must be even, not \(hiddenSize)")
    try check(headSize % 2 == 0, "head_dim must be even, not \(headSize)")
    try check(heads % keyValueHeads == 0, "num_attention_heads must be a multiple of num_key_value_heads")
    try check(ropeBase >= 1 && ropeBase <= 1e9, "rope_theta must be 1 to 1e9")
    try check(normEpsilon > 0 && normEpsilon < 1, "rms_norm_eps must be between 0 and 1")
    try check(initialDeviation > 0 && initialDeviation < 10, "initializer_range must be between 0 and 10")
    if architecture == .gpt2 {
      try check(keyValueHeads == heads && headSize * heads == hiddenSize, "gpt2 has as many key as query heads")
    }
    if let slidingWindow {
      try check(slidingWindow >= 2, "sliding_window must be at least 2, not \(slidingWindow)")
    }
    if let scaling = ropeScaling {
      try check(
        scaling.factor >= 1 && scaling.lowFrequencyFactor > 0
          && scaling.highFrequencyFactor > scaling.lowFrequencyFactor && scaling.originalContextLength > 0,
        "rope_scaling's factors make no sense")
    }
  }

  /// Operands in bfloat16 are taken in pairs along a row.
  /// - Throws: `Failure` when the shape has no form in that precision.
  public func check(_ precision: Precision) throws {
    guard precision == .float32 || intermediateSize % 2 == 0 else {
      throw Failure(
        .user, "model-shape", "in bfloat16 intermediate_size must be even, not \(intermediateSize)",
        hint: "use 'precision: float32'")
    }
  }

  /// The most tokens of one sequence: the context, within what the kernels take.
  var longestSequence: Int { min(contextLength, slidingWindow ?? .max, lemma_attention_limit()) }
  /// Width of the queries, and of the attention's output.
  var queryWidth: Int { heads * headSize }
  /// Width of a row of queries, keys and values together.
  var attentionWidth: Int { (heads + 2 * keyValueHeads) * headSize }
  /// Width of the feed-forward's first product: gate and up, or up alone.
  var upWidth: Int { isGated ? 2 * intermediateSize : intermediateSize }
  var isGated: Bool { architecture != .gpt2 }
  var hasRotaryPositions: Bool { architecture != .gpt2 }
  var hasNormBias: Bool { architecture == .gpt2 }
  var hasQueryBias: Bool { attentionBias || architecture == .qwen2 || architecture == .gpt2 }
  var hasOutputBias: Bool { attentionBias || architecture == .gpt2 }
  var hasFeedForwardBias: Bool { feedForwardBias || architecture == .gpt2 }

  /// The number of weights.
  public var parameterCount: Int { ParameterLayout(self).count }

  /// The angle of each pair of a head at position 1.
  var ropeFrequencies: [Double] {
    var frequencies = [Double](repeating: 0, count: headSize / 2)
    lemma_rope_frequencies(headSize, ropeBase, &frequencies)
    guard let scaling = ropeScaling else { return frequencies }
    // Low frequencies are divided, high ones kept, those between blended.
    return frequencies.map { frequency in
      let turns = Double(scaling.originalContextLength) * frequency / (2 * Double.pi)
      let (low, high) = (scaling.lowFrequencyFactor, scaling.highFrequencyFactor)
      if turns > high { return frequency }
      if turns < low { return frequency / scaling.factor }
      let smooth = (turns - low) / (high - low)
      return (1 - smooth) * frequency / scaling.factor + smooth * frequency
    }
  }
}
