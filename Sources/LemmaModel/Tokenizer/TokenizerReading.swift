import LemmaBasics

/// Reads the `tokenizer.json` of the Hugging Face `tokenizers` library. What is not understood is refused, since
/// passing over it would give other ids.
extension TokenizerDefinition {
  /// The spellings that end a text by custom, looked for in this order when nobody says which one does.
  private static let customaryEnds = [
    Tokenizer.endOfTextSpelling, "</s>", "<|end_of_text|>", "<eos>", "<|im_end|>", "<|eot_id|>",
    "<｜end▁of▁sentence｜>",
  ]

  private static let sizeLimit = 4_000_000
  /// Bytes of all added tokens together.
  private static let addedLimit = 1 << 20

  /// - Parameters:
  ///   - json: the file, with `model.vocab` as an object or as a list of `[spelling, id]`.
  ///   - endOfText: the spelling of the special token that ends a text; nil looks for a customary one.
  /// - Throws: `Failure` that names the part which is damaged or not understood.
  init(json: JSON, file: String, endOfText: String?) throws {
    let root = try TokenizerPart(json, "tokenizer", file: file)
    try root.allow(
      "version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder",
      "model")
    for key in ["truncation", "padding"] where root[key] != nil {
      throw root.refusal("it has settings for '\(key)', which change the ids")
    }
    func part(_ key: String) throws -> TokenizerPart? { try root[key].map { try TokenizerPart($0, key, file: file) } }
    guard let model = try part("model"), model["type"] == nil || model.type == "BPE" else {
      throw root.refusal("its model is not BPE")
    }
    try model.allow(
      "type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk", "byte_fallback",
      "ignore_merges", "vocab", "merges")
    if let dropout = model["dropout"], dropout != 0 { throw root.refusal("'model.dropout' leaves out merges") }

    let words = try VocabularyReader(model, added: root["added_tokens"] == nil ? [] : root.parts("added_tokens"))
    continuingPrefix = model["continuing_subword_prefix"] == nil ? [] : try model.bytes("continuing_subword_prefix")
    endSuffix = model["end_of_word_suffix"] == nil ? [] : try model.bytes("end_of_word_suffix")
    merges = try words.merges(model, prefix: continuingPrefix)
    spellings = words.spellings
    isInModel = words.isInModel
    added = words.added.filter(\.isSpecial) + words.added.filter { !$0.isSpecial }
    fusesUnknown = try model.bool("fuse_unk", false)
    fallsBackToBytes = try model.bool("byte_fallback", false)
    ignoresMerges = try model.bool("ignore_merges", false)
    normalization = try part("normalizer")?.normalization() ?? []
    (splits, isByteLevel) = try part("pre_tokenizer")?.splits() ?? ([], false)
    decoding = try part("decoder")?.decoding()
    (before, after) = try part("post_processor")?.surroundings() ?? ([], [])
    if model["unk_token"] != nil {
      guard let id = words.id(try model.bytes("unk_token")) else {
        throw model.refusal("'model.unk_token' is not in the vocabulary")
      }
      unknown = id
    }
    let ends = endOfText.map { [$0] } ?? Self.customaryEnds
    let special = words.added.filter(\.isSpecial)
    guard let end = ends.lazy.compactMap({ end in special.first { $0.content == Array(end.utf8) } }).first else {
      throw root.refusal(
        endOfText.map { "'\($0)' is not one of its special tokens" } ?? "it names no special token that ends a text")
    }
    self.endOfText = end.id
    try check(root)
  }

  private func check(_ root: TokenizerPart) throws {
    let isSpecial = Set(added.filter(\.isSpecial).map(\.id))
    if isByteLevel != (decoding?.contains(.byteLevel) ?? false) {
      throw root.refusal("only one of 'pre_tokenizer' and 'decoder' is of the type 'ByteLevel'")
    }
    if let merge = merges.first(where: { isSpecial.contains($0.result) }) {
      throw root.refusal("a merge makes the special token '\(spelling(merge.result))' of ordinary text")
    }
    if isByteLevel {
      let addedIDs = Set(added.map(\.id))
      for (id, spelling) in spellings.enumerated()
      where TokenDecoding.alphabetBytes(spelling) == nil && !addedIDs.contains(Int32(id)) {
        throw root.refusal("the token '\(self.spelling(Int32(id)))' is not in the byte alphabet")
      }
    }
    guard (before + after).allSatisfy({ spellings.indices.contains(Int($0)) }) else {
      throw root.refusal("'post_processor' adds an id that no token has")
    }
    let hasAffixes = !continuingPrefix.isEmpty || !endSuffix.isEmpty
    if fallsBackToBytes, hasAffixes || isByteLevel && !MergeModel(self).coversAllText {
      throw root.refusal("'model.byte_fallback' does not go with its other settings")
    }
    if unknown == endOfText, !MergeModel(self).coversAllText {
      throw root.refusal("what it does not know would end the text")
    }
  }

