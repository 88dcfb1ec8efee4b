import LemmaBasics

/// `config.json` as Hugging Face's `transformers` writes and reads it. Keys that do not change the arithmetic are
/// passed over; those that would change it must have the value that Lemma computes with.
extension ModelConfiguration {
  /// The content of `config.json` except for the ids of tokens.
  var checkpointJSON: [String: JSON] {
    var json: [String: JSON] = [
      "model_type": .string(architecture.rawValue), "initializer_range": JSON(initialDeviation),
      "torch_dtype": "float32", "tie_word_embeddings": .bool(tiesEmbeddings), "use_cache": true,
      "vocab_size": JSON(vocabularySize),
    ]
    let own: [String: JSON]
    if architecture == .gpt2 {
      own = [
        "architectures": ["GPT2LMHeadModel"], "activation_function": "gelu_new", "attn_pdrop": 0, "embd_pdrop": 0,
        "layer_norm_epsilon": JSON(normEpsilon), "n_ctx": JSON(contextLength), "n_embd": JSON(hiddenSize),
        "n_head": JSON(heads), "n_inner": JSON(intermediateSize), "n_layer": JSON(layers),
        "n_positions": JSON(contextLength), "resid_pdrop": 0,
      ]
    } else {
      own = llamaKeys
    }
    json.merge(own) { $1 }
    return json
  }

  private var llamaKeys: [String: JSON] {
    let names: [Architecture: JSON] = [
      .llama: "LlamaForCausalLM", .mistral: "MistralForCausalLM", .qwen2: "Qwen2ForCausalLM",
    ]
    var json: [String: JSON] = [
      "architectures": .array([names[architecture] ?? nil]), "attention_dropout": 0, "head_dim": JSON(headSize),
      "hidden_act": "silu", "hidden_size": JSON(hiddenSize), "intermediate_size": JSON(intermediateSize),
      "max_position_embeddings": JSON(contextLength), "num_attention_heads": JSON(heads),
      "num_hidden_layers": JSON(layers), "num_key_value_heads": JSON(keyValueHeads), "rms_norm_eps": JSON(normEpsilon),
      "rope_scaling": ropeScaling?.json ?? nil, "rope_theta": JSON(ropeBase),
    ]
    switch architecture {
    case .llama:
      json["attention_bias"] = .bool(attentionBias)
      json["mlp_bias"] = .bool(feedForwardBias)
      json["pretraining_tp"] = 1
    case .mistral: json["sliding_window"] = slidingWindow.map { JSON($0) } ?? nil
    case .qwen2: json["use_sliding_window"] = false
    case .gpt2: break
    }
    return json
  }

  /// Reads a `config.json`.
  /// - Throws: `Failure` for an architecture other than these, or a key that Lemma does not compute by.
  init(checkpoint json: JSON, file: String) throws {
    let reader = ConfigurationReader(json: json, file: file)
    let known = Architecture.allCases.map(\.rawValue).joined(separator: ", ")
    guard let architecture = json["model_type"]?.string.flatMap(Architecture.init(rawValue:)) else {
      throw reader.refusal("the model's 'model_type' must be one of \(known)")
    }
    self = architecture == .gpt2 ? try reader.gpt2() : try reader.llama(architecture)
    try validate(file: file)
  }
}

extension ModelConfiguration.RopeScaling {
  fileprivate var json: JSON {
    [
      "rope_type": "llama3", "factor": JSON(factor), "low_freq_factor": JSON(lowFrequencyFactor),
      "high_freq_factor": JSON(highFrequencyFactor),
      "original_max_position_embeddings": JSON(originalContextLength),
    ]
  }
}

/// Reads the keys of one `config.json`; absent ones have the defaults of `transformers`.
private struct ConfigurationReader {
  let json: JSON
  let file: String

  func refusal(_ message: String) -> Failure { Failure(.user, "checkpoint", message, at: Position(file: file)) }

  /// Nil where the key is absent or null.
  private func value(_ key: String) -> JSON? {
    guard let value = json[key], !value.isNull else { return .none }
    return value
  }

  private func int(_ key: String, default fallback: Int? = nil) throws -> Int {
    guard let value = value(key) else {
      if let fallback { return fallback }
      throw refusal("the model's '\(key)' is missing")
    }
    guard let int = value.int else { throw refusal("the model's '\(key)' must be a whole number") }
    return int
  }

