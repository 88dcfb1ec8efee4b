import LemmaCorpus

/// An arithmetic expression over numbered literals, so that the same expression can be computed
/// with other numbers put in.
public indirect enum Expression: Hashable, Sendable {
  case literal(Int)
  case negation(Expression)
  /// The value over a hundred.
  case percent(Expression)
  case operation(Operation, Expression, Expression)

  public enum Operation: Character, Hashable, Sendable, CaseIterable {
    case plus = "+"
    case minus = "-"
    case times = "*"
    case over = "/"

    /// The exact result; `nil` for a division by zero or a value beyond 64-bit terms.
    public func callAsFunction(_ a: Rational, _ b: Rational) -> Rational? {
      switch self {
      case .plus: a.adding(b)
      case .minus: a.subtracting(b)
      case .times: a.multiplied(by: b)
      case .over: a.divided(by: b)
      }
    }

    var precedence: Int { self == .plus || self == .minus ? 1 : 2 }
  }

  /// The exact value with `values` for the literals; `nil` where it is undefined or too large.
  public func value(_ values: [Rational]) -> Rational? {
    switch self {
    case .literal(let index): values.indices.contains(index) ? values[index] : nil
    case .negation(let operand): operand.value(values)?.negated
    case .percent(let operand): operand.value(values)?.divided(by: Rational(100))
    case .operation(let operation, let left, let right):
      if let a = left.value(values), let b = right.value(values) { operation(a, b) } else { nil }
    }
  }

  /// The literals from left to right.
  public var literals: [Int] {
    switch self {
    case .literal(let index): [index]
    case .negation(let operand), .percent(let operand): operand.literals
    case .operation(_, let left, let right): left.literals + right.literals
    }
  }

  /// The expression written out, with parentheses only where they are needed.
  func text(_ values: [Rational], spaced: Bool) -> String { write(values, spaced: spaced).text }

  private func write(_ values: [Rational], spaced: Bool) -> (text: String, precedence: Int) {
    switch self {
    case .literal(let index):
      let value = values[index]
      // A fraction or a negative number is itself an expression when it is written.
      return (value.description, value.isNegative ? 0 : value.decimalText() == nil ? 2 : 3)
    case .negation(let operand):
      return ("-\(operand.parenthesised(values, spaced: spaced, below: 3))", 0)
    case .percent(let operand):
      return ("\(operand.parenthesised(values, spaced: spaced, below: 3))%", 3)
    case .operation(let operation, let left, let right):
      let own = operation.precedence
      let bindsRight = operation == .minus || operation == .over
      let a = left.parenthesised(values, spaced: spaced, below: own)
      let b = right.parenthesised(values, spaced: spaced, below: bindsRight ? own + 1 : own)
      let sign = spaced ? " \(operation.rawValue) " : String(operation.rawValue)
      return (a + sign + b, own)
    }
  }

  private func parenthesised(_ values: [Rational], spaced: Bool, below least: Int) -> String {
    let (text, precedence) = write(values, spaced: spaced)
    return precedence < least ? "(\(text))" : text
  }
}
