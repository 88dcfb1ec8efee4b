import LemmaCorpus

/// The text of a worked solution in GSM8K's notation: prose with `<<expression=value>>` notes, and
/// `#### answer` on the last line (Cobbe et al., 2021).
enum WorkedText {
  /// The text behind the last `####`, trimmed; `nil` if there is none.
  static func answer(of solution: String) -> String? {
    let bytes = Array(solution.utf8)
    guard let mark = answerMark(bytes) else { return nil }
    return trimmed(String(decoding: bytes[(mark + 4)...], as: UTF8.self))
  }

  /// The value of an answer's text: digits with optional sign, `$` and separators.
  static func number(_ text: String) -> Rational? {
    var rest = text[...]
    let isNegative = rest.hasPrefix("-")
    if isNegative { rest = rest.dropFirst() }
    if rest.hasPrefix("$") { rest = rest.dropFirst() }
    guard let number = NumberText(rest) else { return nil }
    return isNegative ? number.value.negated : number.value
  }

  /// The byte ranges of the notes, with their angle brackets.
  static func notes(in bytes: [UInt8]) -> [Range<Int>] {
    var notes: [Range<Int>] = []
    var start: Int?
    var index = 0
    while index + 1 < bytes.count {
      if bytes[index] == UInt8(ascii: "<"), bytes[index + 1] == UInt8(ascii: "<"), start == nil {
        start = index
        index += 2
      } else if let open = start, bytes[index] == UInt8(ascii: ">"), bytes[index + 1] == UInt8(ascii: ">") {
        notes.append(open..<index + 2)
        start = nil
        index += 2
      } else {
        index += 1
      }
    }
    return notes
  }

  /// The steps as a reader sees them: without notes and without the answer's line.
  static func steps(of solution: String) -> String {
    var bytes = Array(solution.utf8)
    if let mark = answerMark(bytes) { bytes.removeSubrange(mark...) }
    for note in notes(in: bytes).reversed() { bytes.removeSubrange(note) }
    return trimmed(String(decoding: bytes, as: UTF8.self))
  }

  /// The solution's lines without the answer's line.
  static func body(of solution: String) -> String {
    let bytes = Array(solution.utf8)
    return trimmed(String(decoding: bytes[..<(answerMark(bytes) ?? bytes.count)], as: UTF8.self))
  }

  private static func answerMark(_ bytes: [UInt8]) -> Int? {
    let mark = Array("####".utf8)
    guard bytes.count >= mark.count else { return nil }
    return (0...bytes.count - mark.count).last { bytes[$0..<$0 + mark.count].elementsEqual(mark) }
  }
}

/// `text` without white space at its ends.
func trimmed(_ text: some StringProtocol) -> String {
  func isSpace(_ character: Character) -> Bool { character.isWhitespace }
  var rest = text[...].drop(while: isSpace)
  while let last = rest.last, isSpace(last) { rest.removeLast() }
  return String(rest)
}
