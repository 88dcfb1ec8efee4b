/// All that decides how a tokenizer turns text into ids and back, as data.
struct TokenizerDefinition: Hashable, Sendable {
  /// The UTF-8 spelling of each token, by id, as the file has it.
  var spellings: [[UInt8]]
  /// Whether the model of merges knows the token, by id; added tokens may be no part of it.
  var isInModel: [Bool]
  var merges: [Tokenizer.Merge]
  /// The id of what has no token, which is left out when this is nil.
  var unknown: Int32?
  var fusesUnknown = false
  var fallsBackToBytes = false
  /// Whether a piece that is a token is that token, whatever the merges make of it.
  var ignoresMerges = false
  /// What the spelling of a symbol has before it inside a piece, and behind it at a piece's end.
  var continuingPrefix: [UInt8] = []
  var endSuffix: [UInt8] = []
  /// Special ones first.
  var added: [AddedToken]
  var normalization: [NormalizationStep] = []
  var splits: [SplitStep]
  /// Whether the spellings are in the alphabet of bytes.
  var isByteLevel: Bool
  /// Nil joins the spellings with spaces.
  var decoding: [TokenDecoding]?
  /// What stands before and behind the ids of a text that gets special tokens.
  var before: [Int32] = []
  var after: [Int32] = []
  var endOfText: Int32

  /// The kind that Lemma trains.
  static func own(spellings: [[UInt8]], merges: [Tokenizer.Merge], endOfText: Int32) -> TokenizerDefinition {
    TokenizerDefinition(
      spellings: spellings, isInModel: Array(repeating: true, count: spellings.count), merges: merges,
      added: [AddedToken(id: endOfText, content: Array(Tokenizer.endOfTextSpelling.utf8), isSpecial: true)],
      splits: [.own], isByteLevel: true, decoding: [.byteLevel], endOfText: endOfText)
  }

  var isOwn: Bool { self == .own(spellings: spellings, merges: merges, endOfText: endOfText) }

  func normalize(_ text: [UInt8], startsText: inout Bool) -> [UInt8] {
    var text = text
    for step in normalization { text = step.apply(to: text, startsText: &startsText) }
    return text
  }

  // Hashing a few counts is enough: equality does the rest.
  func hash(into hasher: inout Hasher) {
    hasher.combine(spellings.count)
    hasher.combine(merges.count)
    hasher.combine(endOfText)
  }
}
