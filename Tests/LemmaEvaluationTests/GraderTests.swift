import LemmaBasics
import LemmaCorpus
import LemmaEvaluation
import LemmaTestSupport
import Testing

@Suite("Grading")
struct GraderTests {
  private func strict(_ answer: String, _ gold: String) -> Bool {
    Grader.grade(response: "The answer is \(answer)", gold: gold).strict.isCorrect
  }

  private func lenient(_ answer: String, _ gold: String) -> Bool {
    Grader.grade(response: "The answer is \(answer)", gold: gold).lenient.isCorrect
  }

  @Test(
    "strictly, takes the same number in another writing",
    arguments: [
      ("36", "36"), ("36.0", "36"), ("36.", "36"), ("1,234,567", "1234567"), ("$36", "36"), ("$1,200.50", "1200.5"),
      ("-5", "-5"), ("- 5", "-5"), ("0.5", "1/2"), (".50", "1/2"), ("\\frac{1}{2}", "0.5"), ("-\\dfrac12", "-1/2"),
      ("3/6", "1/2"), ("1 1/2", "1.5"), ("2\\frac{1}{4}", "2.25"), ("$36$", "36"), ("50%", "50 \\%"), ("+7", "7"),
      ("\u{2212}7", "-7"), ("10{,}000", "10,000"),
    ])
  func equalNumbers(answer: String, gold: String) { #expect(strict(answer, gold)) }

  @Test(
    "never takes another number, leniently either",
    arguments: [
      ("32.5", "32"), ("32", "32.5"), ("33", "32"), ("-32", "32"), ("1,234,567", "1,234"), ("1,234", "1,234,567"),
      ("1/3", "0.333"), ("0.3333333333333333333333333333", "1/3"), ("11011", "11010"), ("3,2", "32"), ("5 and 6", "5"),
      ("5 hours 20 minutes", "5"), ("2^5", "2"), ("x_2", "2"), ("10:30", "10"), ("1e3", "1"),
      ("123456789012345678901234567890", "123456789012345678901234567891"), ("1/0", "0"),
    ])
  func differentNumbers(answer: String, gold: String) {
    #expect(!strict(answer, gold))
    #expect(!lenient(answer, gold))
  }

  @Test("takes numbers beyond 64 bits by their text")
  func large() { #expect(strict("123456789012345678901234567890", "123456789012345678901234567890")) }

  @Test(
    "leniently, takes what the paper's strict rule loses, and says by which rule",
    arguments: [
      ("The answer is 50%", "0.5", .percent), ("The answer is 40", "40%", .percent),
      ("The answer is 2, 1", "1,2", .list),
      ("The answer is \"east\"", "east", .text), ("The answer is \\text{east}", "east", .text),
      ("The correct answer is 1, 2", "1,2", .text), ("The answer is 9 bags of rice", "9", .numberWithWords),
      ("The answer is about $9 in all", "9", .numberWithWords), ("The value of x is 2", "2", .number),
      ("The answer is x = 9/4 = 2.25", "2.25", .number), ("The answer is x=5", "5", .number),
      ("#### 72", "72", .number),
      ("\\boxed{(1, 2)}", "(1,2)", .text),
    ] as [(String, String, Grader.Rule)])
  func lenientRules(response: String, gold: String, rule: Grader.Rule) {
    let grade = Grader.grade(response: response, gold: gold)
    #expect(!grade.strict.isCorrect)
    #expect(grade.lenient.isCorrect)
    #expect(grade.lenient.rule == rule)
  }

  @Test(
    "leniently, keeps apart what is not the same",
    arguments: [
      ("(2, 1)", "(1, 2)"), ("[1,2]", "(1,2)"), ("1, 2, 2", "1, 2"), ("A", "a"), ("50%", "5"), ("west", "east"),
      ("(2+r)/4", "1/2 + r/4"), ("", "5"),
    ])
  func lenientRefusals(answer: String, gold: String) { #expect(!lenient(answer, gold)) }

  @Test("keeps what it found and how it compared it")
  func record() {
    let grade = Grader.grade(response: "The answer is $1,200.50 in all.", gold: "1200.5")
    #expect(grade.strict.rule == .text)
    #expect(grade.lenient.normalForm == "1200.5")
    #expect(grade.lenient.extraction?.text == "$1,200.50 in all")
    #expect(Grader.grade(response: "I cannot say", gold: "1").lenient.rule == .noAnswer)
  }

  @Test("is lenient wherever it is strict, for random numbers in random writings", arguments: 0..<30 as Range<UInt64>)
  func random(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let value = Int.random(in: -5_000_000...5_000_000, using: &random)
    let number = NumberText(
      value: try #require(Rational(Int128(value.magnitude))), decimals: Int.random(in: 0...2, using: &random),
      hasSeparators: Bool.random(using: &random))
    let text = (value < 0 ? "-" : "") + (Bool.random(using: &random) ? "$" : "") + number.text
    let right = Grader.grade(response: "The answer is \(text)", gold: "\(value)")
    #expect(right.strict.isCorrect && right.lenient.isCorrect, "\(text) for \(value)")
    let wrong = Grader.grade(response: "The answer is \(text)", gold: "\(value + 1)")
    #expect(!wrong.strict.isCorrect && !wrong.lenient.isCorrect, "\(text) for \(value + 1)")
  }
}

@Suite("Evaluation records")
struct EvaluationItemTests {
  let row = Row(problem: "How many?", response: "The answer is 5", answer: "5", steps: 2, level: "Level 1")

  @Test("name the row, the very prompt, the response and the grader")
  func record() {
    let item = EvaluationItem(row: row, response: "2 + 2 = 4\nThe answer is 4")
    #expect(item.json["row"] == .string(row.id))
    #expect(item.json["prompt"] == .string(ContentID.of(text: "Question: How many?\nAnswer:\n")))
    #expect(item.json["grader"] == .string(Grader.version))
    #expect(
      item.json["strict"]
        == ["correct": false, "rule": "number", "extracted": "4", "marker": "the-answer-is", "normalForm": "4"])
    #expect(item.id == EvaluationItem(row: row, response: "2 + 2 = 4\nThe answer is 4").id)
    #expect(item.id != EvaluationItem(row: row, response: "The answer is 4").id)
  }

  @Test("add up, overall and by steps and level")
  func summary() {
    let responses = ["The answer is 5", "The answer is 5 bags", "The answer is 6", ""]
    var items = responses.map { EvaluationItem(row: row, response: $0) }
    items.append(
      EvaluationItem(
        row: Row(problem: "p", response: "The answer is 1", answer: "1", steps: 1), response: "The answer is 1"))
    let summary = AccuracySummary(items)
    #expect((summary.overall.items, summary.overall.strict, summary.overall.lenient) == (5, 2, 3))
    #expect(summary.bySteps.map(\.steps) == [1, 2])
    #expect(summary.bySteps.map(\.accuracy.strict) == [1, 1])
    #expect(summary.byLevel.map(\.level) == ["Level 1"])
    #expect(summary.json["overall"]?["lenient"]?["share"] == 0.6)
    #expect(AccuracySummary([]).overall.strictShare == 0)
  }
}

@Suite("Wilson's interval")
struct WilsonIntervalTests {
  @Test(
    "has the published values",
    arguments: [
      (8, 10, 0.4902, 0.9433), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (1, 2, 0.0945, 0.9055),
      (500, 1000, 0.4691, 0.5309),
    ])
  func values(successes: Int, trials: Int, low: Double, high: Double) {
    let interval = WilsonInterval(successes: successes, trials: trials)
    #expect(abs(interval.low - low) < 5e-5)
    #expect(abs(interval.high - high) < 5e-5)
  }

  @Test("knows nothing from no trials")
  func none() { #expect(WilsonInterval(successes: 0, trials: 0) == WilsonInterval(successes: 0, trials: 0, z: 3)) }

  @Test("holds the share, and narrows with more trials")
  func shape() {
    for trials in [1, 5, 40, 900] {
      for successes in 0...trials {
        let interval = WilsonInterval(successes: successes, trials: trials)
        let share = Double(successes) / Double(trials)
        #expect(interval.low <= share && share <= interval.high)
        let wider = WilsonInterval(successes: successes, trials: trials, z: 3)
        #expect(wider.low <= interval.low && interval.high <= wider.high)
      }
    }
  }
}
