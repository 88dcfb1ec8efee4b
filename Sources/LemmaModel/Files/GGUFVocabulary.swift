import LemmaBasics

/// The tokenizer in a GGUF file's metadata, as the `tokenizer.json` that gives the same ids.
/// Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, "Tokenizer".
struct GGUFVocabulary {
  /// What `tokenizer.ggml.token_type` says of a token.
  private enum TokenType: Int {
    case normal = 1
    case unknown, control, added, unused, byte
  }

  private let file: GGUF
  private let tokens: [String]
  private let types: [TokenType]

  /// - Throws: `Failure` when there is no vocabulary, or a damaged one.
  init(_ file: GGUF) throws {
    self.file = file
    guard let tokens = file.metadata["tokenizer.ggml.tokens"]?.strings else {
      throw Self.refusal("'tokenizer.ggml.tokens' is missing", file)
    }
    self.tokens = tokens
    if let numbers = file.metadata["tokenizer.ggml.token_type"] {
      let types = numbers.ints?.compactMap(TokenType.init(rawValue:))
      guard let types, types.count == tokens.count else {
        throw Self.refusal("'tokenizer.ggml.token_type' must have one type for each token", file)
      }
      self.types = types
    } else {
      types = Array(repeating: .normal, count: tokens.count)
    }
  }

  private static func refusal(_ message: String, _ file: GGUF) -> Failure {
    Failure(
      .user, "gguf", message, at: Position(file: file.path),
      hint: "a 'tokenizer.json' in the same folder takes the place of the file's own vocabulary")
  }

  private func refusal(_ message: String) -> Failure { Self.refusal(message, file) }

  /// The spellings of special tokens by the names that `transformers` has for them.
  var specialTokens: [String: String] {
    get throws {
      var names: [String: String] = [:]
      for (name, key) in [("bos", "bos"), ("eos", "eos"), ("unk", "unknown"), ("pad", "padding")] {
        if let spelling = try spelling("\(key)_token_id") { names["\(name)_token"] = spelling }
      }
      return names
    }
  }

  private func spelling(_ key: String) throws -> String? {
    guard let value = file.metadata["tokenizer.ggml.\(key)"] else { return nil }
    guard let id = value.int, tokens.indices.contains(id) else {
      throw refusal("'tokenizer.ggml.\(key)' names no token of the vocabulary")
    }
    return tokens[id]
  }

  /// The tokenizer itself.
  /// - Throws: `Failure` for a kind of tokenizer that Lemma does not know.
  func tokenizer() throws -> Tokenizer {
    let model = file.metadata["tokenizer.ggml.model"]?.string ?? "nothing"
    let parts: Parts
    switch model {
    case "gpt2": parts = try byteLevel()
    case "llama": parts = try sentencePiece()
    default: throw refusal("its tokenizer must be gpt2 or llama, not '\(model)'")
    }
    guard let end = try spelling("eos_token_id") else { throw refusal("'tokenizer.ggml.eos_token_id' is missing") }
    return try Tokenizer(parsing: try document(parts), file: "\(file.path)#tokenizer", endOfText: end)
  }

  /// What differs between kinds.
  private struct Parts {
    var normalizer: JSON = nil
    var preTokenizer: JSON = nil
    var decoder: JSON
    var addsBeginning: Bool
    var fallsBackToBytes = false
    var ignoresMerges = false
    var merges: [JSON]
  }

  // MARK: Byte-level

  private func byteLevel() throws -> Parts {
    guard let merges = file.metadata["tokenizer.ggml.merges"]?.strings else {
      throw refusal("'tokenizer.ggml.merges' is missing")
    }
    let name = file.metadata["tokenizer.ggml.pre"]?.string ?? "default"
    let split = try splits(name)
    return Parts(
      normalizer: name == "qwen2" ? ["type": "NFC"] : nil,
      preTokenizer: ["type": "Sequence", "pretokenizers": .array(split)], decoder: Self.byteLevelStep(usesRegex: true),
      addsBeginning: flag("add_bos_token", default: name == "llama-bpe"), ignoresMerges: name == "llama-bpe",
      merges: merges.map { .string($0) })
  }

  private func splits(_ name: String) throws -> [JSON] {
    func pattern(_ source: String) -> [JSON] {
      [
        ["type": "Split", "pattern": ["Regex": .string(source)], "behavior": "Isolated", "invert": false],
        Self.byteLevelStep(usesRegex: false),
      ]
    }
    switch name {
    case "gpt-2": return [Self.byteLevelStep(usesRegex: true)]
    case "smollm": return [["type": "Digits", "individual_digits": true], Self.byteLevelStep(usesRegex: true)]
    case "llama-bpe": return pattern(KnownPatterns.llama3Source)
    case "qwen2": return pattern(KnownPatterns.qwen2Source)
    default:
      throw refusal("'tokenizer.ggml.pre' must be gpt-2, smollm, llama-bpe or qwen2, not '\(name)'")
    }
  }

  private static func byteLevelStep(usesRegex: Bool) -> JSON {
    ["type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": .bool(usesRegex)]
  }

  private func flag(_ key: String, default fallback: Bool) -> Bool {
    file.metadata["tokenizer.ggml.\(key)"]?.bool ?? fallback
  }

  // MARK: SentencePiece

