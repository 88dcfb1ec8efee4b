import LemmaBasics
import LemmaCorpus
import LemmaSynthesis
import LemmaTestSupport
import Testing

/// A seed as GSM8K's importer makes it.
func seed(_ problem: String, _ solution: String) throws -> Row {
  let space = TestSpace()
  let record: JSON = ["question": .string(problem), "answer": .string(solution)]
  return try #require(try GSM8K.seeds(try space.write("seed.jsonl", record.canonical)).first)
}

func synthesize(
  _ operators: [SynthesisOperator], rows: Int, of seeds: [Row], seed: UInt64 = 1, maximum: Int? = nil, depth: Int = 1
) throws -> Synthesis {
  let weights = Dictionary(uniqueKeysWithValues: operators.map { ($0, 1.0) })
  return try Synthesizer(
    SynthesisConfiguration(rows: rows, seed: seed, weights: weights, maximum: maximum, depth: depth)
  ).run(seeds: seeds)
}

@Suite("The methods")
struct MethodTests {
  let clips = Result {
    try seed(
      "Ann sold 48 clips in May, and seven fewer in June. How many clips did Ann sell in all?",
      "Ann sold 48-7 = <<48-7=41>>41 clips in June.\nShe sold 48+41 = <<48+41=89>>89 clips in all.\n#### 89")
  }
  let bags = Result {
    try seed(
      "Ben has 12 red and 15 blue balls. He puts them equally into 3 bags. How many balls does he have in each bag?",
      "12 + 15 = <<12+15=27>>27 balls.\n27 / 3 = <<27/3=9>>9 balls.\n#### 9")
  }

  @Test("FOBAR masks each number in turn, and works back from the answer")
  func fobar() throws {
    let rows = try synthesize([.fobar], rows: 3, of: [bags.get()]).rows
    let question = "How many balls does he have in each bag? If we know the answer is 9, what is the value of x?"
    let expected = [
      "Ben has 12 red and 15 blue balls. He puts them equally into x bags. \(question)":
        "12 + 15 = 27.\nx = 27 / 9 = 3.\nThe answer is 3",
      "Ben has 12 red and x blue balls. He puts them equally into 3 bags. \(question)":
        "9 * 3 = 27.\nx = 27 - 12 = 15.\nThe answer is 15",
      "Ben has x red and 15 blue balls. He puts them equally into 3 bags. \(question)":
        "9 * 3 = 27.\nx = 27 - 15 = 12.\nThe answer is 12",
    ]
    #expect(Dictionary(uniqueKeysWithValues: rows.map { ($0.problem, $0.response) }) == expected)
    #expect(rows.allSatisfy { $0.checks.map(\.kind) == [.steps, .backward] })
  }

  @Test("FOBAR leaves a number alone that enters the answer twice")
  func twice() throws {
    // 48 is added to a part of itself; 7 is not.
    let synthesis = try synthesize([.fobar], rows: 2, of: [clips.get()])
    #expect(synthesis.rows.map(\.answer) == ["7"])
    #expect(synthesis.statistics.missing == 1)
    #expect(synthesis.rows[0].response == "89 - 48 = 41.\nx = 48 - 41 = 7.\nThe answer is 7")
  }

  @Test(
    "self-verification folds the answer into the question's own sentence",
    arguments: [
      ("How many balls does he have now?", "He has 9 balls now."),
      ("How many balls did Ben sell?", "Ben sold 9 balls."),
      ("How many balls are there in each bag?", "There are 9 balls in each bag."),
      ("How many red balls are left?", "9 red balls are left."),
      ("If he needs help, how many balls do they carry?", "If he needs help, they carry 9 balls."),
      ("How much does each ball cost?", "Each ball costs $9."), ("How much money will Ben save?", "Ben will save $9."),
      ("How many hours does the old man work a day?", "The old man works 9 hours a day."),
    ])
  func selfVerification(question: String, statement: String) throws {
    let story = "Ben has 27 balls, and x bags."
    let seed = try seed(
      "Ben has 27 balls, and 3 bags. \(question)", "27 / 3 = <<27/3=9>>9 balls.\n#### 9")
    let rows = try synthesize([.selfVerification], rows: 2, of: [seed]).rows
    #expect(rows.map(\.problem).contains("\(story) \(statement) What is the value of x?"), "\(rows.map(\.problem))")
  }

