import LemmaCorpus

/// Makes a new problem of the same story with other numbers, computes it, and keeps the numbers only
/// if every step stays of its kind: the symbolic counterpart of Xwin-Math's make, verify and repair.
struct NewNumbers {
  /// The largest number and result; `nil` keeps to the magnitude of the seed.
  var maximum: Int?
  /// Whether the new answer may be the seed's.
  var answerMayRepeat: Bool
  /// How many sets of numbers are tried.
  var tries = 80

  /// Whether the numbers of `trace` can change at all.
  static func check(_ trace: Trace) throws(Reject) {
    guard trace.isComplete else { throw .untracedOperand }
    guard !trace.variables.isEmpty else { throw .ambiguousNumbers }
    let known = Set(trace.mentions.map(\.value) + trace.program.steps.map(\.value))
    for mention in trace.prose {
      if case .digits = mention.form, !known.contains(mention.value) { throw .strayNumber }
    }
  }

  /// - Precondition: `check` lets the trace pass.
  func draft(_ trace: Trace, _ random: inout RandomStream) throws(Reject) -> Draft {
    var reject = Reject.noNumbers
    for _ in 0..<tries {
      var numbers: [Int: Rational] = [:]
      for index in trace.variables {
        guard let number = number(like: trace.mentions[index], &random) else { throw .noNumbers }
        numbers[index] = number
      }
      guard let values = Reinstantiation.values(trace, numbers), isSound(values, trace) else { continue }
      if trace.variables.allSatisfy({ numbers[$0] == trace.mentions[$0].value }) { continue }
      if !answerMayRepeat, values.last == trace.program.answer {
        reject = .sameAnswer
        continue
      }
      return try rewritten(trace, numbers, values)
    }
    throw reject
  }

  /// A number of the same type, sign and about the same size.
  private func number(like mention: Mention, _ random: inout RandomStream) -> Rational? {
    var decimals = 0
    if case .digits(let number) = mention.form { decimals = number.decimals }
    let unit = (0..<decimals).reduce(Int128(1)) { power, _ in power * 10 }
    guard let scaled = mention.value.multiplied(by: Rational(unit) ?? .zero)?.integer else { return nil }
    var low = decimals == 0 ? 2 : 1
    var high = scaled < 10 ? 20 : scaled > Int.max / 4 ? scaled : scaled * 2
    if let maximum {
      // A price is bounded in its own unit: 9.99 is below 30.
      let (limit, overflow) = maximum.multipliedReportingOverflow(by: Int(clamping: unit))
      high = overflow ? high : limit
    }
    if case .word = mention.form {
      low = 3
      high = min(high, 20)
    }
    guard low <= high else { return nil }
    return Rational(Int128(random.within(low...high)), over: unit)
  }

  /// Every step keeps its kind: whole numbers stay whole, nothing becomes negative, and what was
  /// one or none, or not, stays so, as the words around it depend on that.
  private func isSound(_ values: [Rational], _ trace: Trace) -> Bool {
    zip(values, trace.program.steps).allSatisfy { value, step in
      let old = step.value
      let one = Rational(1)
      guard !old.isInteger || value.isInteger, value.isNegative == old.isNegative else { return false }
      guard (value == .zero) == (old == .zero), (value == one) == (old == one) else { return false }
      guard let places = value.decimalPlaces, places <= max(2, old.decimalPlaces ?? 0) else { return false }
      if let maximum { return value.magnitude <= Rational(Int32(clamping: maximum)) }
      let bound = old.magnitude.multiplied(by: Rational(5))?.adding(Rational(50)) ?? old.magnitude
      return value.magnitude <= bound
    }
  }

  private func rewritten(_ trace: Trace, _ numbers: [Int: Rational], _ values: [Rational]) throws(Reject) -> Draft {
    var renamed: [Rational: Rational] = [:]
    var problemEdits: [(range: Range<Int>, text: String)] = []
    for index in trace.variables {
      let mention = trace.mentions[index]
      guard let value = numbers[index], let text = mention.rendering(value) else { throw .noNumbers }
      renamed[mention.value] = value
      problemEdits.append((mention.range, text))
    }
    for (index, step) in trace.program.steps.enumerated() where !trace.dependencies[index].isEmpty {
      renamed[step.value] = values[index]
    }
    var edits: [(range: Range<Int>, text: String)] = []
    for mention in trace.prose {
      guard let value = renamed[mention.value] else { continue }
      guard let text = mention.rendering(value) else { throw .endlessDecimals }
      edits.append((mention.range, text))
    }
    for step in trace.program.steps {
      for literal in step.literals + [step.result] {
        guard let value = renamed[literal.value] else { continue }
        var number = literal.number
        number.value = value
        guard value.decimalText() != nil else { throw .endlessDecimals }
        edits.append((literal.range, number.text))
      }
    }
    return Draft(
      problem: replacing(trace.problem, problemEdits), solution: replacing(trace.solution, edits),
      answer: values.last ?? trace.program.answer)
  }
}
