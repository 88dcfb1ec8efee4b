import Glibc
import LemmaBasics

/// Comparison, arithmetic and the text of values, by Python's rules.
extension JinjaRenderer {
  func compare(_ left: JinjaValue, _ mark: String, _ right: JinjaValue) throws -> Bool {
    switch mark {
    case "==": try isEqual(left, right)
    case "!=": try !isEqual(left, right)
    case "in": try contains(right, left)
    case "not in": try !contains(right, left)
    case "<": try order(left, right, mark) { $0 < 0 }
    case "<=": try order(left, right, mark) { $0 <= 0 }
    case ">": try order(left, right, mark) { $0 > 0 }
    default: try order(left, right, mark) { $0 >= 0 }
    }
  }

  func isEqual(_ left: JinjaValue, _ right: JinjaValue) throws -> Bool {
    try charge()
    switch (left, right) {
    case (.undefined, .undefined), (.none, .none): return true
    case (.text(let left), .text(let right)):
      guard left.count == right.count else { return false }
      try charge(left.count / 16)
      return left == right
    case (.sequence(let left), .sequence(let right)):
      guard left.kind == right.kind, left.elements.count == right.elements.count else { return false }
      guard left.kind != .view else { throw failure(.unsupported, "views of a mapping cannot be compared") }
      return try zip(left.elements, right.elements).allSatisfy { try isEqual($0, $1) }
    case (.mapping(let left), .mapping(let right)):
      guard left.keys.count == right.keys.count else { return false }
      try charge(left.keys.count * left.keys.count)
      return try zip(left.keys, left.values).allSatisfy { key, value in
        try right[key].map { try isEqual(value, $0) } ?? false
      }
    case (.namespace(let left), .namespace(let right)): return left === right
    case (.iterator(let left), .iterator(let right)): return left === right
    case (.loop(let left), .loop(let right)): return left === right
    case (.macro(let left), .macro(let right)): return left == right
    case (.function, .function): throw failure(.unsupported, "functions cannot be compared")
    default:
      guard let left = JinjaNumber(left), let right = JinjaNumber(right) else { return false }
      return left.order(right) == 0
    }
  }

  private func contains(_ container: JinjaValue, _ value: JinjaValue) throws -> Bool {
    switch container {
    case .text(let text):
      guard case .text(let part) = value else {
        throw wrong("a text holds texts, not a \(value.typeName)")
      }
      try charge(text: text.count + part.count)
      return text.contains(text: part)
    case .mapping(let mapping):
      guard let key = try key(value) else { return false }
      return try self.value(of: key, in: mapping) != nil
    case .undefined, .sequence, .iterator: return try elements(of: container).contains { try isEqual($0, value) }
    default: throw wrong("a \(container.typeName) holds nothing that 'in' could look for")
    }
  }

  private func order(
    _ left: JinjaValue, _ right: JinjaValue, _ mark: String, _ test: (Int) -> Bool
  ) throws -> Bool {
    try charge()
    switch (left, right) {
    case (.undefined(let what), _), (_, .undefined(let what)): throw wrong(what)
    case (.text(let left), .text(let right)):
      try charge(min(left.count, right.count) / 16)
      return test(left == right ? 0 : left.lexicographicallyPrecedes(right) ? -1 : 1)
    case (.sequence(let left), .sequence(let right)) where left.kind == right.kind && left.kind.isOrdered:
      for (first, second) in zip(left.elements, right.elements) where try !isEqual(first, second) {
        return try order(first, second, mark, test)
      }
      return test(left.elements.count - right.elements.count)
    default:
      guard let first = JinjaNumber(left), let second = JinjaNumber(right) else {
        throw wrong("'\(mark)' cannot compare a \(left.typeName) with a \(right.typeName)")
      }
      // Whatever is asked, no number is in an order with what is none.
      return first.order(second).map(test) ?? false
    }
  }