  @Test(
    "self-verification refuses a question that it cannot fold",
    arguments: ["What is it worth?", "How many more balls are red?", "How old is she?", "How many balls does the bag?"])
  func unfoldable(question: String) throws {
    let seed = try seed("Ben has 27 balls and 3 bags. \(question)", "27 / 3 = <<27/3=9>>9\n#### 9")
    let failure = try #require(throws: Failure.self) { try synthesize([.selfVerification], rows: 1, of: [seed]) }
    #expect(failure.code == "no-usable-seed")
    #expect(failure.description.contains("question-shape"))
  }

  @Test("new numbers reach every place that speaks of them, words too")
  func newNumbers() throws {
    let rows = try synthesize([.newNumbers], rows: 40, of: [clips.get()]).rows
    #expect(rows.count == 40)
    for row in rows {
      let program = try Program(executing: row.solution ?? "")
      let (first, second) = (program.steps[0].literals[0].value, program.steps[0].literals[1].value)
      let (june, all) = (program.steps[0].value, program.answer)
      #expect(june == first.subtracting(second))
      let numberWord = try #require(
        row.problem.split(separator: " ").first {
          $0.hasSuffix(",") == false && MethodTests.words[String($0)] == second.integer
        })
      #expect(
        row.problem
          == "Ann sold \(first) clips in May, and \(numberWord) fewer in June. How many clips did Ann sell in all?")
      #expect(
        row.response
          == "Ann sold \(first)-\(second) = \(june) clips in June.\nShe sold \(first)+\(june) = \(all) clips in all.\nThe answer is \(all)"
      )
    }
  }

  private static let words = Dictionary(
    uniqueKeysWithValues: [
      "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen",
      "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
    ].enumerated().map { ($1, $0 + 3) })

  @Test("new numbers keep prices prices, and bounds bounds")
  func prices() throws {
    let shop = try seed(
      "Pens cost $2.50 each. How much do 4 pens cost?", "4 * 2.50 = $<<4*2.50=10>>10\n#### 10")
    for row in try synthesize([.newNumbers], rows: 30, of: [shop], maximum: 12).rows {
      let program = try Program(executing: row.solution ?? "")
      #expect(program.steps[0].literals[1].number.decimals == 2)
      #expect(program.answer.isInteger && program.answer <= Rational(12))
      #expect(row.problem.contains("$\(program.steps[0].literals[1].number.text) each"))
    }
  }

  @Test("an added step continues from the answer, at most so deep as configured")
  func addStep() throws {
    let rows = try synthesize([.addStep], rows: 60, of: [bags.get()], maximum: 30, depth: 3).rows
    #expect(Set(rows.map(\.lineage.depth)) == [1, 2, 3])
    try verify(rows, madeOf: [bags.get()])
    for row in rows {
      let program = try Program(executing: row.solution ?? "")
      #expect(program.steps.allSatisfy { $0.value.isInteger && $0.value > Rational(1) && $0.value <= Rational(30) })
      #expect(row.problem.hasSuffix("?"))
    }
    let one = try #require(rows.first { $0.lineage.depth == 1 && $0.problem.contains(" more ") })
    let added = try Program(executing: one.solution ?? "").steps[2].literals[1].value
    #expect(one.problem.hasSuffix("? If \(added) more balls are added, how many balls is that in total?"))
  }

  @Test("evolution can be repeated on what it made, and the seed stays known")
  func chained() throws {
    let seed = try bags.get()
    let first = try synthesize([.addStep], rows: 5, of: [seed]).rows
    let second = try synthesize([.addStep], rows: 5, of: first, seed: 2).rows
    try verify(second, madeOf: first)
    #expect(second.allSatisfy { $0.lineage.depth == 2 && $0.lineage.seed == seed.id })
  }

  @Test("rephrasing exchanges names for names of the same pronouns, everywhere")
  func rephrase() throws {
    let seed = try seed(
      "Anna gives Adam's dog 5 of Anna's 12 bones. How many bones does Anna have?",
      "Anna has 12-5 = <<12-5=7>>7 bones.\n#### 7")
    for row in try synthesize([.rephrase], rows: 20, of: [seed]).rows {
      let name = try #require(row.problem.split(separator: " ").first)
      #expect(name != "Anna" && !row.problem.contains("Anna") && !row.response.contains("Adam"))
      #expect(row.response == "\(name) has 12-5 = 7 bones.\nThe answer is 7")
    }
  }
}

