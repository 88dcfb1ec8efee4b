import LemmaBasics

@testable import LemmaModel

/// A small `tokenizer.json`, part by part.
struct TokenizerDocument {
  /// By id.
  var words: [String]
  var merges: [[String]] = []
  var added: [JSON] = []
  var model: [String: JSON] = [:]
  var normalizer: JSON = nil
  var preTokenizer: JSON = nil
  var postProcessor: JSON = nil
  var decoder: JSON = nil

  static let end = "<|endoftext|>"
  static let byteLevel: JSON = [
    "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false,
  ]
  static let gpt2: JSON = ["type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true]

  static func sequence(_ key: String, _ parts: JSON...) -> JSON { ["type": "Sequence", key: .array(parts)] }

  static func split(_ pattern: String) -> JSON {
    sequence(
      "pretokenizers",
      ["type": "Split", "pattern": ["Regex": .string(pattern)], "behavior": "Isolated", "invert": false], byteLevel)
  }

  /// An added token; those of `flags` are true.
  static func token(_ content: String, _ id: Int, _ flags: String...) -> JSON { token(content, id, flags) }

  static func token(_ content: String, _ id: Int, _ flags: [String]) -> JSON {
    var members: [String: JSON] = ["id": JSON(id), "content": .string(content)]
    for flag in ["single_word", "lstrip", "rstrip", "normalized", "special"] {
      members[flag] = .bool(flags.contains(flag))
    }
    return .object(members)
  }

  /// All bytes, what `merges` make of them, and the token that ends a text.
  static func byteLevel(_ merges: [String] = [], preTokenizer: JSON = gpt2) -> TokenizerDocument {
    let pairs = merges.map { $0.split(separator: " ").map(String.init) }
    let words = ByteAlphabet.scalars.map(String.init) + pairs.map { $0.joined() }
    return TokenizerDocument(
      words: words + [end], merges: pairs, added: [token(end, words.count, "special")], preTokenizer: preTokenizer,
      decoder: byteLevel)
  }

  /// In the layout of SentencePiece: special tokens, bytes, the characters of `words`, and what `merges` make.
  static func metaspace(_ characters: String, _ merges: [String] = [], scheme: String = "first") -> TokenizerDocument {
    let pairs = merges.map { $0.split(separator: " ").map(String.init) }
    let bytes = (0..<256).map { "<0x\($0 < 16 ? "0" : "")\(String($0, radix: 16, uppercase: true))>" }
    return TokenizerDocument(
      words: ["<unk>", "<s>", "</s>"] + bytes + characters.map(String.init) + pairs.map { $0.joined() },
      merges: pairs, added: [token("<unk>", 0, "special"), token("<s>", 1, "special"), token("</s>", 2, "special")],
      model: ["unk_token": "<unk>", "byte_fallback": true, "fuse_unk": true],
      preTokenizer: ["type": "Metaspace", "replacement": "▁", "prepend_scheme": .string(scheme), "split": true],
      decoder: sequence(
        "decoders", ["type": "ByteFallback"],
        ["type": "Metaspace", "replacement": "▁", "prepend_scheme": .string(scheme), "split": true]))
  }

  /// A token of its own that is no part of the model.
  mutating func add(_ content: String, _ flags: [String]) {
    let id = words.count + added.count { ($0["id"]?.int ?? 0) >= words.count }
    added.append(Self.token(content, id, flags))
  }

  func id(_ word: String) -> Int32 { Int32(words.firstIndex { isSame($0, word) } ?? -1) }

  var json: JSON {
    var model = model
    model["type"] = "BPE"
    model["vocab"] =
      model["vocab"]
      ?? .object(
        Dictionary(words.enumerated().map { ($1, JSON($0)) }) { first, _ in first })
    model["merges"] = .array(merges.map { .array($0.map { .string($0) }) })
    return [
      "version": "1.0", "truncation": nil, "padding": nil, "added_tokens": .array(added), "normalizer": normalizer,
      "pre_tokenizer": preTokenizer, "post_processor": postProcessor, "decoder": decoder, "model": .object(model),
    ]
  }

  var bytes: [UInt8] { Array(json.pretty.utf8) }

  func tokenizer(endOfText: String? = nil) throws -> Tokenizer {
    try Tokenizer(parsing: bytes, file: "tokenizer.json", endOfText: endOfText)
  }
}
