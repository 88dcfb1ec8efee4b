import LemmaBasics
import LemmaCorpus
import LemmaSynthesis
import LemmaTestSupport
import Testing

@Suite("Reading GSM8K")
struct GSM8KTests {
  let space = TestSpace()

  private func read(_ text: String) throws -> [Row] {
    try GSM8K.seeds(try space.write("in.jsonl", text), split: "test")
  }

  @Test("makes seeds with the answer's canonical text and the verdict on the steps")
  func seeds() throws {
    let rows = try read(
      """
      {"question": "Ann has 600 red and 634 blue pins. How many? ", "answer": "600+634 = <<600+634=1234>>1,234 pins\\n#### 1,234"}
      {"question": "How many?", "answer": "<<10/3=3.3>>3.3\\n#### 3"}
      {"question": "Who?", "answer": "Nobody.\\n#### none"}
      """)
    #expect(rows.map(\.answer) == ["1234", "3", "none"])
    #expect(rows[0].problem == "Ann has 600 red and 634 blue pins. How many?")
    #expect(rows[0].response == "600+634 = 1,234 pins\nThe answer is 1234")
    #expect(rows[0].source == Source(name: "gsm8k", split: "test", row: 0, licence: "MIT"))
    #expect(rows.map(\.steps) == [1, nil, nil])
    #expect(rows.map { $0.checks.map(\.verdict) } == [[.pass, .pass], [.fail], [.unknown]])
    #expect(rows.allSatisfy { $0.lineage == .seed })
  }

  @Test(
    "is refused with file and line where a record is none",
    arguments: [
      ("{\"question\":\"q\",\"answer\":\"5\"}", 1, "gsm8k-answer"),
      ("{\"question\":\"q\",\"answer\":\"#### \"}", 1, "gsm8k-answer"),
      ("{\"question\":\"q\",\"answer\":\"#### 5\"}\n{\"problem\":\"q\",\"answer\":\"#### 5\"}", 2, "record-member"),
      ("{\"question\":\"q\",\"answer\":5}", 1, "record-type"), ("nothing", 1, "json"),
    ])
  func refusals(text: String, line: Int, code: String) throws {
    let failure = try #require(throws: Failure.self) { try read(text) }
    #expect(failure.code == code)
    #expect(failure.position?.line == line)
  }
}

/// GSM8K's training set, where a checkout has it beside it.
enum PublishedGSM8K {
  static let path = "../shared/data/gsm8k/train.jsonl"
  static var isThere: Bool { Files.exists(path) }
  static let seeds = (try? GSM8K.seeds(path)) ?? []
}

@Suite("GSM8K as published", .enabled(if: PublishedGSM8K.isThere), .serialized)
struct PublishedGSM8KTests {
  /// An earlier count, made with another reader, was 6,991 programs and 4,745 traces. It refused
  /// signs that are plain arithmetic here, as in `+55=55` and `3*+6=18` (8 programs more); and it
  /// did not count `40 cents` as 0.4, `three dozen` as 36 or `2 1/2` as 2.5.
  @Test("holds so many programs, traces and problems that can take new numbers")
  func counts() {
    var faults: [Program.Fault: Int] = [:]
    var complete = 0
    var reinstantiable = 0
    for row in PublishedGSM8K.seeds {
      switch SymbolicTeacher.study(problem: row.problem, solution: row.solution ?? "") {
      case .fault(let fault): faults[fault, default: 0] += 1
      case .program(let trace):
        complete += trace.isComplete ? 1 : 0
        reinstantiable += trace.isReinstantiable ? 1 : 0
      }
    }
    #expect(PublishedGSM8K.seeds.count == 7473)
    #expect(faults == [.noNotes: 95, .notGold: 377, .unparsableNote: 2])
    #expect(complete == 4834)
    #expect(reinstantiable == 3831)
  }

  @Test("is material for every operator, and all that is made of it verifies")
  func synthesis() throws {
    let seeds = Array(PublishedGSM8K.seeds.prefix(1200))
    let configuration = SynthesisConfiguration(rows: 400, seed: 8, depth: 2)
    let synthesis = try Synthesizer(configuration).run(seeds: seeds)
    #expect(synthesis.rows.count == 400)
    #expect(Set(synthesis.rows.map(\.lineage.operator)).count == SynthesisOperator.allCases.count)
    try verify(synthesis.rows, madeOf: seeds)
  }
}
