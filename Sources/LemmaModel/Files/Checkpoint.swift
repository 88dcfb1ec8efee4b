import LemmaBasics

/// A model as a Hugging Face folder, which `transformers` opens with the same logits. The same model gives the same
/// bytes.
public enum Checkpoint {
  /// Writes `config.json`, `generation_config.json`, `model.safetensors`, `tokenizer.json` and
  /// `tokenizer_config.json` into the folder, which is made if it is missing.
  public static func save(_ model: Model, to folder: String) throws {
    try Files.makeFolder(folder)
    let configuration = model.configuration
    let end = JSON(Int(model.tokenizer.endOfText))
    let documents: [(String, JSON)] = [
      ("config.json", configuration.checkpointJSON(endOfText: end)),
      ("generation_config.json", ["do_sample": false, "eos_token_id": end, "pad_token_id": end]),
      (
        "tokenizer_config.json",
        model.tokenizer.configurationJSON(contextLength: configuration.contextLength)
      ),
    ]
    for (name, json) in documents { try Files.write(Array(json.pretty.utf8), to: "\(folder)/\(name)") }
    try Files.write(model.tokenizer.content, to: "\(folder)/tokenizer.json")
    let values = try model.parameters.turned(model.configuration, toCheckpoint: true).values.bytes
    let tensors = model.parameters.layout.tensors.map { tensor in
      (
        name: tensor.name, shape: tensor.shape,
        bytes: UnsafeRawBufferPointer(rebasing: values[tensor.offset * 4..<(tensor.offset + tensor.count) * 4])
      )
    }
    try Files.write(Safetensors.encode(tensors), to: "\(folder)/model.safetensors")
  }

  /// Reads a folder that `save` wrote, or one equal in kind.
  /// - Throws: `Failure` for a damaged file, another architecture, or weights that do not fit it.
  public static func load(from folder: String) throws -> Model {
    func json(_ name: String) throws -> JSON {
      let path = "\(folder)/\(name)"
      return try JSON(parsing: try Files.read(path), file: path)
    }
    let configuration = try ModelConfiguration(
      checkpoint: try json("config.json"), file: "\(folder)/config.json")
    let tokenizer = try Tokenizer(
      parsing: Files.read("\(folder)/tokenizer.json"), file: "\(folder)/tokenizer.json")
    guard tokenizer.vocabularySize <= configuration.vocabularySize else {
      throw Failure(
        .user, "checkpoint",
        "the tokenizer has \(tokenizer.vocabularySize) tokens, the model \(configuration.vocabularySize)",
        at: Position(file: folder))
    }
    let parameters = try readWeights(configuration, path: "\(folder)/model.safetensors")
    return Model(configuration: configuration, tokenizer: tokenizer, parameters: parameters)
  }

  private static func readWeights(_ configuration: ModelConfiguration, path: String) throws -> Parameters {
    func refuse(_ message: String) -> Failure { Failure(.user, "checkpoint", message, at: Position(file: path)) }
    let bytes = try Files.read(path)
    var found = try Safetensors.decode(bytes, file: path)
    let layout = ParameterLayout(configuration)
    for tensor in layout.tensors {
      guard let entry = found.removeValue(forKey: tensor.name) else { throw refuse("'\(tensor.name)' is missing") }
      guard entry.shape == tensor.shape else {
        throw refuse("'\(tensor.name)' has the shape \(entry.shape), not \(tensor.shape)")
      }
      found[tensor.name] = entry
    }
    guard found.count == layout.tensors.count else {
      let names = Set(layout.tensors.map(\.name))
      let stranger = found.keys.filter { !names.contains($0) }.min() ?? ""
      throw refuse("the model has no place for '\(stranger)'")
    }
    let parameters = try Parameters(configuration)
    bytes.withUnsafeBytes { source in
      for tensor in layout.tensors {
        guard let entry = found[tensor.name] else { continue }
        UnsafeMutableRawPointer(parameters.values.pointer + tensor.offset)
          .copyMemory(from: source.baseAddress! + entry.range.lowerBound, byteCount: entry.range.count)
      }
    }
    return try parameters.turned(configuration, toCheckpoint: false)
  }
}

extension Parameters {
  /// The same weights with those matrices transposed that a checkpoint holds the other way round.
  fileprivate func turned(_ model: ModelConfiguration, toCheckpoint: Bool) throws -> Parameters {
    let matrices = layout.tensors.filter(\.isTransposed)
    if matrices.isEmpty { return self }
    let turned = try copy(model)
    for tensor in matrices {
      let (rows, columns) =
        toCheckpoint ? (tensor.shape[1], tensor.shape[0]) : (tensor.shape[0], tensor.shape[1])
      let (from, to) = (values.pointer + tensor.offset, turned.values.pointer + tensor.offset)
      for row in 0..<rows {
        for column in 0..<columns { to[column * rows + row] = from[row * columns + column] }
      }
    }
    return turned
  }
}