  func signed(_ value: JinjaValue, isNegative: Bool) throws -> JinjaValue {
    switch JinjaNumber(value) {
    case .integer(let number):
      guard isNegative else { return .integer(number) }
      let (result, overflow) = (0).subtractingReportingOverflow(number)
      guard !overflow else { throw tooLarge() }
      return .integer(result)
    case .number(let number): return .number(isNegative ? -number : number)
    case nil:
      if case .undefined(let what) = value { throw wrong(what) }
      throw wrong("a \(value.typeName) has no sign")
    }
  }

  func tooLarge() -> Failure { failure(.limit, "the number is too large") }

  func arithmetic(_ left: JinjaValue, _ mark: String, _ right: JinjaValue) throws -> JinjaValue {
    switch (left, mark, right) {
    case (.text, "%", _): throw failure(.unsupported, "formatting with '%' is not supported")
    case (.undefined(let what), _, _), (_, _, .undefined(let what)): throw wrong(what)
    case (.text(let left), "+", .text(let right)):
      try charge(text: left.count + right.count)
      return .text(left + right)
    case (.sequence(let left), "+", .sequence(let right)) where left.kind == right.kind && left.kind.isOrdered:
      try charge(left.elements.count + right.elements.count)
      return .sequence(JinjaSequence(left.elements + right.elements, left.kind))
    case (.text(let text), "*", let count), (let count, "*", .text(let text)):
      if let count = JinjaNumber(count)?.integer { return .text(try repeated(text, count) { try charge(text: $0) }) }
    case (.sequence(let list), "*", let count) where list.kind.isOrdered,
      (let count, "*", .sequence(let list)) where list.kind.isOrdered:
      if let count = JinjaNumber(count)?.integer {
        return .sequence(JinjaSequence(try repeated(list.elements, count) { try charge($0) }, list.kind))
      }
    default:
      if let left = JinjaNumber(left), let right = JinjaNumber(right) { return try arithmetic(left, mark, right) }
    }
    throw wrong("'\(mark)' takes no \(left.typeName) and \(right.typeName)")
  }

  private func repeated<T>(_ elements: [T], _ count: Int, _ charge: (Int) throws -> Void) throws -> [T] {
    let (size, overflow) = elements.count.multipliedReportingOverflow(by: max(count, 0))
    guard !overflow else { throw tooLarge() }
    try charge(size)
    return elements.isEmpty ? [] : Array([[T]](repeating: elements, count: max(count, 0)).joined())
  }

  private func arithmetic(_ left: JinjaNumber, _ mark: String, _ right: JinjaNumber) throws -> JinjaValue {
    if mark == "**" { return try power(left, right) }
    if right.double == 0, ["/", "//", "%"].contains(mark) { throw wrong("a division by 0") }
    if case .integer(let left) = left, case .integer(let right) = right, mark != "/" {
      guard let result = JinjaNumber.integer(left, mark, right) else { throw tooLarge() }
      return .integer(result)
    }
    let (x, y) = (left.double, right.double)
    switch mark {
    case "+": return .number(x + y)
    case "-": return .number(x - y)
    case "*": return .number(x * y)
    case "/": return .number(x / y)
    case "//": return .number(JinjaNumber.floorDivision(x, y).quotient)
    default: return .number(JinjaNumber.floorDivision(x, y).remainder)
    }
  }

  private func power(_ left: JinjaNumber, _ right: JinjaNumber) throws -> JinjaValue {
    guard let base = left.integer, let exponent = right.integer, exponent >= 0 else {
      throw failure(.unsupported, "powers other than of whole numbers are not supported")
    }
    if abs(Double(base)) <= 1 { return .integer(exponent == 0 ? 1 : base < 0 && exponent % 2 == 0 ? 1 : base) }
    var result = 1
    for _ in 0..<min(exponent, 64) {
      let (product, overflow) = result.multipliedReportingOverflow(by: base)
      guard !overflow else { throw tooLarge() }
      result = product
    }
    return .integer(result)
  }

  // MARK: Text

  /// What a value prints as.
  func text(of value: JinjaValue) throws -> Scalars {
    switch value {
    case .undefined: return []
    case .text(let text): return text
    default:
      var result: Scalars = []
      try describe(value, into: &result)
      return result
    }
  }

