import LemmaBasics
import LemmaCorpus
import LemmaSynthesis
import LemmaTestSupport
import Testing

@Suite("Generated seeds")
struct SeedGeneratorTests {
  static let rows = (try? SeedGenerator(.init(steps: 1...4)).rows(count: 700, seed: 11)) ?? []

  @Test("are worked out exactly, in whole numbers of the range, all different within a problem")
  func numbers() throws {
    #expect(SeedGeneratorTests.rows.count == 700)
    for row in SeedGeneratorTests.rows {
      let program = try Program(executing: try #require(row.solution))
      #expect(row.answer == program.answer.description)
      #expect(row.checks == [Check(.steps, .pass, row.checks[0].detail), Check(.gold, .pass)])
      #expect((1...4).contains(program.steps.count))
      #expect(row.steps == program.steps.count)
      // The first operand, then every step's second operand and result.
      let values = [program.steps[0].literals[0].value] + program.steps.flatMap { [$0.literals[1].value, $0.value] }
      #expect(values.allSatisfy { $0.isInteger && $0 >= Rational(2) && $0 <= Rational(30) }, "\(row.problem)")
      #expect(Set(values).count == values.count, "\(row.problem)")
    }
  }

  @Test("give every operand in the problem, so that each can be varied")
  func traced() throws {
    for row in SeedGeneratorTests.rows {
      guard case .program(let trace) = SymbolicTeacher.study(problem: row.problem, solution: row.solution ?? "") else {
        Issue.record("no program: \(row.problem)")
        continue
      }
      #expect(trace.isReinstantiable, "\(row.problem)")
    }
  }

  @Test("end their steps in the answer's line, without notes")
  func responses() {
    for row in SeedGeneratorTests.rows {
      #expect(row.response.hasSuffix("\nThe answer is \(row.answer)"))
      #expect(!row.response.contains("<<") && !row.response.contains("#"))
      #expect(Equations(in: row.response).failing.isEmpty)
      #expect(Equations(in: row.response).holding == row.steps)
    }
  }

  @Test("tell every kind of story, leave no brace open, and no text twice")
  func stories() throws {
    #expect(SeedGenerator.situations.count >= 36)
    #expect(Set(SeedGenerator.situations).count == SeedGenerator.situations.count)
    for name in SeedGenerator.situations {
      let rows = try SeedGenerator(.init(steps: 1...4, situations: [name])).rows(count: 40, seed: 2)
      #expect(Set(rows.map { TextForm.normalised($0.problem) }).count == 40)
      for row in rows {
        #expect(
          row.problem.hasSuffix("?") && !row.problem.contains("{") && !row.problem.contains("  "), "\(row.problem)")
      }
      // Their questions fold into statements, so that they can be turned round.
      let configuration = SynthesisConfiguration(rows: 20, seed: 1, weights: [.selfVerification: 1])
      let counts = try Synthesizer(configuration).run(seeds: rows).statistics.operators[.selfVerification]
      #expect(counts?.ineligible[.questionShape] == nil, "\(name)")
    }
  }

  @Test("of one or two steps are short")
  func length() throws {
    let rows = try SeedGenerator().rows(count: 300, seed: 1)
    let words = rows.map { $0.problem.split(separator: " ").count }
    #expect((15...25).contains(words.reduce(0, +) / words.count))
    #expect((words.max() ?? 0) <= 35)
  }

  @Test("are the same for the same seed, and the first of many are the first of few")
  func repeatable() throws {
    let generator = try SeedGenerator()
    let rows = try generator.rows(count: 200, seed: 5)
    #expect(try generator.rows(count: 50, seed: 5) == Array(rows.prefix(50)))
    #expect(try generator.rows(count: 50, seed: 6) != Array(rows.prefix(50)))
  }

  @Test("have the bytes of this version: when they change, raise SeedGenerator.identity")
  func pinned() throws {
    let rows = try SeedGenerator(.init(steps: 1...4)).rows(count: 200, seed: 1)
    #expect(ContentID.of(.array(rows.map(\.json))) == "e0da633229eb48e536c240cc9a653f7e")
  }

  @Test("run out with a message, not in silence")
  func exhausted() throws {
    let generator = try SeedGenerator(.init(steps: 1...1, maximum: 12, situations: ["apples"], names: 1))
    let failure = try #require(throws: Failure.self) { try generator.rows(count: 5000, seed: 1) }
    #expect(failure.code == "seeds-exhausted")
  }

  @Test("stop when they are told to, and say how far they are")
  func cancelled() throws {
    var calls: [Int] = []
    #expect(throws: CancellationError.self) {
      try SeedGenerator().rows(count: 2000, seed: 1, progress: { done, _ in calls.append(done) }) { calls.count == 3 }
    }
    #expect(calls == [0, 256, 512])
  }

  @Test(
    "refuse settings that cannot be",
    arguments: [
      (.init(steps: 0...2), "seeds-steps"), (.init(steps: 1...6), "seeds-steps"), (.init(maximum: 5), "seeds-maximum"),
      (.init(names: 0), "seeds-names"), (.init(names: 99), "seeds-names"),
      (.init(situations: ["apple"]), "unknown-situation"),
    ] as [(SeedGenerator.Configuration, String)])
  func refusals(configuration: SeedGenerator.Configuration, code: String) throws {
    let failure = try #require(throws: Failure.self) { try SeedGenerator(configuration) }
    #expect(failure.code == code)
  }
}