@Suite("The synthesizer")
struct SynthesizerTests {
  static let seeds = (try? SeedGenerator(.init(steps: 1...3)).rows(count: 200, seed: 4)) ?? []

  @Test("makes what verifies, of every operator, within the range", arguments: 1...2 as ClosedRange<UInt64>)
  func verifies(seed: UInt64) throws {
    let configuration = SynthesisConfiguration(rows: 300, seed: seed, maximum: 30, depth: 2)
    let synthesis = try Synthesizer(configuration).run(seeds: SynthesizerTests.seeds)
    #expect(synthesis.rows.count == 300)
    try verify(synthesis.rows, madeOf: SynthesizerTests.seeds)
    for row in synthesis.rows {
      let program = try Program(executing: row.solution ?? "")
      let values = program.steps.flatMap { $0.literals.map(\.value) + [$0.value] }
      #expect(values.allSatisfy { $0.isInteger && $0 >= Rational(2) && $0 <= Rational(30) }, "\(row.response)")
    }
  }

  @Test("mixes the methods by their weights")
  func mixture() throws {
    let weights = try SynthesisConfiguration.weights(named: ["metamath": 0.5, "evol": 0.3, "xwin.numbers": 0.2])
    let configuration = SynthesisConfiguration(rows: 600, seed: 2, weights: weights, maximum: 30)
    let rows = try Synthesizer(configuration).run(seeds: SynthesizerTests.seeds).rows
    var shares: [String: Int] = [:]
    for row in rows { shares[row.lineage.method, default: 0] += 1 }
    // Four standard deviations.
    #expect((251...349).contains(shares["metamath"] ?? 0), "\(shares)")
    #expect((135...225).contains(shares["evol"] ?? 0), "\(shares)")
    #expect((81...159).contains(shares["xwin"] ?? 0), "\(shares)")
  }

  @Test("gives the same bytes again, and the first rows of more rows")
  func repeatable() throws {
    func rows(_ count: Int, seed: UInt64 = 9) throws -> [Row] {
      try Synthesizer(SynthesisConfiguration(rows: count, seed: seed, maximum: 30)).run(seeds: SynthesizerTests.seeds)
        .rows
    }
    let many = try rows(200)
    #expect(try rows(200).map(\.json.canonicalBytes) == many.map(\.json.canonicalBytes))
    #expect(try rows(60) == Array(many.prefix(60)))
    #expect(try rows(60, seed: 10) != Array(many.prefix(60)))
  }

  @Test("has the bytes of this version: when they change, raise SymbolicTeacher.identity")
  func pinned() throws {
    let configuration = SynthesisConfiguration(rows: 300, seed: 1, maximum: 30, depth: 2)
    let synthesis = try Synthesizer(configuration).run(seeds: SynthesizerTests.seeds)
    #expect(ContentID.of(.array(synthesis.rows.map(\.json))) == "bf62eac42930274517ad5c48378f34da")
  }

