/// Walking over valid UTF-8 scalar by scalar, and the classes of scalars that tokenizers speak of.
enum UTF8Text {
  /// The bytes of the scalar that begins with `lead`.
  @inline(__always) static func length(_ lead: UInt8) -> Int {
    lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
  }

  /// The scalar at `index`, which begins one.
  @inline(__always) static func scalar(_ text: UnsafeBufferPointer<UInt8>, _ index: Int) -> Unicode.Scalar {
    let lead = text[index]
    if lead < 0x80 { return Unicode.Scalar(lead) }
    let length = length(lead)
    var value = UInt32(lead) & (0x7F >> UInt32(length))
    for offset in 1..<length { value = value << 6 | UInt32(text[index + offset] & 0x3F) }
    return Unicode.Scalar(value) ?? "\u{FFFD}"
  }

  /// The scalar that ends before `end`, and where it begins.
  static func last(_ text: UnsafeBufferPointer<UInt8>, before end: Int) -> (scalar: Unicode.Scalar, start: Int) {
    var start = end - 1
    while start > 0, text[start] & 0xC0 == 0x80 { start -= 1 }
    return (scalar(text, start), start)
  }

  /// Calls `body` with each scalar and its range.
  static func eachScalar(_ text: UnsafeBufferPointer<UInt8>, _ body: (Unicode.Scalar, Range<Int>) -> Void) {
    var index = 0
    while index < text.count {
      let end = index + length(text[index])
      body(scalar(text, index), index..<end)
      index = end
    }
  }

  static func isASCII(_ text: UnsafeBufferPointer<UInt8>) -> Bool { text.allSatisfy { $0 < 0x80 } }
}

extension Unicode.Scalar {
  var isNumber: Bool {
    if isASCII { return ("0"..."9").contains(self) }
    switch properties.generalCategory {
    case .decimalNumber, .letterNumber, .otherNumber: return true
    default: return false
    }
  }

  var isSpace: Bool { properties.isWhitespace }

  /// Whether it is a word character by Unicode's recommendation for regular expressions (UTS 18, annex C).
  var isWord: Bool {
    if properties.isAlphabetic || properties.isJoinControl { return true }
    switch properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation: return true
    default: return false
    }
  }
}
