import LemmaBasics

/// What a model takes for the marks of a text, beside its tokenizer: the names of special tokens, those that end an
/// answer, and how a conversation is written.
struct TextConventions: Sendable {
  /// The spellings of special tokens by the names that `transformers` has for them, such as `bos_token`.
  var names: [String: String] = [:]
  /// The ids that end an answer, the first of which ends what is learnt.
  var ends: [Int32]
  var chat: ChatTemplate?

  /// Of a tokenizer that comes without any.
  init(_ tokenizer: Tokenizer) { ends = [tokenizer.endOfText] }

  /// As a folder of Hugging Face's has them.
  /// - Throws: `Failure` for files that are not in order.
  init(folder: String, _ tokenizer: Tokenizer) throws {
    self.init(tokenizer)
    names = try ChatTemplate.specialTokens(folder: folder)
    chat = try ChatTemplate.read(folder: folder)
    for file in ["generation_config.json", "config.json"].map({ "\(folder)/\($0)" }) where Files.exists(file) {
      guard let value = try JSON(parsing: try Files.read(file), file: file)["eos_token_id"], !value.isNull else {
        continue
      }
      try add((value.array ?? [value]).map { $0.int }, tokenizer, file)
      break
    }
  }

  /// As a GGUF file has them.
  /// - Throws: `Failure` for metadata that is not in order.
  init(_ file: GGUF, _ tokenizer: Tokenizer) throws {
    self.init(tokenizer)
    names = try GGUFVocabulary(file).specialTokens
    chat = try ChatTemplate.read(gguf: file)
    let ids = ["eos", "eot"].compactMap { file.metadata["tokenizer.ggml.\($0)_token_id"]?.int }
    try add(ids, tokenizer, file.path)
  }

  private mutating func add(_ ids: [Int?], _ tokenizer: Tokenizer, _ file: String) throws {
    for id in ids {
      guard let id, (0..<tokenizer.vocabularySize).contains(id) else {
        throw Failure(
          .user, "checkpoint", "'eos_token_id' names no token of the vocabulary", at: Position(file: file))
      }
      if !ends.contains(Int32(id)) { ends.append(Int32(id)) }
    }
  }
}
