/// How the spellings of tokens become text again: one step of the `decoder` of a `tokenizer.json`.
enum TokenDecoding: Hashable, Sendable {
  /// Characters stand for bytes; what is not UTF-8 becomes U+FFFD.
  case byteLevel
  /// Runs of tokens like `<0x0A>` become the text that they spell, or one U+FFFD each.
  case byteFallback
  /// All tokens become one.
  case fuse
  case replace(TextPattern, with: [UInt8])
  /// Takes up to so many of a character from the ends of each token.
  case strip([UInt8], start: Int, stop: Int)
  /// The mark stands for a space; at the beginning of the first token it may have been added.
  case metaspace(mark: [UInt8], PrependScheme)
  /// The suffix marks the end of a word: a space, except behind the last token.
  case suffix([UInt8])

  func apply(to tokens: [[UInt8]]) -> [[UInt8]] {
    switch self {
    case .byteLevel:
      let bytes = tokens.flatMap(Self.byteLevelBytes)
      return [Array(String(decoding: bytes, as: UTF8.self).utf8)]
    case .byteFallback: return Self.joinBytes(tokens)
    case .fuse: return [tokens.flatMap { $0 }]
    case .replace(let pattern, let replacement): return tokens.map { pattern.replace(in: $0, with: replacement) }
    case .strip(let content, let start, let stop):
      return tokens.map { token in
        var rest = token[...]
        for _ in 0..<start where rest.starts(with: content) { rest = rest.dropFirst(content.count) }
        for _ in 0..<stop where rest.count >= content.count && rest.suffix(content.count).elementsEqual(content) {
          rest = rest.dropLast(content.count)
        }
        return Array(rest)
      }
    case .metaspace(let mark, let scheme):
      let pattern = TextPattern(literal: String(decoding: mark, as: UTF8.self))
      return tokens.enumerated().map { index, token in
        pattern.replace(in: token, with: index == 0 && scheme != .never ? [] : [0x20])
      }
    case .suffix(let suffix):
      let pattern = TextPattern(literal: String(decoding: suffix, as: UTF8.self))
      return tokens.enumerated().map { index, token in
        pattern.replace(in: token, with: index == tokens.count - 1 ? [] : [0x20])
      }
    }
  }

  /// The bytes that a token's characters stand for; nil if one of them stands for none.
  static func alphabetBytes(_ token: [UInt8]) -> [UInt8]? { ByteAlphabet.bytes(String(decoding: token, as: UTF8.self)) }

  /// The same, with a token's UTF-8 where one of its characters stands for no byte.
  static func byteLevelBytes(_ token: [UInt8]) -> [UInt8] { alphabetBytes(token) ?? token }

  /// The byte that a token like `<0x0A>` spells.
  static func byte(_ token: [UInt8]) -> UInt8? {
    guard token.count == 6, token.starts(with: Array("<0x".utf8)), token[5] == UInt8(ascii: ">") else { return nil }
    return UInt8(String(decoding: token[3..<5], as: UTF8.self), radix: 16)
  }

  private static func joinBytes(_ tokens: [[UInt8]]) -> [[UInt8]] {
    var result: [[UInt8]] = []
    var bytes: [UInt8] = []
    func flush() {
      if String(validating: bytes, as: UTF8.self) != nil {
        if !bytes.isEmpty { result.append(bytes) }
      } else {
        result += repeatElement(Array("\u{FFFD}".utf8), count: bytes.count)
      }
      bytes = []
    }
    for token in tokens {
      if let byte = byte(token) {
        bytes.append(byte)
      } else {
        flush()
        result.append(token)
      }
    }
    flush()
    return result
  }
}
