import CKernels
import LemmaBasics

/// The shape of a LLaMA-style decoder with tied embeddings (Touvron et al., 2023), under the names of Hugging Face's
/// `config.json`.
public struct ModelConfiguration: Hashable, Sendable {
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
  public var normEpsilon: Double = 1e-5
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

  /// Reads a model's declaration: the six sizes and `max_position_embeddings` are required, unknown keys refused.
  /// - Throws: `Failures` with every mistake found, or `Failure`.
  public init(json: JSON, file: String) throws {
    var fields = try Fields(json, file: file, of: "model")
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
    try validate(file: file)
  }

  /// - Throws: `Failure` naming the first size that no model can have.
  public func validate(file: String? = nil) throws {
    func check(_ condition: Bool, _ message: @autoclosure () -> String) throws {
      guard !condition else { return }
      throw Failure(.user, "model-shape", message(), at: file.map { Position(file: $0) })
    }
    let sizes = [
      ("vocab_size", vocabularySize, 1...1_000_000), ("hidden_size", hiddenSize, 1...65_536),
      ("intermediate_size", intermediateSize, 1...262_144), ("num_hidden_layers", layers, 1...1024),
      ("num_attention_heads", heads, 1...1024), ("num_key_value_heads", keyValueHeads, 1...1024),
      ("head_dim", headSize, 2...256), ("max_position_embeddings", contextLength, 2...lemma_attention_limit()),
    ]
    for (name, value, range) in sizes {
      try check(range.contains(value), "\(name) must be \(range.lowerBound) to \(range.upperBound), not \(value)")
    }
    try check(headSize % 2 == 0, "head_dim must be even, not \(headSize)")
    try check(heads % keyValueHeads == 0, "num_attention_heads must be a multiple of num_key_value_heads")
    try check(ropeBase >= 1 && ropeBase <= 1e9, "rope_theta must be 1 to 1e9")
    try check(normEpsilon > 0 && normEpsilon < 1, "rms_norm_eps must be between 0 and 1")
    try check(initialDeviation > 0 && initialDeviation < 10, "initializer_range must be between 0 and 10")
  }

  /// Width of the queries, and of the attention's output.
  var queryWidth: Int { heads * headSize }
  /// Width of a row of queries, keys and values together.
  var attentionWidth: Int { (heads + 2 * keyValueHeads) * headSize }

  /// The number of weights.
  public var parameterCount: Int { ParameterLayout(self).count }
}