  /// Python's `repr`.
  private func describe(_ value: JinjaValue, into result: inout Scalars) throws {
    switch value {
    case .none: result += Array("None")
    case .bool(let value): result += Array(value ? "True" : "False")
    case .integer(let value): result += Array("\(value)")
    case .number(let value): result += Array(pythonText(value))
    case .undefined: result += Array("Undefined")
    case .text(let text):
      try charge(text.count, behind: result.count)
      result += text.quoted
    case .sequence(let sequence) where sequence.kind.isOrdered:
      let isTuple = sequence.kind == .tuple
      try describe(sequence.elements, isTuple ? "(" : "[", into: &result) { try describe($0, into: &$1) }
      if isTuple, sequence.elements.count == 1 { result.append(",") }
      result.append(isTuple ? ")" : "]")
    case .mapping(let mapping):
      try describe(Array(zip(mapping.keys, mapping.values)), "{", into: &result) { pair, result in
        try charge(pair.0.count, behind: result.count)
        result += pair.0.quoted + Array(": ")
        try describe(pair.1, into: &result)
      }
      result.append("}")
    default: throw failure(.unsupported, "printing a \(value.typeName) is not supported")
    }
  }

  private func describe<T>(
    _ parts: [T], _ opening: Unicode.Scalar, into result: inout Scalars,
    _ part: (T, inout Scalars) throws -> Void
  ) throws {
    result.append(opening)
    for (index, element) in parts.enumerated() {
      if index > 0 { result += Array(", ") }
      try charge()
      try part(element, &result)
    }
  }
}

extension JinjaSequence.Kind {
  /// Whether it has the order and the sum of lists.
  var isOrdered: Bool { self == .list || self == .tuple }
}

/// What counts as a number: booleans do, as 0 and 1.
enum JinjaNumber {
  case integer(Int)
  case number(Double)

  init?(_ value: JinjaValue) {
    switch value {
    case .bool(let value): self = .integer(value ? 1 : 0)
    case .integer(let value): self = .integer(value)
    case .number(let value): self = .number(value)
    default: return nil
    }
  }

  var integer: Int? { if case .integer(let value) = self { value } else { nil } }

  var double: Double {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    }
  }

  /// Negative, 0 or positive; nil with what is no number.
  func order(_ other: JinjaNumber) -> Int? {
    func order<T: Comparable>(_ a: T, _ b: T) -> Int? { a < b ? -1 : a == b ? 0 : a > b ? 1 : nil }
    switch (self, other) {
    case (.integer(let a), .integer(let b)): return order(a, b)
    case (.integer(let a), .number(let b)):
      return Int(exactly: b).map { order(a, $0) } ?? order(Double(a), b)
    case (.number(let a), .integer(let b)):
      return Int(exactly: a).map { order($0, b) } ?? order(a, Double(b))
    case (.number(let a), .number(let b)): return order(a, b)
    }
  }

  /// Nil where the result fits no 64 bits; the divisor is not 0.
  static func integer(_ a: Int, _ mark: String, _ b: Int) -> Int? {
    func unless(_ result: (partialValue: Int, overflow: Bool)) -> Int? { result.overflow ? nil : result.partialValue }
    switch mark {
    case "+": return unless(a.addingReportingOverflow(b))
    case "-": return unless(a.subtractingReportingOverflow(b))
    case "*": return unless(a.multipliedReportingOverflow(by: b))
    case "//":
      guard let quotient = unless(a.dividedReportingOverflow(by: b)) else { return nil }
      return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient
    default:
      if b == -1 { return 0 }
      let remainder = a % b
      return remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder
    }
  }

  /// As Python divides: the remainder has the divisor's sign.
  static func floorDivision(_ a: Double, _ b: Double) -> (quotient: Double, remainder: Double) {
    var remainder = fmod(a, b)
    var quotient = (a - remainder) / b
    if remainder != 0 {
      if (b < 0) != (remainder < 0) {
        remainder += b
        quotient -= 1
      }
    } else {
      remainder = copysign(0, b)
    }
    guard quotient != 0 else { return (copysign(0, a / b), remainder) }
    let floor = quotient.rounded(.down)
    return (quotient - floor > 0.5 ? floor + 1 : floor, remainder)
  }
}
