import LemmaCorpus

/// Makes a problem deeper: a further condition behind its question, and the step that it takes. One
/// of Evol-Instruct's operators, with the depth recorded (Xu et al., 2023; Luo et al., 2023).
struct AddStep {
  /// The largest number and result; `nil` keeps to small numbers and the magnitude of the answer.
  var maximum: Int?
  /// How many steps are added at most.
  var depth: Int

  /// Whether a step can follow the answer of `trace`.
  static func check(_ trace: Trace) throws(Reject) {
    guard let answer = trace.program.answer.integer, (1...1_000_000).contains(answer) else { throw .outOfRange }
    guard trace.problem.hasSuffix("?") else { throw .questionShape }
  }

  /// - Precondition: `check` lets the trace pass.
  func draft(_ trace: Trace, _ random: inout RandomStream) throws(Reject) -> Draft {
    guard var current = trace.program.answer.integer else { throw .outOfRange }
    let noun = Question.noun(of: trace.problem).flatMap { AddStep.isCountable($0) ? $0 : nil }
    var problem = trace.problem
    var lines = [WorkedText.body(of: trace.solution)]
    let count = random.within(1...max(1, depth))
    var used: Set<Expression.Operation> = []
    for _ in 0..<count {
      let choices = choices(current).filter { !used.contains($0.operation) }
      guard
        let operation = random.choose(
          Expression.Operation.allCases.filter { kind in
            choices.contains { $0.operation == kind }
          }), let choice = random.choose(choices.filter { $0.operation == operation })
      else { break }
      used.insert(choice.operation)
      problem += " " + AddStep.clause(choice.operation, choice.operand, noun)
      let values = [AddStep.rational(current), AddStep.rational(choice.operand)]
      let result = AddStep.rational(choice.result)
      let equation = try Inversion.equation(.operation(choice.operation, .literal(0), .literal(1)), values, result)
      lines.append(equation + (noun.map { " \($0)." } ?? "."))
      current = choice.result
    }
    guard !used.isEmpty else { throw .outOfRange }
    return Draft(
      problem: problem, solution: lines.joined(separator: "\n") + "\n#### \(current)",
      answer: AddStep.rational(current), depth: used.count)
  }

  private struct Choice {
    var operation: Expression.Operation
    var operand: Int
    var result: Int
  }

  /// Every continuation that stays whole, above one, in range and apart from the number before it.
  private func choices(_ current: Int) -> [Choice] {
    let top = maximum ?? max(100, current * 5)
    let operands = 2...max(2, min(maximum ?? 20, 100))
    var choices: [Choice] = []
    for operand in operands {
      if current + operand <= top {
        choices.append(Choice(operation: .plus, operand: operand, result: current + operand))
      }
      if current - operand > 1 {
        choices.append(Choice(operation: .minus, operand: operand, result: current - operand))
      }
      if operand <= 10, current * operand <= top {
        choices.append(Choice(operation: .times, operand: operand, result: current * operand))
      }
      if current % operand == 0, current / operand > 1 {
        choices.append(Choice(operation: .over, operand: operand, result: current / operand))
      }
    }
    return choices
  }

  private static func clause(_ operation: Expression.Operation, _ operand: Int, _ noun: String?) -> String {
    guard let noun else {
      switch operation {
      case .plus: return "If \(operand) is added to this number, what is the result?"
      case .minus: return "If \(operand) is taken from this number, what is the result?"
      case .times: return "What is \(operand) times this number?"
      case .over: return "What is this number divided by \(operand)?"
      }
    }
    switch operation {
    case .plus: return "If \(operand) more \(noun) are added, how many \(noun) is that in total?"
    case .minus: return "If \(operand) of these \(noun) are taken away, how many \(noun) remain?"
    case .times: return "How many \(noun) would \(operand) times as many be?"
    case .over: return "If these \(noun) are split into \(operand) equal parts, how many \(noun) are in each part?"
    }
  }

  /// Whether `5 more NOUN` can be said.
  private static func isCountable(_ noun: String) -> Bool {
    (noun.hasSuffix("s") || noun == "people" || noun == "children") && !noun.contains("of ") && !noun.contains("more ")
      && !noun.contains("total ")
  }

  private static func rational(_ value: Int) -> Rational { Rational(Int32(clamping: value)) }
}
