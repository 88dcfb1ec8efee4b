import LemmaBasics

/// The `tokenizer.json` of the Hugging Face `tokenizers` library, which opens it to the same ids.
extension Tokenizer {
  private static let preTokenizer: JSON = [
    "type": "Sequence",
    "pretokenizers": [
      [
        "type": "Split", "pattern": ["Regex": .string(PreTokenizer.pattern)], "behavior": "Isolated", "invert": false,
      ],
      ["type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false],
    ],
  ]

  /// The content of `tokenizer.json`.
  public var json: JSON {
    var vocabulary: [String: JSON] = [:]
    for id in tokens.indices { vocabulary[spelling(Int32(id))] = JSON(id) }
    return [
      "version": "1.0",
      "truncation": nil,
      "padding": nil,
      "added_tokens": [
        [
          "id": JSON(Int(endOfText)), "content": .string(Self.endOfTextSpelling), "single_word": false,
          "lstrip": false, "rstrip": false, "normalized": false, "special": true,
        ]
      ],
      "normalizer": nil,
      "pre_tokenizer": Self.preTokenizer,
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

  /// The content of `tokenizer_config.json`.
  func configurationJSON(contextLength: Int) -> JSON {
    let special: JSON = .string(Self.endOfTextSpelling)
    return [
      "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": JSON(contextLength),
      "clean_up_tokenization_spaces": false, "add_bos_token": false, "add_prefix_space": false,
      "bos_token": nil, "eos_token": special, "pad_token": special,
      "added_tokens_decoder": [
        String(endOfText): [
          "content": special, "lstrip": false, "normalized": false, "rstrip": false, "single_word": false,
          "special": true,
        ]
      ],
    ]
  }

  private func spelling(_ id: Int32) -> String {
    id == endOfText ? Self.endOfTextSpelling : ByteAlphabet.text(tokens[Int(id)])
  }

  /// Reads a `tokenizer.json` that this type wrote, or one equal in kind.
  /// - Throws: `Failure` when it is damaged, or splits text in another way than this type does.
  public init(json: JSON, file: String) throws {
    func refuse(_ message: String) -> Failure {
      Failure(.user, "tokenizer", "not a tokenizer that Lemma reads: \(message)", at: Position(file: file))
    }
    guard let model = json["model"], model["type"]?.string == "BPE" else { throw refuse("its model is not BPE") }
    guard json["pre_tokenizer"] == Self.preTokenizer, json["normalizer"].map(\.isNull) ?? true else {
      throw refuse("it cuts text into other pieces")
    }
    guard let vocabulary = model["vocab"]?.object, let list = model["merges"]?.array,
      let added = json["added_tokens"]?.array
    else { throw refuse("its vocabulary or its merges are missing") }
    guard added.count == 1, let special = added[0]["content"]?.string, special == Self.endOfTextSpelling,
      let end = vocabulary[special]?.int, added[0]["id"]?.int == end
    else { throw refuse("its only special token must be \(Self.endOfTextSpelling)") }
    var tokens = [[UInt8]?](repeating: nil, count: vocabulary.count)
    for (spelling, id) in vocabulary {
      guard let id = id.int, tokens.indices.contains(id), tokens[id] == nil else {
        throw refuse("its ids are not 0 to \(tokens.count - 1), each once")
      }
      if id == end {
        tokens[id] = []
      } else {
        guard let bytes = ByteAlphabet.bytes(spelling), !bytes.isEmpty else {
          throw refuse("the token '\(spelling)' is not in the byte alphabet")
        }
        tokens[id] = bytes
      }
    }
    let complete = tokens.map { $0 ?? [] }
    guard Set(complete.filter { $0.count == 1 }).count == 256 else { throw refuse("it lacks tokens for some bytes") }
    var merges: [Merge] = []
    for entry in list {
      guard let (left, right) = Self.sides(entry), let leftID = vocabulary[left]?.int,
        let rightID = vocabulary[right]?.int, let result = vocabulary[left + right]?.int,
        leftID != end, rightID != end, result != end
      else { throw refuse("a merge names a token that is not in the vocabulary") }
      merges.append(Merge(pair: Pair(left: Int32(leftID), right: Int32(rightID)), result: Int32(result)))
    }
    self.init(tokens: complete, merges: merges, endOfText: Int32(end))
  }

  /// A merge is a list of two in newer files, and two words with a space between in older ones.
  private static func sides(_ entry: JSON) -> (String, String)? {
    if let pair = entry.array, pair.count == 2, let left = pair[0].string, let right = pair[1].string {
      return (left, right)
    }
    let words = entry.string?.split(separator: " ", omittingEmptySubsequences: false) ?? []
    return words.count == 2 ? (String(words[0]), String(words[1])) : nil
  }
}
