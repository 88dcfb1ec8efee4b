import LemmaCorpus

/// Undoes a program from its answer back to one number of the problem, a step a line. It knows the
/// arithmetic only; what is asked stands in `Backward`.
struct Inversion {
  /// The worked lines, in GSM8K's notation, the last of them for the unknown.
  private(set) var lines: [String] = []

  private let trace: Trace
  private let unknown: Int
  private var computed: Set<Int> = []
  private var pending: (expression: Expression, values: [Rational], result: Rational)?

  /// - Parameter unknown: the index of the mention that is solved for.
  /// - Throws: `Reject` unless exactly one chain of operations leads from the unknown to the answer,
  ///   each of which can be undone.
  static func lines(of trace: Trace, unknown: Int) throws(Reject) -> [String] {
    var inversion = Inversion(trace: trace, unknown: unknown)
    let last = trace.program.steps.count - 1
    guard try inversion.undoStep(last, from: trace.program.answer) == trace.mentions[unknown].value else {
      throw .verification
    }
    // Without a waiting step nothing was undone that could be shown.
    guard inversion.pending != nil else { throw .notInvertible }
    try inversion.flush(isLast: true)
    return inversion.lines
  }

  private init(trace: Trace, unknown: Int) {
    self.trace = trace
    self.unknown = unknown
  }

  /// The step that a literal's value comes from, if it is not a number of the problem.
  private func source(_ value: Rational, before step: Int) -> Int? {
    if trace.mentions.contains(where: { $0.value == value }) { return nil }
    return trace.program.steps[..<step].lastIndex { $0.value == value }
  }

  private func depends(_ value: Rational, in step: Int) -> Bool {
    if trace.mentions[unknown].value == value { return true }
    return source(value, before: step).map { trace.dependencies[$0].contains(unknown) } ?? false
  }

  private func depends(_ expression: Expression, in step: Int) -> Bool {
    expression.literals.contains { depends(trace.program.steps[step].operands[$0], in: step) }
  }

  private mutating func undoStep(_ index: Int, from target: Rational) throws(Reject) -> Rational {
    let step = trace.program.steps[index]
    let dependent = step.expression.literals.filter { depends(step.operands[$0], in: index) }
    guard dependent.count == 1 else { throw .notInvertible }
    let inner = try undo(step.expression, in: index, from: target)
    let literal = step.operands[dependent[0]]
    guard let earlier = source(literal, before: index) else { return inner }
    return try undoStep(earlier, from: inner)
  }

  /// The value that the part of `expression` with the unknown must have for it to be `target`.
  private mutating func undo(_ expression: Expression, in step: Int, from target: Rational) throws(Reject) -> Rational {
    let hundred = Rational(100)
    switch expression {
    case .literal: return target
    case .negation: throw .notInvertible
    case .percent(let operand):
      return try undo(operand, in: step, from: try line(.times, target, hundred))
    case .operation(let operation, let left, let right):
      let isLeft = depends(left, in: step)
      let known = try value(isLeft ? right : left, in: step)
      let next: Rational
      switch (operation, isLeft) {
      case (.plus, _): next = try line(.minus, target, known)
      case (.minus, true): next = try line(.plus, target, known)
      case (.minus, false): next = try line(.minus, known, target)
      case (.times, _): next = try line(.over, target, known)
      case (.over, true): next = try line(.times, target, known)
      case (.over, false): next = try line(.over, known, target)
      }
      return try undo(isLeft ? left : right, in: step, from: next)
    }
  }

  /// The value of a part without the unknown; what it takes to compute it is written first.
  private mutating func value(_ expression: Expression, in step: Int) throws(Reject) -> Rational {
    let operands = trace.program.steps[step].operands
    for literal in expression.literals {
      if let earlier = source(operands[literal], before: step) { try compute(earlier) }
    }
    guard let value = expression.value(operands) else { throw .notInvertible }
    if case .literal = expression { return value }
    try flush()
    lines.append(try Inversion.equation(expression, operands, value) + ".")
    return value
  }

  private mutating func compute(_ index: Int) throws(Reject) {
    guard computed.insert(index).inserted else { return }
    let step = trace.program.steps[index]
    for operand in step.operands {
      if let earlier = source(operand, before: index) { try compute(earlier) }
    }
    try flush()
    lines.append(try Inversion.equation(step.expression, step.operands, step.value) + ".")
  }

  private mutating func line(_ operation: Expression.Operation, _ a: Rational, _ b: Rational) throws(Reject) -> Rational
  {
    guard let result = operation(a, b) else { throw .notInvertible }
    try flush()
    pending = (.operation(operation, .literal(0), .literal(1)), [a, b], result)
    return result
  }

  /// Writes the inverse step that is waiting; only the last one names the unknown.
  private mutating func flush(isLast: Bool = false) throws(Reject) {
    guard let step = pending else { return }
    pending = nil
    let equation = try Inversion.equation(step.expression, step.values, step.result)
    lines.append((isLast ? "\(Backward.unknown) = " : "") + equation + ".")
  }

  /// `a + b = <<a+b=c>>c`, every number with ending decimals.
  static func equation(
    _ expression: Expression, _ values: [Rational], _ result: Rational
  ) throws(Reject) -> String {
    for value in values + [result] where value.decimalText() == nil { throw .endlessDecimals }
    let spaced = expression.text(values, spaced: true)
    let dense = expression.text(values, spaced: false)
    return "\(spaced) = <<\(dense)=\(result)>>\(result)"
  }
}
