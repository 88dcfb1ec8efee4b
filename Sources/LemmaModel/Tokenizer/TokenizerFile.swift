import LemmaBasics

/// The `tokenizer.json` of the Hugging Face `tokenizers` library, which opens it to the same ids.
extension Tokenizer {
  private static let ownPreTokenizer: JSON = [
    "type": "Sequence",
    "pretokenizers": [
      [
        "type": "Split", "pattern": ["Regex": .string(PreTokenizer.pattern)], "behavior": "Isolated", "invert": false,
      ],
      ["type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false],
    ],
  ]

  /// The content of `tokenizer.json`: of a tokenizer that was read, the very bytes, unless Lemma could have trained it.
  public var content: [UInt8] { source ?? Array(json.pretty.utf8) }

  /// The content of `tokenizer.json` of a tokenizer of the kind that Lemma trains.
  var json: JSON {
    var vocabulary: [String: JSON] = [:]
    for id in definition.spellings.indices { vocabulary[spelling(Int32(id))] = JSON(id) }
    return [
      "version": "1.0",
      "truncation": nil,
      "padding": nil,
      "added_tokens": [
        .object(definition.added[0].json.merging(["id": JSON(Int(endOfText))]) { $1 })
      ],
      "normalizer": nil,
      "pre_tokenizer": Self.ownPreTokenizer,
      "post_processor": nil,
      "decoder": ["type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true],
      "model": [
        "type": "BPE", "dropout": nil, "unk_token": nil, "continuing_subword_prefix": nil, "end_of_word_suffix": nil,
        "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
        "vocab": .object(vocabulary),
        "merges": .array(
          merges.map { [.string(spelling($0.pair.left)), .string(spelling($0.pair.right))] }),
      ],
    ]
  }

  private func spelling(_ id: Int32) -> String { String(decoding: definition.spellings[Int(id)], as: UTF8.self) }

  /// Reads any BPE `tokenizer.json`.
  /// - Parameters:
  ///   - content: the bytes of the file, which `content` gives back.
  ///   - endOfText: the spelling of the special token that ends a text, such as the `eos_token` of
  ///     `tokenizer_config.json`; nil takes a customary one.
  /// - Throws: `Failure` when it is damaged, or does to text what Lemma does not understand.
  public init(parsing content: [UInt8], file: String, endOfText: String? = nil) throws {
    let json = try JSON(parsing: content, listing: ["model", "vocab"], file: file)
    let definition = try TokenizerDefinition(json: json, file: file, endOfText: endOfText)
    self.init(definition, source: definition.isOwn ? nil : content)
  }

  /// The same from a value in which no two tokens are equal to Unicode.
  public init(json: JSON, file: String, endOfText: String? = nil) throws {
    let definition = try TokenizerDefinition(json: json, file: file, endOfText: endOfText)
    self.init(definition, source: definition.isOwn ? nil : Array(json.pretty.utf8))
  }
}
