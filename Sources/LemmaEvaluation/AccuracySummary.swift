import LemmaBasics

/// How many answers were right, overall and by difficulty.
public struct AccuracySummary: Sendable {
  /// Right answers among a number of items.
  public struct Accuracy: Hashable, Sendable {
    public private(set) var items = 0
    public private(set) var strict = 0
    public private(set) var lenient = 0

    fileprivate mutating func count(_ grade: Grader.Grade) {
      items += 1
      if grade.strict.isCorrect { strict += 1 }
      if grade.lenient.isCorrect { lenient += 1 }
    }

    /// The strict share, 0 to 1; 0 of nothing.
    public var strictShare: Double { items == 0 ? 0 : Double(strict) / Double(items) }
    /// The lenient share, 0 to 1; 0 of nothing.
    public var lenientShare: Double { items == 0 ? 0 : Double(lenient) / Double(items) }
    /// The 95 % interval of the strict share.
    public var strictInterval: WilsonInterval { WilsonInterval(successes: strict, trials: items) }
    /// The 95 % interval of the lenient share.
    public var lenientInterval: WilsonInterval { WilsonInterval(successes: lenient, trials: items) }

    public var json: JSON {
      func part(_ count: Int, _ share: Double, _ interval: WilsonInterval) -> JSON {
        ["correct": JSON(count), "share": JSON(share), "low": JSON(interval.low), "high": JSON(interval.high)]
      }
      return [
        "items": JSON(items), "strict": part(strict, strictShare, strictInterval),
        "lenient": part(lenient, lenientShare, lenientInterval),
      ]
    }
  }

  public private(set) var overall = Accuracy()
  /// By number of steps, ascending.
  public private(set) var bySteps: [(steps: Int, accuracy: Accuracy)] = []
  /// By level, in the order of its text.
  public private(set) var byLevel: [(level: String, accuracy: Accuracy)] = []

  public init(_ items: some Sequence<EvaluationItem>) {
    var steps: [Int: Accuracy] = [:]
    var levels: [String: Accuracy] = [:]
    for item in items {
      overall.count(item.grade)
      if let count = item.steps { steps[count, default: Accuracy()].count(item.grade) }
      if let level = item.level { levels[level, default: Accuracy()].count(item.grade) }
    }
    bySteps = steps.sorted { $0.key < $1.key }.map { (steps: $0.key, accuracy: $0.value) }
    byLevel = levels.sorted { $0.key < $1.key }.map { (level: $0.key, accuracy: $0.value) }
  }

  public var json: JSON {
    [
      "grader": .string(Grader.version), "overall": overall.json,
      "steps": .object(Dictionary(uniqueKeysWithValues: bySteps.map { (String($0.steps), $0.accuracy.json) })),
      "level": .object(Dictionary(uniqueKeysWithValues: byLevel.map { ($0.level, $0.accuracy.json) })),
    ]
  }
}
