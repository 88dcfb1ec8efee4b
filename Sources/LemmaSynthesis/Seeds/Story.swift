import LemmaCorpus

/// One problem told from a situation, with its worked solution.
struct Story {
  private(set) var problem: String
  private(set) var solution: String

  /// What happens in it, before numbers are chosen.
  private struct Plan {
    var hasGroups: Bool
    var changes: [(isGain: Bool, clause: String)]
    /// The last operation, if the story ends in another quantity.
    var ending: Expression.Operation?
  }

  private struct Step {
    var operation: Expression.Operation
    var left: Int
    var right: Int
    var result: Int
  }

  /// `nil` where no numbers fit the plan that was drawn.
  init?(_ situation: Situation, _ configuration: SeedGenerator.Configuration, _ random: inout RandomStream) {
    let count = random.within(configuration.steps)
    guard let plan = Story.plan(situation, steps: count, &random),
      let (start, steps) = Story.numbers(plan, maximum: configuration.maximum, &random)
    else { return nil }
    let template = StoryTemplate(&random, names: configuration.names)
    let opening = random.choose(plan.hasGroups ? situation.groups : situation.given) ?? ""
    let ending = plan.ending.map { $0 == .times ? situation.times : situation.share }
    let now = plan.changes.isEmpty ? "in all" : "now"

    var sentences = [template.fill(opening, a: start, b: plan.hasGroups ? steps[0].right : nil)]
    for (change, step) in zip(plan.changes, steps.dropFirst(plan.hasGroups ? 1 : 0)) {
      sentences.append(template.fill(change.clause, b: step.right))
    }
    if let ending { sentences.append(template.fill(ending.clause, b: steps.last?.right)) }
    sentences.append(template.fill(ending?.question ?? situation.question, now: now))
    problem = sentences.joined(separator: " ")

    var lines: [String] = []
    for (index, step) in steps.enumerated() {
      let unit = index == steps.count - 1 ? ending?.unit ?? situation.unit : situation.unit
      let (a, sign, b, result) = (step.left, step.operation.rawValue, step.right, step.result)
      lines.append("\(a) \(sign) \(b) = <<\(a)\(sign)\(b)=\(result)>>\(result) \(unit).")
    }
    lines.append("#### \(steps.last?.result ?? start)")
    solution = lines.joined(separator: "\n")
  }

  private static func plan(_ situation: Situation, steps: Int, _ random: inout RandomStream) -> Plan? {
    let gains = random.shuffled(situation.gains)
    let losses = random.shuffled(situation.losses)
    let hasGroups = random.below(3) == 0
    let ending: Expression.Operation? = random.below(2) == 0 ? nil : random.below(2) == 0 ? .times : .over
    let changes = steps - (hasGroups ? 1 : 0) - (ending == nil ? 0 : 1)
    guard (0...min(4, gains.count + losses.count)).contains(changes) else { return nil }
    // What was just put into equal groups is not shared out into equal groups at once.
    if hasGroups, changes == 0, ending != nil { return nil }
    var pool = gains.map { (isGain: true, clause: $0) } + losses.map { (isGain: false, clause: $0) }
    pool = random.shuffled(pool)
    return Plan(hasGroups: hasGroups, changes: Array(pool.prefix(changes)), ending: ending)
  }

  /// Numbers for the plan, all of them and all results different, from 2 to `maximum`.
  private static func numbers(
    _ plan: Plan, maximum: Int, _ random: inout RandomStream
  ) -> (start: Int, steps: [Step])? {
    for _ in 0..<40 {
      let start = random.within(2...(plan.hasGroups ? max(2, min(maximum / 2, 12)) : maximum))
      var used: Set<Int> = [start]
      var current = start
      var steps: [Step] = []
      let operations =
        (plan.hasGroups ? [Expression.Operation.times] : []) + plan.changes.map { $0.isGain ? .plus : .minus }
        + (plan.ending.map { [$0] } ?? [])
      for operation in operations {
        let fitting = candidates(from: current, operation, maximum).filter {
          $0.right != $0.result && !used.contains($0.right) && !used.contains($0.result)
        }
        guard let step = random.choose(fitting) else { break }
        used.formUnion([step.right, step.result])
        steps.append(step)
        current = step.result
      }
      if steps.count == operations.count { return (start, steps) }
    }
    return nil
  }

  /// Every step by `operation` from `value` whose numbers are whole and from 2 to `maximum`.
  private static func candidates(from value: Int, _ operation: Expression.Operation, _ maximum: Int) -> [Step] {
    func step(_ right: Int, _ result: Int) -> Step {
      Step(operation: operation, left: value, right: right, result: result)
    }
    switch operation {
    case .plus: return value + 2 > maximum ? [] : (2...maximum - value).map { step($0, value + $0) }
    case .minus: return value < 4 ? [] : (2...value - 2).map { step($0, value - $0) }
    case .times: return value * 2 > maximum ? [] : (2...min(12, maximum / value)).map { step($0, value * $0) }
    case .over:
      return value < 4 ? [] : (2...min(12, value / 2)).filter { value % $0 == 0 }.map { step($0, value / $0) }
    }
  }
}