  @Test("reports what it made, what it left, and why")
  func statistics() throws {
    let story = try seed("Who is it?", "Nobody.\n#### 1")
    let synthesis = try synthesize([.newNumbers, .fobar], rows: 50, of: SynthesizerTests.seeds.prefix(20) + [story])
    let statistics = synthesis.statistics
    #expect((statistics.seeds, statistics.requested, statistics.emitted, statistics.missing) == (21, 50, 50, 0))
    for counts in statistics.operators.values {
      #expect(counts.eligible + counts.ineligible.values.reduce(0, +) == 21)
      #expect(counts.ineligible[.notAProgram] == 1)
    }
    #expect(statistics.json["operators"]?["xwin.numbers"]?["ineligible"]?["not-a-program"] == 1)
    #expect(statistics.json["operators"]?["evol.add-step"] == nil)
    #expect(statistics.json["emitted"] == 50)
  }

  @Test("makes fewer rows when there are no further problems, and says how many are missing")
  func exhausted() throws {
    let one = Array(SynthesizerTests.seeds.prefix(1))
    let synthesis = try synthesize([.fobar], rows: 500, of: one)
    #expect((1...4).contains(synthesis.rows.count))
    #expect(synthesis.statistics.missing == 500 - synthesis.rows.count)
    #expect((synthesis.statistics.operators[.fobar]?.rejected[.duplicate] ?? 0) > 0)
  }

  @Test("never repeats a problem that is already a seed")
  func notASeed() throws {
    let made = try synthesize([.fobar], rows: 1, of: Array(SynthesizerTests.seeds.prefix(1))).rows
    let again = try synthesize([.fobar], rows: 100, of: SynthesizerTests.seeds.prefix(1) + made).rows
    #expect(Set(again.map(\.problem)).isDisjoint(with: made.map(\.problem)))
  }

  @Test("fails where no seed is of any use, or there is none")
  func useless() throws {
    for seeds in [[], [try seed("Who is it?", "Nobody.\n#### 1")], [Row(problem: "p?", response: "r", answer: "1")]] {
      let failure = try #require(throws: Failure.self) { try synthesize([.newNumbers], rows: 5, of: seeds) }
      #expect(failure.code == "no-usable-seed")
    }
    #expect(try synthesize([.newNumbers], rows: 0, of: []).rows.isEmpty)
  }

  @Test("stops when it is told to, and says how far it is")
  func cancelled() throws {
    let configuration = SynthesisConfiguration(rows: 3000, seed: 1, maximum: 30)
    var calls: [Int] = []
    #expect(throws: CancellationError.self) {
      try Synthesizer(configuration).run(
        seeds: SynthesizerTests.seeds, progress: { done, _ in calls.append(done) }, isCancelled: { calls.count == 2 })
    }
    #expect(calls == [0, 256])
  }

  @Test(
    "refuses settings that cannot be",
    arguments: [
      (.init(rows: -1, seed: 1), "synthesis-rows"), (.init(rows: 1, seed: 1, weights: [:]), "synthesis-weights"),
      (.init(rows: 1, seed: 1, weights: [.fobar: -1, .addStep: 2]), "synthesis-weights"),
      (.init(rows: 1, seed: 1, weights: [.fobar: .nan]), "synthesis-weights"),
      (.init(rows: 1, seed: 1, maximum: 1), "synthesis-maximum"),
      (.init(rows: 1, seed: 1, depth: 6), "synthesis-depth"),
    ] as [(SynthesisConfiguration, String)])
  func refusals(configuration: SynthesisConfiguration, code: String) throws {
    let failure = try #require(throws: Failure.self) { try Synthesizer(configuration) }
    #expect(failure.code == code)
  }

  @Test("knows its methods by name, and suggests the one that was meant")
  func names() throws {
    let weights = try SynthesisConfiguration.weights(named: ["metamath": 0.6, "metamath.fobar": 0.1])
    #expect(abs((weights[.fobar] ?? 0) - 0.3) < 1e-12)
    #expect(abs((weights[.rephrase] ?? 0) - 0.2) < 1e-12)
    let failure = try #require(throws: Failure.self) { try SynthesisConfiguration.weights(named: ["metamth": 1]) }
    #expect(failure.hint == "is 'metamath' meant?")
  }
}