  private func number(_ key: String, of json: JSON? = nil, default fallback: Double?) throws -> Double {
    guard let value = (json ?? self.json)[key], !value.isNull else {
      if let fallback { return fallback }
      throw refusal("the model's '\(key)' is missing")
    }
    guard let number = value.double else { throw refusal("the model's '\(key)' must be a number") }
    return number
  }

  private func flag(_ key: String, default fallback: Bool) throws -> Bool {
    guard let value = value(key) else { return fallback }
    guard let flag = value.bool else { throw refusal("the model's '\(key)' must be true or false") }
    return flag
  }

  /// The arithmetic has no choice here.
  private func require(_ key: String, _ allowed: JSON...) throws {
    guard let value = value(key), !allowed.contains(value) else { return }
    throw refusal("the model's '\(key)' must be \(allowed.map(\.canonical).joined(separator: " or "))")
  }

  func gpt2() throws -> ModelConfiguration {
    try require("activation_function", "gelu_new", "gelu_pytorch_tanh")
    try require("scale_attn_weights", true)
    try require("scale_attn_by_inverse_layer_idx", false)
    try require("reorder_and_upcast_attn", false)
    let hidden = try int("n_embd")
    let heads = try int("n_head")
    var model = ModelConfiguration(
      vocabularySize: try int("vocab_size"), hiddenSize: hidden,
      intermediateSize: try int("n_inner", default: (1...1 << 20).contains(hidden) ? 4 * hidden : 0),
      layers: try int("n_layer"),
      heads: heads, keyValueHeads: heads, contextLength: try int("n_positions", default: 1024))
    model.architecture = .gpt2
    model.normEpsilon = try number("layer_norm_epsilon", default: 1e-5)
    model.tiesEmbeddings = try flag("tie_word_embeddings", default: true)
    model.initialDeviation = try number("initializer_range", default: 0.02)
    return model
  }

  func llama(_ architecture: ModelConfiguration.Architecture) throws -> ModelConfiguration {
    try require("hidden_act", "silu")
    try require("use_sliding_window", false)
    if let types = value("layer_types")?.array, architecture != .mistral,
      types.contains(where: { $0 != "full_attention" })
    {
      throw refusal("the model's 'layer_types' must all be \"full_attention\"")
    }
    let heads = try int("num_attention_heads")
    var model = ModelConfiguration(
      vocabularySize: try int("vocab_size"), hiddenSize: try int("hidden_size"),
      intermediateSize: try int("intermediate_size"), layers: try int("num_hidden_layers"), heads: heads,
      keyValueHeads: try int("num_key_value_heads", default: architecture == .mistral ? 8 : heads),
      headSize: value("head_dim") == nil ? nil : try int("head_dim"),
      contextLength: try int("max_position_embeddings", default: 2048))
    model.architecture = architecture
    model.normEpsilon = try number("rms_norm_eps", default: 1e-6)
    model.tiesEmbeddings = try flag("tie_word_embeddings", default: false)
    model.initialDeviation = try number("initializer_range", default: 0.02)
    if architecture == .llama {
      model.attentionBias = try flag("attention_bias", default: false)
      model.feedForwardBias = try flag("mlp_bias", default: false)
    } else {
      try require("attention_bias", false)
      try require("mlp_bias", false)
    }
    if architecture == .mistral, json["sliding_window"].map({ !$0.isNull }) ?? true {
      model.slidingWindow = try int("sliding_window", default: 4096)
    }
    // Newer files hold all that concerns rotary positions in one mapping.
    let rope = value("rope_parameters") ?? value("rope_scaling")
    model.ropeBase = try number("rope_theta", default: try number("rope_theta", of: rope, default: 10_000))
    model.ropeScaling = try scaling(rope)
    return model
  }

  private func scaling(_ rope: JSON?) throws -> ModelConfiguration.RopeScaling? {
    guard let rope, let type = (rope["rope_type"] ?? rope["type"])?.string, type != "default" else { return nil }
    guard type == "llama3", let original = rope["original_max_position_embeddings"]?.int else {
      throw refusal("the model's rope_type must be default or llama3, not '\(type)'")
    }
    return .init(
      factor: try number("factor", of: rope, default: nil),
      lowFrequencyFactor: try number("low_freq_factor", of: rope, default: nil),
      highFrequencyFactor: try number("high_freq_factor", of: rope, default: nil), originalContextLength: original)
  }
}
