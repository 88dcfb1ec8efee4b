import LemmaCorpus

/// Finds the final answer in a response. The strict reader knows the marker alone; the lenient one
/// also knows the other ways in which models end, in the order of `Marker`.
public struct AnswerExtraction: Hashable, Sendable {
  /// What the answer stood behind, in the order in which the lenient reader looks for it.
  public enum Marker: String, Sendable, CaseIterable {
    /// `The answer is X` or `The answer is: X`, to the end of its line; the last one counts.
    case answerIs = "the-answer-is"
    /// `#### X`, to the end of its line; the last one counts (GSM8K).
    case hashes
    /// `\boxed{X}` or `\fbox{X}`, braces nested; the last one counts (MATH).
    case boxed
    /// `answer is X` in another sentence, such as `The correct answer is X`.
    case looseAnswerIs = "answer-is"
    /// The last number of the response, with its sign, `$` or `%`.
    case lastNumber = "last-number"
  }

  public var marker: Marker
  /// The text behind the marker, trimmed, without the full stop that ends it.
  public var text: String

  public init(marker: Marker, text: String) {
    self.marker = marker
    self.text = text
  }

  /// The answer behind `The answer is`; `nil` when the marker is missing or nothing follows it.
  public static func strict(_ response: String) -> AnswerExtraction? {
    behind(Marker.answerIs, in: Array(response.utf8))
  }

  /// The answer behind the first marker, in their order, that the response has.
  public static func lenient(_ response: String) -> AnswerExtraction? {
    let bytes = Array(response.utf8)
    for marker in Marker.allCases {
      if let found = behind(marker, in: bytes) { return found }
    }
    return nil
  }

  private static func behind(_ marker: Marker, in bytes: [UInt8]) -> AnswerExtraction? {
    let text: String? =
      switch marker {
      case .answerIs: line(behind: ResponseFormat.marker, in: bytes, ignoringCase: false)
      case .hashes: line(behind: "####", in: bytes, ignoringCase: false)
      case .boxed: boxed(bytes)
      case .looseAnswerIs: line(behind: "answer is", in: bytes, ignoringCase: true)
      case .lastNumber: lastNumber(bytes)
      }
    return text.flatMap { $0.isEmpty ? nil : AnswerExtraction(marker: marker, text: $0) }
  }

  private static func line(behind mark: String, in bytes: [UInt8], ignoringCase: Bool) -> String? {
    guard var start = lastEnd(of: Array(mark.utf8), in: bytes, ignoringCase: ignoringCase) else { return nil }
    if start < bytes.count, bytes[start] == UInt8(ascii: ":") { start += 1 }
    let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
    return withoutFullStop(String(decoding: bytes[start..<end], as: UTF8.self))
  }

  private static func lastEnd(of mark: [UInt8], in bytes: [UInt8], ignoringCase: Bool) -> Int? {
    guard bytes.count >= mark.count else { return nil }
    let start = (0...bytes.count - mark.count).last { start in
      mark.indices.allSatisfy { index in
        let byte = bytes[start + index]
        return byte == mark[index] || (ignoringCase && isASCIILetter(byte) && byte | 0x20 == mark[index])
      }
    }
    return start.map { $0 + mark.count }
  }

  private static func boxed(_ bytes: [UInt8]) -> String? {
    for name in ["\\boxed", "\\fbox"] {
      guard var start = lastEnd(of: Array(name.utf8), in: bytes, ignoringCase: false) else { continue }
      while start < bytes.count, bytes[start] == 0x20 { start += 1 }
      guard start < bytes.count, bytes[start] == UInt8(ascii: "{") else { continue }
      var depth = 0
      for index in start..<bytes.count {
        if bytes[index] == UInt8(ascii: "{") { depth += 1 }
        if bytes[index] == UInt8(ascii: "}") { depth -= 1 }
        if depth == 0 { return spaceTrimmed(String(decoding: bytes[(start + 1)..<index], as: UTF8.self)) }
      }
    }
    return nil
  }

  private static func lastNumber(_ bytes: [UInt8]) -> String? {
    var last: Range<Int>?
    var index = 0
    while index < bytes.count {
      let isInside = index > 0 && (isASCIIDigit(bytes[index - 1]) || isASCIILetter(bytes[index - 1]))
      guard !isInside, let (_, length) = NumberText.prefix(of: bytes[index...]) else {
        index += 1
        continue
      }
      last = index..<index + length
      index += length
    }
    guard let last else { return nil }
    var (start, end) = (last.lowerBound, last.upperBound)
    if start > 0, bytes[start - 1] == UInt8(ascii: "$") { start -= 1 }
    // A sign belongs to the number only where no operand stands before it.
    if start > 0, bytes[start - 1] == UInt8(ascii: "-") {
      let before = bytes[..<(start - 1)].last { $0 != 0x20 }
      let isBinary =
        before.map { isASCIIDigit($0) || $0 == UInt8(ascii: ")") } ?? false
        || start > 1 && isASCIILetter(bytes[start - 2])
      if !isBinary { start -= 1 }
    }
    if end < bytes.count, bytes[end] == UInt8(ascii: "%") { end += 1 }
    return String(decoding: bytes[start..<end], as: UTF8.self)
  }
}

/// `text` without white space at its ends.
func spaceTrimmed(_ text: some StringProtocol) -> String {
  var rest = text[...].drop { $0.isWhitespace }
  while let last = rest.last, last.isWhitespace { rest.removeLast() }
  return String(rest)
}

/// `text` trimmed, and without one full stop at its end.
func withoutFullStop(_ text: String) -> String {
  let trimmed = spaceTrimmed(text)
  return trimmed.hasSuffix(".") ? spaceTrimmed(trimmed.dropLast()) : trimmed
}
