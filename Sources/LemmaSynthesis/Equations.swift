import LemmaCorpus

/// The equations that can be read in the prose of a response, such as `12 + 15 = 27 apples`, each
/// of them computed again. Text around a sign of equality that is no arithmetic is passed over.
public struct Equations: Hashable, Sendable {
  /// How many come out as written.
  public private(set) var holding = 0
  /// The bytes around the signs of equality of those that do not.
  public private(set) var failing: [Range<Int>] = []

  public init(in text: String) {
    let bytes = Array(text.utf8)
    for equals in bytes.indices where bytes[equals] == UInt8(ascii: "=") {
      guard let left = Equations.left(bytes, equals), let right = Equations.right(bytes, equals) else { continue }
      if left.value == right.value {
        holding += 1
      } else {
        failing.append(left.start..<right.end)
      }
    }
  }

  private static func isArithmetic(_ byte: UInt8) -> Bool {
    isASCIIDigit(byte) || " .,+-*/()$%x".utf8.contains(byte)
  }

  private static func left(_ bytes: [UInt8], _ equals: Int) -> (value: Rational, start: Int)? {
    var start = equals
    while start > 0, isArithmetic(bytes[start - 1]) { start -= 1 }
    // A word that ends in x, or text that breaks off in a sign, is not the start of an expression.
    while start < equals, bytes[start] == 0x20 || bytes[start] == UInt8(ascii: ",") || bytes[start] == UInt8(ascii: ".")
    {
      start += 1
    }
    guard start < equals, isASCIIDigit(bytes[start]) || "($.".utf8.contains(bytes[start]) else { return nil }
    guard let value = value(bytes[start..<equals]) else { return nil }
    return (value, start)
  }

  private static func right(_ bytes: [UInt8], _ equals: Int) -> (value: Rational, end: Int)? {
    var end = equals + 1
    while end < bytes.count, isArithmetic(bytes[end]) { end += 1 }
    while end > equals + 1, " .,x".utf8.contains(bytes[end - 1]) { end -= 1 }
    guard let value = value(bytes[(equals + 1)..<end]) else { return nil }
    return (value, end)
  }

  private static func value(_ bytes: ArraySlice<UInt8>) -> Rational? {
    guard let (expression, literals) = ExpressionParser.parse(bytes) else { return nil }
    return expression.value(literals.map(\.value))
  }
}
