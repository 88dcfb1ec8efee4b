import LemmaBasics

/// A model as a Hugging Face folder, which `transformers` opens with the same logits. The same model gives the same
/// bytes.
public enum Checkpoint {
  /// The most bytes of one file of weights, as `transformers` has it.
  static let shardLimit = 5_000_000_000

  /// Writes `config.json`, `generation_config.json`, `model.safetensors` (in shards where it is large),
  /// `tokenizer.json`, `tokenizer_config.json` and, where the model has a chat template, `chat_template.jinja` into the
  /// folder, which is made if it is missing.
  public static func save(_ model: Model, to folder: String) throws {
    try Files.makeFolder(folder)
    let ids = model.tokenIDs
    let documents: [(String, JSON)] = [
      ("config.json", .object(model.configuration.checkpointJSON.merging(ids) { $1 })),
      ("generation_config.json", .object(ids.filter { !$0.value.isNull }.merging(["do_sample": false]) { $1 })),
      ("tokenizer_config.json", model.tokenizerConfiguration),
    ]
    for (name, json) in documents { try Files.write(Array(json.pretty.utf8), to: "\(folder)/\(name)") }
    try Files.write(model.tokenizer.content, to: "\(folder)/tokenizer.json")
    if let chat = model.conventions.chat {
      try Files.write(Array(chat.source.utf8), to: "\(folder)/\(ChatTemplate.fileName)")
    }
    let tensors = model.parameters.layout.tensors
    let room = try Floats(tensors.lazy.filter(\.isTransposed).map(\.count).max() ?? 0)
    try Safetensors.write(
      tensors.map { Safetensors.Entry(name: $0.name, shape: $0.shape) }, inFolder: folder, shardsOfAtMost: shardLimit
    ) { index in
      let tensor = tensors[index]
      let values = model.parameters.values.pointer + tensor.offset
      guard tensor.isTransposed else { return UnsafeRawBufferPointer(start: values, count: tensor.count * 4) }
      transpose(values, rows: tensor.shape[1], columns: tensor.shape[0], into: room.pointer)
      return UnsafeRawBufferPointer(start: room.pointer, count: tensor.count * 4)
    }
  }

  /// Reads a folder that `save` or `transformers` wrote, or a GGUF file, or a folder with one.
  /// - Throws: `Failure` for a damaged file, another architecture, or weights that do not fit it.
  public static func load(from path: String) throws -> Model {
    if let file = try ggufFile(at: path) {
      let gguf = try GGUF(MappedFile(file))
      let checkpoint = try GGUFCheckpoint(gguf)
      let vocabulary = try GGUFVocabulary(gguf)
      let own = "\(Files.parent(file))/tokenizer.json"
      let tokenizer =
        Files.exists(own)
        ? try Tokenizer(parsing: try Files.read(own), file: own, endOfText: try vocabulary.specialTokens["eos_token"])
        : try vocabulary.tokenizer()
      return try model(checkpoint.configuration, tokenizer, TextConventions(gguf, tokenizer), checkpoint)
    }
    let file = "\(path)/config.json"
    let configuration = try ModelConfiguration(
      checkpoint: try JSON(parsing: try Files.read(file), file: file), file: file)
    let tokenizer = try Tokenizer(
      parsing: try Files.read("\(path)/tokenizer.json"), file: "\(path)/tokenizer.json",
      endOfText: try ChatTemplate.specialTokens(folder: path)["eos_token"])
    return try model(configuration, tokenizer, TextConventions(folder: path, tokenizer), TensorFolder(path))
  }

  private static func model(
    _ configuration: ModelConfiguration, _ tokenizer: Tokenizer, _ conventions: TextConventions,
    _ source: some WeightSource
  ) throws -> Model {
    guard tokenizer.vocabularySize <= configuration.vocabularySize else {
      throw Failure(
        .user, "checkpoint",
        "the tokenizer has \(tokenizer.vocabularySize) tokens, the model \(configuration.vocabularySize)",
        at: Position(file: source.path))
    }
    return Model(
      configuration: configuration, tokenizer: tokenizer, conventions: conventions,
      parameters: try read(configuration, source))
  }

  /// The GGUF file that a path is or holds; nil for a folder of Hugging Face's.
  private static func ggufFile(at path: String) throws -> String? {
    guard Files.isFolder(path) else { return path }
    if Files.exists("\(path)/config.json") { return nil }
    let files = try Files.list(path).filter { $0.hasSuffix(".gguf") }
    guard files.count <= 1 else {
      throw Failure(.user, "checkpoint", "there is more than one GGUF file", at: Position(file: path))
    }
    return files.first.map { "\(path)/\($0)" }
  }

  // MARK: Weights

  private static func read(_ configuration: ModelConfiguration, _ source: some WeightSource) throws -> Parameters {
    func refuse(_ message: String) -> Failure {
      Failure(.user, "checkpoint", message, at: Position(file: source.path))
    }
    let parameters = try Parameters(configuration)
    let tensors = parameters.layout.tensors
    let room = try Floats(tensors.lazy.filter(\.isTransposed).map(\.count).max() ?? 0)
    var used: Set<String> = []
    for tensor in tensors {
      let name = name(of: tensor.name, in: source)
      guard let found = source.tensor(name) else { throw refuse("'\(tensor.name)' is missing") }
      guard found.shape == tensor.shape else {
        throw refuse("'\(name)' has the shape \(found.shape), not \(tensor.shape)")
      }
      used.insert(name)
      let values = parameters.values.pointer + tensor.offset
      try source.read(name, into: tensor.isTransposed ? room.pointer : values)
      if tensor.isTransposed {
        transpose(room.pointer, rows: tensor.shape[0], columns: tensor.shape[1], into: values)
      }
    }
    if let stranger = source.names.first(where: { !used.contains($0) && !isSpare($0, configuration) }) {
      throw refuse("the model has no place for '\(stranger)'")
    }
    return parameters
  }

  /// Files of a bare GPT-2 have its names without their first part.
  private static func name(of name: String, in source: some WeightSource) -> String {
    let prefix = "transformer."
    guard name.hasPrefix(prefix), source.tensor(name) == nil else { return name }
    return String(name.dropFirst(prefix.count))
  }

  /// Tensors that older files keep although they follow from the rest: masks, frequencies, a tied projection.
  private static func isSpare(_ name: String, _ configuration: ModelConfiguration) -> Bool {
    name.hasSuffix(".attn.bias") || name.hasSuffix(".attn.masked_bias") || name.hasSuffix(".rotary_emb.inv_freq")
      || (configuration.tiesEmbeddings && name == "lm_head.weight")
  }

  /// to[columns, rows] = from[rows, columns]^T
  private static func transpose(
    _ from: UnsafeMutablePointer<Float>, rows: Int, columns: Int, into to: UnsafeMutablePointer<Float>
  ) {
    for row in 0..<rows {
      for column in 0..<columns { to[column * rows + row] = from[row * columns + column] }
    }
  }
}
