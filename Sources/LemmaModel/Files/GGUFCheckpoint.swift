import LemmaBasics

/// A GGUF file seen as a checkpoint of Hugging Face's: the model's shape from its metadata, and its tensors under the
/// names that LLaMA and Qwen2 have there.
/// Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, "Standardized key-value pairs".
struct GGUFCheckpoint: WeightSource {
  let configuration: ModelConfiguration
  let tensors: [WeightTensor]
  private let file: GGUF
  private let names: [String: String]

  var path: String { file.path }

  /// - Throws: `Failure` for an architecture other than these, or metadata that makes no model.
  init(_ file: GGUF) throws {
    self.file = file
    configuration = try GGUFCheckpoint.configuration(file)
    var names: [String: String] = [:]
    for tensor in file.tensors { names[GGUFCheckpoint.name(of: tensor.name)] = tensor.name }
    self.names = names
    tensors = names.sorted { $0.key < $1.key }.compactMap { name, own in
      file.tensor(own).map { WeightTensor(name: name, shape: $0.shape, type: $0.type, count: $0.count) }
    }
  }

  func tensor(_ name: String) -> WeightTensor? {
    guard let own = names[name], let tensor = file.tensor(own) else { return nil }
    return WeightTensor(name: name, shape: tensor.shape, type: tensor.type, count: tensor.count)
  }

  func read(_ name: String, into values: UnsafeMutablePointer<Float>) throws {
    guard let own = names[name] else { throw missing(name) }
    try file.read(own, into: values)
    guard configuration.architecture == .llama, let shape = tensor(name)?.shape else { return }
    if name.contains("self_attn.q_proj") { try unpair(values, shape, heads: configuration.heads) }
    if name.contains("self_attn.k_proj") { try unpair(values, shape, heads: configuration.keyValueHeads) }
  }

  /// Its rows of queries and keys stand so that neighbours turn together; ours turn with the one half a head away.
  private func unpair(_ values: UnsafeMutablePointer<Float>, _ shape: [Int], heads: Int) throws {
    let width = shape.count > 1 ? shape[1] : 1
    let (head, half) = (configuration.headSize, configuration.headSize / 2)
    guard shape.first == heads * head else { return }
    let copy = try Floats(head * width)
    for start in stride(from: 0, to: heads * head * width, by: head * width) {
      copy.pointer.update(from: values + start, count: head * width)
      for row in 0..<head {
        let from = row < half ? 2 * row : 2 * (row - half) + 1
        (values + start + row * width).update(from: copy.pointer + from * width, count: width)
      }
    }
  }

  private static func name(of own: String) -> String {
    let whole = [
      "token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight",
      "output.weight": "lm_head.weight",
    ]
    if let name = whole[own] { return name }
    let parts = own.split(separator: ".").map(String.init)
    let pieces = [
      "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
      "attn_output": "self_attn.o_proj", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj",
      "ffn_down": "mlp.down_proj", "attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm",
    ]
    guard parts.count == 4, parts[0] == "blk", let piece = pieces[parts[2]] else { return own }
    return "model.layers.\(parts[1]).\(piece).\(parts[3])"
  }

  private static func configuration(_ file: GGUF) throws -> ModelConfiguration {
    func refuse(_ message: String) -> Failure { Failure(.user, "gguf", message, at: Position(file: file.path)) }
    let name = file.metadata["general.architecture"]?.string ?? "nothing"
    guard let architecture = ["llama": ModelConfiguration.Architecture.llama, "qwen2": .qwen2][name] else {
      throw refuse("its architecture must be llama or qwen2, not '\(name)'")
    }
    func int(_ key: String) throws -> Int? {
      guard let value = file.metadata["\(name).\(key)"] else { return nil }
      guard let int = value.int else { throw refuse("'\(name).\(key)' must be a whole number") }
      return int
    }
    func required(_ key: String) throws -> Int {
      guard let value = try int(key) else { throw refuse("'\(name).\(key)' is missing") }
      return value
    }
    // Without a type, llama.cpp takes a factor to stretch all frequencies alike; 0 stands for none.
    let stretchType = file.metadata["\(name).rope.scaling.type"]?.string
    let factors = ["scaling.factor", "scale_linear"].compactMap { file.metadata["\(name).rope.\($0)"]?.double }
    guard file.tensor("rope_freqs.weight") == nil,
      stretchType.map({ $0 == "none" }) ?? factors.allSatisfy({ $0 == 0 || $0 == 1 })
    else { throw refuse("its rotary frequencies are stretched in a way that Lemma does not read from GGUF") }
    guard let embedding = file.tensor("token_embd.weight"), embedding.shape.count == 2 else {
      throw refuse("'token_embd.weight' is missing")
    }
    let heads = try required("attention.head_count")
    var model = ModelConfiguration(
      vocabularySize: embedding.shape[0], hiddenSize: try required("embedding_length"),
      intermediateSize: try required("feed_forward_length"), layers: try required("block_count"), heads: heads,
      keyValueHeads: try int("attention.head_count_kv") ?? heads, headSize: try int("attention.key_length"),
      contextLength: try required("context_length"))
    model.architecture = architecture
    model.ropeBase = file.metadata["\(name).rope.freq_base"]?.double ?? 10_000
    model.normEpsilon = file.metadata["\(name).attention.layer_norm_rms_epsilon"]?.double ?? 1e-5
    // It is kept as a 32-bit float, whose shortest decimal is what was meant.
    model.normEpsilon = Double("\(Float(model.normEpsilon))") ?? model.normEpsilon
    model.tiesEmbeddings = file.tensor("output.weight") == nil
    try model.validate(file: file.path)
    return model
  }
}
