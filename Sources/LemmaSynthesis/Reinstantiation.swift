import LemmaCorpus

/// Runs a program with other numbers for some of its problem's numbers.
enum Reinstantiation {
  /// The value of every step when the mentions in `numbers` take the given values; `nil` where a
  /// step is undefined or too large.
  static func values(_ trace: Trace, _ numbers: [Int: Rational]) -> [Rational]? {
    var renamed: [Rational: Rational] = [:]
    for (mention, value) in numbers { renamed[trace.mentions[mention].value] = value }
    var values: [Rational] = []
    for (step, causes) in zip(trace.program.steps, trace.dependencies) {
      guard let value = step.expression.value(step.operands.map { renamed[$0] ?? $0 }) else { return nil }
      // Only a value that depends on a variable is sure to belong to this step alone.
      if !causes.isEmpty { renamed[step.value] = value }
      values.append(value)
    }
    return values
  }
}
