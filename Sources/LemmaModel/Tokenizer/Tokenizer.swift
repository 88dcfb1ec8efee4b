/// A BPE tokenizer: text to token ids and back, with the ids of the `tokenizers` library.
/// It knows nothing of models; its file is in `TokenizerFile.swift`, its training in `TokenizerTraining.swift`.
public struct Tokenizer: Hashable, Sendable {
  /// The one special token of the tokenizers that Lemma trains: it ends a response, and pads.
  public static let endOfTextSpelling = "<|endoftext|>"

  struct Pair: Hashable, Sendable {
    var left: Int32
    var right: Int32
  }

  struct Merge: Hashable, Sendable {
    var pair: Pair
    var result: Int32
  }

  let definition: TokenizerDefinition
  /// The bytes of the `tokenizer.json` that it was read from; nil for the kind that Lemma trains.
  let source: [UInt8]?
  private let compiled: CompiledTokenizer

  init(_ definition: TokenizerDefinition, source: [UInt8]?) {
    self.definition = definition
    self.source = source
    compiled = CompiledTokenizer(definition)
  }

  /// Of the kind that Lemma trains.
  /// - Precondition: every byte is a token, and merges name tokens that exist.
  init(tokens: [[UInt8]], merges: [Merge], endOfText: Int32) {
    let spellings = tokens.enumerated().map { id, bytes in
      Array((id == Int(endOfText) ? Self.endOfTextSpelling : ByteAlphabet.text(bytes)).utf8)
    }
    self.init(.own(spellings: spellings, merges: merges, endOfText: endOfText), source: nil)
  }

  public static func == (a: Tokenizer, b: Tokenizer) -> Bool {
    a.compiled === b.compiled || a.definition == b.definition
  }

  public func hash(into hasher: inout Hasher) { hasher.combine(definition) }

  /// The number of ids, those of special tokens included.
  public var vocabularySize: Int { definition.spellings.count }

  /// The id of the token that ends a text.
  public var endOfText: Int32 { definition.endOfText }

  /// The special tokens: what stands for something other than its spelling.
  public var specialTokens: [String: Int32] {
    let special = definition.added.lazy.filter(\.isSpecial)
    return Dictionary(special.map { (String(decoding: $0.content, as: UTF8.self), $0.id) }) { first, _ in first }
  }

  /// The spelling of a token as `tokenizer.json` has it, which for ordinary tokens may be in a tokenizer's own
  /// alphabet; nil for an id outside the vocabulary.
  public func token(of id: Int32) -> String? {
    definition.spellings.indices.contains(Int(id))
      ? String(decoding: definition.spellings[Int(id)], as: UTF8.self) : nil
  }

  /// The id of a token by its spelling in `tokenizer.json`.
  public func id(of spelling: String) -> Int32? { compiled.ids.value(Array(spelling.utf8)) }

  var merges: [Merge] { definition.merges }

  /// The bytes of each token of byte-level text; those of special tokens are empty.
  var tokens: [[UInt8]] { compiled.tokenBytes }

  /// The ids of a text.
  /// - Parameters:
  ///   - allowingSpecial: whether the spelling of a special token in the text is that token, as it is to
  ///     `tokenizers`. Otherwise it is ordinary text, so that data cannot end a response.
  ///   - addingSpecial: whether the tokens are added that the tokenizer puts around a text, such as one that
  ///     begins it: `add_special_tokens` of `tokenizers`.
  public func encode(_ text: String, allowingSpecial: Bool = false, addingSpecial: Bool = false) -> [Int32] {
    var state = CompiledTokenizer.State()
    return encode(text, allowingSpecial, addingSpecial, &state)
  }

  /// The ids of many texts; faster than one by one, since they share most pieces.
  public func encode(_ texts: [String], allowingSpecial: Bool = false, addingSpecial: Bool = false) -> [[Int32]] {
    var state = CompiledTokenizer.State()
    return texts.map { encode($0, allowingSpecial, addingSpecial, &state) }
  }

  private func encode(
    _ text: String, _ allowingSpecial: Bool, _ addingSpecial: Bool, _ state: inout CompiledTokenizer.State
  ) -> [Int32] {
    let ids = compiled.encode(Array(text.utf8), allowingSpecial: allowingSpecial, &state)
    return addingSpecial ? definition.before + ids + definition.after : ids
  }

  /// The ids of any bytes. What is not UTF-8 becomes U+FFFD, except in a tokenizer of the kind that Lemma trains.
  public func encode(bytes: [UInt8]) -> [Int32] {
    var state = CompiledTokenizer.State()
    let text = source == nil ? bytes : Array(String(decoding: bytes, as: UTF8.self).utf8)
    return compiled.encode(text, allowingSpecial: false, &state)
  }

  /// The bytes of `ids`: of byte-level tokens their own, else those of the decoded text. Special tokens and ids
  /// outside the vocabulary have none.
  public func bytes(_ ids: some Sequence<Int32>) -> [UInt8] {
    definition.isByteLevel
      ? ids.flatMap { tokens.indices.contains(Int($0)) ? tokens[Int($0)] : [] } : Array(decode(ids).utf8)
  }

  /// The text of `ids`; bytes that are not UTF-8 become U+FFFD. Ids outside the vocabulary have none.
  /// - Parameter skippingSpecial: whether special tokens have no text.
  public func decode(_ ids: some Sequence<Int32>, skippingSpecial: Bool = true) -> String {
    if definition.decoding == [.byteLevel], skippingSpecial { return String(decoding: bytes(ids), as: UTF8.self) }
    var tokens: [[UInt8]] = []
    for id in ids where definition.spellings.indices.contains(Int(id)) {
      if !(skippingSpecial && compiled.isSpecial.contains(id)) { tokens.append(compiled.form(id)) }
    }
    guard let steps = definition.decoding else {
      return tokens.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ")
    }
    for step in steps { tokens = step.apply(to: tokens) }
    return String(decoding: tokens.flatMap { $0 }, as: UTF8.self)
  }
}
