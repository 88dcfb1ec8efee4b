/// Cuts text into the pieces that merges never cross: single digits, words and punctuation with at most one space
/// before them, and white space. `pattern` says the same to other libraries, bit for bit on UTF-8.
enum PreTokenizer {
  /// Every code point beyond ASCII counts as a letter, so that no version of Unicode's tables matters.
  static let pattern =
    "'s|'t|'re|'ve|'m|'ll|'d|[0-9]"
    + "| ?[^\\x00-@\\[-`{-\\x7F]+"
    + "| ?[\\x00-\\x08\\x0E-\\x1F!-/:-@\\[-`{-\\x7F]+"
    + "|[\\t-\\r ]+(?![^\\t-\\r ])|[\\t-\\r ]+"

  private enum Class { case letter, digit, space, mark }

  private static let classes: [Class] = (UInt8.min...UInt8.max).map { byte in
    switch byte {
    case 0x30...0x39: .digit
    case 0x41...0x5A, 0x61...0x7A, 0x80...0xFF: .letter
    case 0x09...0x0D, 0x20: .space
    default: .mark
    }
  }

  /// Calls `body` with each piece's range, in order; the ranges cover all of `bytes`.
  static func split(_ bytes: UnsafeBufferPointer<UInt8>, _ body: (Range<Int>) -> Void) {
    var start = 0
    while start < bytes.count {
      let end = pieceEnd(bytes, start)
      body(start..<end)
      start = end
    }
  }

  private static func pieceEnd(_ bytes: UnsafeBufferPointer<UInt8>, _ start: Int) -> Int {
    if let end = contractionEnd(bytes, start) { return end }
    switch classes[Int(bytes[start])] {
    case .digit: return start + 1
    case .letter: return runEnd(bytes, start, .letter)
    case .mark: return runEnd(bytes, start, .mark)
    case .space:
      let end = runEnd(bytes, start, .space)
      if end == bytes.count { return end }
      // The last space of a run goes with what follows, so a longer run ends before it.
      if end - start > 1 { return end - 1 }
      let next = classes[Int(bytes[end])]
      return bytes[start] == 0x20 && next != .digit ? runEnd(bytes, end, next) : end
    }
  }

  private static func runEnd(_ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ kind: Class) -> Int {
    var end = start
    while end < bytes.count, classes[Int(bytes[end])] == kind { end += 1 }
    return end
  }

  private static func contractionEnd(_ bytes: UnsafeBufferPointer<UInt8>, _ start: Int) -> Int? {
    guard bytes[start] == UInt8(ascii: "'"), start + 1 < bytes.count else { return nil }
    let first = bytes[start + 1]
    if first == UInt8(ascii: "s") || first == UInt8(ascii: "t") { return start + 2 }
    let second = start + 2 < bytes.count ? bytes[start + 2] : 0
    switch (first, second) {
    case (UInt8(ascii: "r"), UInt8(ascii: "e")), (UInt8(ascii: "v"), UInt8(ascii: "e")),
      (UInt8(ascii: "l"), UInt8(ascii: "l")):
      return start + 3
    case (UInt8(ascii: "m"), _), (UInt8(ascii: "d"), _): return start + 2
    default: return nil
    }
  }
}
