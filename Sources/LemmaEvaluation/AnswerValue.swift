import LemmaCorpus

/// What an answer's text says, as far as it is a number: an exact value, and what was set aside to
/// read it.
struct AnswerValue: Hashable {
  var value: Rational
  /// A `%` stood behind the number; the value is the number as written.
  var isPercent = false
  /// A unit or other words stood around it.
  var hasWords = false

  /// A text that is longer is no number, whatever stands in it.
  private static let lengthLimit = 256

  /// A number alone: sign, `$`, separators, decimals, `a/b`, `\frac{a}{b}`, `a b/c`, `%`.
  init?(strict text: String) {
    guard text.utf8.count <= AnswerValue.lengthLimit else { return nil }
    self.init(tokens: Array(AnswerValue.plain(text).utf8))
  }

  /// The same with a unit before or behind it, or the last part of a chain such as `x = p/q = d`.
  init?(lenient text: String) {
    guard text.utf8.count <= AnswerValue.lengthLimit else { return nil }
    if let plain = AnswerValue(strict: text) {
      self = plain
      return
    }
    let last = text.split(separator: "=").last.map(String.init) ?? text
    if let part = AnswerValue(strict: last) {
      self = part
      return
    }
    let bytes = Array(AnswerValue.plain(last).utf8)
    let isStart: (UInt8) -> Bool = { isASCIIDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") }
    guard let start = bytes.firstIndex(where: isStart),
      start == 0 || !isASCIILetter(bytes[start - 1]) && !"_^".utf8.contains(bytes[start - 1])
    else {
      return nil
    }
    // The longest number from there; what is left must be words, and no second number.
    for end in stride(from: bytes.count, to: start, by: -1) {
      guard let found = AnswerValue(tokens: Array(bytes[start..<end])) else { continue }
      let rest = bytes[..<start] + bytes[end...]
      guard !rest.contains(where: isASCIIDigit), end == bytes.count || !"^_/*+-(".utf8.contains(bytes[end]) else {
        return nil
      }
      self = found
      hasWords = !rest.allSatisfy { $0 == 0x20 }
      return
    }
    return nil
  }

  /// LaTeX that only dresses a number up is taken off.
  private static func plain(_ text: String) -> String {
    var text = spaceTrimmed(text)
    for (dress, plain) in [
      ("\\$", ""), ("$", ""), ("\\%", "%"), ("\\!", ""), ("\\,", ""), ("\\dfrac", "\\frac"), ("\\tfrac", "\\frac"),
      ("{,}", ","), ("\\ ", " "), ("\u{2212}", "-"),
    ] {
      text = replacing(dress, with: plain, in: text)
    }
    return spaceTrimmed(text)
  }

  private init?(tokens bytes: [UInt8]) {
    var rest = bytes[...]
    func trim() { while rest.last == 0x20 { rest.removeLast() } }
    trim()
    var isNegative = false
    if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") {
      isNegative = rest.first == UInt8(ascii: "-")
      rest = rest.dropFirst().drop { $0 == 0x20 }
    }
    if rest.last == UInt8(ascii: "%") {
      isPercent = true
      rest.removeLast()
      trim()
    }
    guard let value = AnswerValue.unsigned(rest) else { return nil }
    self.value = isNegative ? value.negated : value
  }

  private static func unsigned(_ bytes: ArraySlice<UInt8>) -> Rational? {
    if let fraction = latexFraction(bytes) { return fraction }
    guard let (number, length) = NumberText.prefix(of: bytes) else { return nil }
    let rest = bytes.dropFirst(length)
    if rest.isEmpty || rest.elementsEqual(".".utf8) { return number.value }
    let spaced = rest.drop { $0 == 0x20 }
    if spaced.first == UInt8(ascii: "/") {
      let bottom = spaced.dropFirst().drop { $0 == 0x20 }
      guard let (divisor, length) = NumberText.prefix(of: bottom), length == bottom.count else { return nil }
      return number.value.divided(by: divisor.value)
    }
    // A mixed number.
    let isMixed = rest.first == 0x20 || rest.first == UInt8(ascii: "\\")
    guard isMixed, number.value.isInteger, let part = unsigned(spaced), !part.isInteger, part < Rational(1) else {
      return nil
    }
    return spaced.contains(UInt8(ascii: ".")) ? nil : number.value.adding(part)
  }

  /// `\frac{a}{b}` or `\frac ab` of plain numbers.
  private static func latexFraction(_ bytes: ArraySlice<UInt8>) -> Rational? {
    guard bytes.starts(with: "\\frac".utf8) else { return nil }
    var rest = bytes.dropFirst(5).drop { $0 == 0x20 }
    var parts: [Rational] = []
    for _ in 0..<2 {
      let part: ArraySlice<UInt8>
      if rest.first == UInt8(ascii: "{"), let close = rest.firstIndex(of: UInt8(ascii: "}")) {
        part = rest[(rest.startIndex + 1)..<close]
        rest = rest[(close + 1)...]
      } else {
        part = rest.prefix(1)
        rest = rest.dropFirst(1)
      }
      let isNegative = part.first == UInt8(ascii: "-")
      let digits = isNegative ? part.dropFirst() : part
      guard let (number, length) = NumberText.prefix(of: digits), length == digits.count else { return nil }
      parts.append(isNegative ? number.value.negated : number.value)
    }
    return rest.isEmpty ? parts[0].divided(by: parts[1]) : nil
  }
}

/// `text` with every `old` replaced.
func replacing(_ old: String, with new: String, in text: String) -> String {
  let bytes = Array(text.utf8)
  let mark = Array(old.utf8)
  guard !mark.isEmpty, bytes.count >= mark.count else { return text }
  var result: [UInt8] = []
  var index = 0
  while index < bytes.count {
    if bytes[index...].starts(with: mark) {
      result += new.utf8
      index += mark.count
    } else {
      result.append(bytes[index])
      index += 1
    }
  }
  return String(decoding: result, as: UTF8.self)
}
