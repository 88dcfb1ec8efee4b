import LemmaCorpus

/// A number in an expression, with the bytes it takes there.
public struct Literal: Hashable, Sendable {
  public var number: NumberText
  public var range: Range<Int>

  public var value: Rational { number.value }
}

/// Reads `+ - * / ( ) %` and decimal numbers, with the usual precedence; `x`, `×` and `÷` are read
/// as signs too. It knows nothing of equations.
struct ExpressionParser {
  /// Parentheses and signs nest no deeper in anything that a person writes.
  private static let depthLimit = 64
  /// Nor does anybody write a longer sum; what is built of it is walked by recursion.
  private static let literalLimit = 128

  private let bytes: [UInt8]
  private let base: Int
  private var offset = 0
  private(set) var literals: [Literal] = []

  /// The expression that `text` is, from end to end, and its literals with byte ranges counted from `base`.
  static func parse(_ text: some Collection<UInt8>, base: Int = 0) -> (expression: Expression, literals: [Literal])? {
    var parser = ExpressionParser(bytes: Array(text), base: base)
    guard let expression = parser.sum(depth: 0) else { return nil }
    parser.skipSpace()
    return parser.offset == parser.bytes.count ? (expression, parser.literals) : nil
  }

  private init(bytes: [UInt8], base: Int) {
    self.bytes = bytes
    self.base = base
  }

  private mutating func skipSpace() {
    while offset < bytes.count, bytes[offset] == UInt8(ascii: " ") || bytes[offset] == UInt8(ascii: "$") { offset += 1 }
  }

  private mutating func take(_ sign: String) -> Bool {
    skipSpace()
    guard bytes[offset...].starts(with: sign.utf8) else { return false }
    offset += sign.utf8.count
    return true
  }

  private mutating func sum(depth: Int) -> Expression? {
    guard var result = product(depth: depth) else { return nil }
    while true {
      let operation: Expression.Operation
      if take("+") {
        operation = .plus
      } else if take("-") {
        operation = .minus
      } else {
        return result
      }
      guard let right = product(depth: depth) else { return nil }
      result = .operation(operation, result, right)
    }
  }

  private mutating func product(depth: Int) -> Expression? {
    guard var result = factor(depth: depth) else { return nil }
    while true {
      let operation: Expression.Operation
      if take("*") || take("x") || take("×") {
        operation = .times
      } else if take("/") || take("÷") {
        operation = .over
      } else {
        return result
      }
      guard let right = factor(depth: depth) else { return nil }
      result = .operation(operation, result, right)
    }
  }

  private mutating func factor(depth: Int) -> Expression? {
    guard depth < ExpressionParser.depthLimit else { return nil }
    if take("-") { return factor(depth: depth + 1).map(Expression.negation) }
    if take("+") { return factor(depth: depth + 1) }
    var result: Expression
    if take("(") {
      guard let inner = sum(depth: depth + 1), take(")") else { return nil }
      result = inner
    } else {
      skipSpace()
      guard literals.count < ExpressionParser.literalLimit else { return nil }
      guard let (number, length) = NumberText.prefix(of: bytes[offset...]) else { return nil }
      literals.append(Literal(number: number, range: base + offset..<base + offset + length))
      offset += length
      // A point that ends a number without decimals, as in `5.*2`.
      if offset < bytes.count, bytes[offset] == UInt8(ascii: "."), number.decimals == 0 { offset += 1 }
      result = .literal(literals.count - 1)
    }
    while take("%") { result = .percent(result) }
    return result
  }
}