  private func spelling(_ id: Int32) -> String { String(decoding: spellings[Int(id)], as: UTF8.self) }

  /// The tokens of the model and those added to it, by id.
  private struct VocabularyReader {
    private(set) var spellings: [[UInt8]]
    private(set) var isInModel: [Bool]
    private(set) var added: [AddedToken] = []
    private var ids: ByteTable

    init(_ model: TokenizerPart, added parts: [TokenizerPart]) throws {
      let entries = try Self.entries(model)
      guard entries.count + parts.count <= TokenizerDefinition.sizeLimit else {
        throw model.refusal("it has more than \(TokenizerDefinition.sizeLimit) tokens")
      }
      ids = ByteTable(minimumCapacity: entries.count + parts.count)
      var tokens: [(id: Int, spelling: [UInt8], isInModel: Bool)] = []
      for (spelling, id) in entries {
        let bytes = Array(spelling.utf8)
        guard !bytes.isEmpty else { throw model.refusal("'model.vocab' has a token without characters") }
        guard let number = id.int.flatMap(Int32.init(exactly:)), ids.insert(bytes, number) else {
          throw model.refusal("'model.vocab' has no id, or two, for '\(spelling)'")
        }
        tokens.append((Int(number), bytes, true))
      }
      var last = -1
      var contents: Set<[UInt8]> = []
      var size = 0
      for part in parts {
        let token = try Self.addedToken(part)
        guard contents.insert(token.content).inserted else { throw part.refusal("'\(part.name)' is added twice") }
        size += token.content.count
        guard size <= TokenizerDefinition.addedLimit else {
          throw part.refusal("its added tokens are longer than \(TokenizerDefinition.addedLimit) bytes together")
        }
        if let known = ids.value(token.content) {
          guard known == token.id else { throw part.refusal("'\(part.name)' has another id in 'model.vocab'") }
        } else {
          guard token.id > last else { throw part.refusal("'\(part.name)' is not in the order of its id") }
          last = Int(token.id)
          ids.insert(token.content, token.id)
          tokens.append((last, token.content, false))
        }
        added.append(token)
      }
      spellings = Array(repeating: [], count: tokens.count)
      isInModel = Array(repeating: false, count: tokens.count)
      for token in tokens {
        guard tokens.indices.contains(token.id), spellings[token.id].isEmpty else {
          throw model.refusal("its ids are not 0 to \(tokens.count - 1), each once")
        }
        spellings[token.id] = token.spelling
        isInModel[token.id] = token.isInModel
      }
    }

    func id(_ spelling: [UInt8]) -> Int32? { ids.value(spelling) }

    private static func entries(_ model: TokenizerPart) throws -> [(String, JSON)] {
      if let members = model["vocab"]?.object { return members.map { ($0, $1) } }
      return try model.list("vocab").map { entry in
        guard let pair = entry.array, pair.count == 2, let spelling = pair[0].string else {
          throw model.refusal("'model.vocab' must be an object")
        }
        return (spelling, pair[1])
      }
    }

    private static func addedToken(_ part: TokenizerPart) throws -> AddedToken {
      try part.allow("id", "content", "single_word", "lstrip", "rstrip", "normalized", "special")
      let token = AddedToken(
        id: Int32(try part.integer("id", 0...Int(Int32.max))), content: try part.bytes("content"),
        isSpecial: try part.bool("special"), isSingleWord: try part.bool("single_word"),
        stripsLeft: try part.bool("lstrip"), stripsRight: try part.bool("rstrip"),
        isNormalized: try part.bool("normalized"))
      guard !token.content.isEmpty else { throw part.refusal("'\(part.name)' has no characters") }
      return token
    }

    /// A merge is a list of two in newer files, and two words with a space between in older ones.
    func merges(_ model: TokenizerPart, prefix: [UInt8]) throws -> [Tokenizer.Merge] {
      try model.list("merges").map { entry in
        let sides: [[UInt8]]
        if let pair = entry.array {
          sides = pair.compactMap { $0.string.map { Array($0.utf8) } }
        } else {
          sides = Array((entry.string ?? "").utf8).split(separator: 0x20, omittingEmptySubsequences: false).map(
            Array.init)
        }
        guard sides.count == 2, let left = ids.value(sides[0]), let right = ids.value(sides[1]),
          sides[1].count >= prefix.count, let result = ids.value(sides[0] + sides[1].dropFirst(prefix.count))
        else { throw model.refusal("a merge names a token that is not in the vocabulary") }
        return Tokenizer.Merge(pair: Tokenizer.Pair(left: left, right: right), result: result)
      }
    }
  }
}