  private func sentencePiece() throws -> Parts {
    let hasPrefix = flag("add_space_prefix", default: true)
    let replace: JSON = ["type": "Replace", "pattern": ["String": " "], "content": "▁"]
    let prepend: JSON = ["type": "Prepend", "prepend": "▁"]
    let back: JSON = ["type": "Replace", "pattern": ["String": "▁"], "content": " "]
    let strip: JSON = ["type": "Strip", "content": " ", "start": 1, "stop": 0]
    return Parts(
      normalizer: ["type": "Sequence", "normalizers": hasPrefix ? [prepend, replace] : [replace]],
      decoder: [
        "type": "Sequence",
        "decoders": .array(
          [back, ["type": "ByteFallback"], ["type": "Fuse"]] + (hasPrefix ? [strip] : [])),
      ], addsBeginning: flag("add_bos_token", default: true), fallsBackToBytes: true, merges: try scoredMerges())
  }

  /// Bytes of a token of SentencePiece, whose own limit is 16 characters unless it is told otherwise.
  private static let tokenLimit = 256
  /// Bytes of all its merges.
  private static let mergesLimit = 1 << 26

  /// SentencePiece merges the pair whose result has the highest score; as a list of merges that is every way to cut
  /// a token in two tokens, by falling score.
  private func scoredMerges() throws -> [JSON] {
    guard let scores = file.metadata["tokenizer.ggml.scores"]?.doubles, scores.count == tokens.count,
      scores.allSatisfy({ !$0.isNaN })
    else { throw refusal("'tokenizer.ggml.scores' must have one score for each token") }
    struct Cut {
      var token: Int
      var left: Int
      var right: Int
    }
    var ids = ByteTable(minimumCapacity: tokens.count)
    for (id, token) in tokens.enumerated() where types[id] == .normal { ids.insert(Array(token.utf8), Int32(id)) }
    var cuts: [Cut] = []
    var size = 0
    for (id, token) in tokens.enumerated() where types[id] == .normal {
      guard token.utf8.count <= Self.tokenLimit else {
        throw refusal("it has a token of more than \(Self.tokenLimit) bytes")
      }
      Array(token.utf8).withUnsafeBufferPointer { bytes in
        for index in bytes.indices.dropFirst() {
          guard let left = ids.value(UnsafeBufferPointer(rebasing: bytes[..<index])),
            let right = ids.value(UnsafeBufferPointer(rebasing: bytes[index...]))
          else { continue }
          cuts.append(Cut(token: id, left: Int(left), right: Int(right)))
          size += bytes.count
        }
      }
      guard size <= Self.mergesLimit else { throw refusal("its tokens can be cut in two in too many ways") }
    }
    cuts.sort { a, b in
      if scores[a.token] != scores[b.token] { return scores[a.token] > scores[b.token] }
      return (a.token, a.left, a.right) < (b.token, b.left, b.right)
    }
    return cuts.map { [.string(tokens[$0.left]), .string(tokens[$0.right])] }
  }

  // MARK: The file

  private func document(_ parts: Parts) throws -> [UInt8] {
    var root: [String: JSON] = [
      "version": "1.0", "truncation": nil, "padding": nil, "normalizer": parts.normalizer,
      "pre_tokenizer": parts.preTokenizer, "decoder": parts.decoder, "post_processor": nil,
      "added_tokens": .array(tokens.indices.compactMap(addedToken)),
    ]
    if parts.addsBeginning, let beginning = try spelling("bos_token_id") { root["post_processor"] = begins(beginning) }
    let model: [String: JSON] = [
      "type": "BPE", "dropout": nil, "unk_token": try unknown(parts), "continuing_subword_prefix": nil,
      "end_of_word_suffix": nil, "fuse_unk": .bool(parts.fallsBackToBytes),
      "byte_fallback": .bool(parts.fallsBackToBytes), "ignore_merges": .bool(parts.ignoresMerges),
      "merges": .array(parts.merges),
    ]
    // Tokens that Unicode holds equal are different keys, which a mapping in memory cannot hold.
    let vocabulary = tokens.enumerated().map { "\(JSON.string($1).canonical):\($0)" }.joined(separator: ",")
    let head = JSON.object(root).canonical.dropLast()
    let body = JSON.object(model).canonical.dropLast()
    return Array("\(head),\"model\":\(body),\"vocab\":{\(vocabulary)}}}\n".utf8)
  }

  private func unknown(_ parts: Parts) throws -> JSON {
    guard parts.fallsBackToBytes, let spelling = try spelling("unknown_token_id") else { return nil }
    return .string(spelling)
  }

  private func addedToken(_ id: Int) -> JSON? {
    let isSpecial = types[id] == .control || types[id] == .unknown
    guard isSpecial || types[id] == .added else { return .none }
    return [
      "id": JSON(id), "content": .string(tokens[id]), "single_word": false, "lstrip": false, "rstrip": false,
      "normalized": false, "special": .bool(isSpecial),
    ]
  }

  private func begins(_ spelling: String) -> JSON {
    let mark: JSON = ["SpecialToken": ["id": .string(spelling), "type_id": 0]]
    func text(_ name: String, _ type: Int) -> JSON { ["Sequence": ["id": .string(name), "type_id": JSON(type)]] }
    let id = tokens.firstIndex { $0.utf8.elementsEqual(spelling.utf8) } ?? 0
    return [
      "type": "TemplateProcessing", "single": [mark, text("A", 0)], "pair": [mark, text("A", 0), text("B", 1)],
      "special_tokens": .object([
        spelling: ["id": .string(spelling), "ids": [JSON(id)], "tokens": [.string(spelling)]]
      ]),
    ]
  }
}
