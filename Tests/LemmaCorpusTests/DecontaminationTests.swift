import LemmaBasics
import LemmaCorpus
import LemmaTestSupport
import Testing

@Suite("Decontamination")
struct DecontaminationTests {
  func row(_ problem: String, response: String = "The answer is 1") -> Row {
    Row(problem: problem, response: response, answer: "1")
  }

  @Test("takes out a row that shares a run of n words, and says which")
  func runs() throws {
    let test = row("Ann walks to the big red house on the hill today")
    let screen = try Decontamination(against: [test], configuration: .init(n: 5))
    let outcome = screen.filter([
      row("Bob sees the big red house on a lake"), row("Tom runs to the BIG red house and back"),
      row("The house is red"),
    ])
    #expect(outcome.kept.map(\.problem) == ["The house is red"])
    #expect(outcome.hits.map(\.reason) == [.ngram, .ngram])
    #expect(outcome.hits.map(\.test) == [test.id, test.id])
    #expect(outcome.hits[0].span == "the big red house on")
    #expect(
      outcome.hits[0].json
        == [
          "id": .string(outcome.hits[0].id), "reason": "ngram", "test": .string(test.id),
          "span": "the big red house on",
        ])
    #expect(screen.runCount == 7)
  }

  @Test("takes out the whole text of a test problem that is shorter than a run")
  func shortTexts() throws {
    let screen = try Decontamination(against: [row("What is 2 + 2?")])
    #expect(screen.hit(row("what is  2 + 2?"))?.reason == .sameText)
    #expect(screen.hit(row("What is 2 + 3?")) == nil)
  }

  @Test("depends on the tokeniser, the fields and the drawings, which its report names")
  func settings() throws {
    let test = row("Find x.", response: "We see that x = 4 here")
    let train = row("Compute y: see that (x=4)", response: "We see that x = 4 here")
    #expect(try Decontamination(against: [test], configuration: .init(n: 4)).hit(train) == nil)
    #expect(try Decontamination(against: [test], configuration: .init(n: 4, includesResponse: true)).hit(train) != nil)
    let drawn = row("[asy]draw a line from a to b[/asy] Area?")
    let other = row("[asy]draw a line from a to b[/asy] Length? [asy]open")
    #expect(try Decontamination(against: [drawn], configuration: .init(n: 4)).hit(other) != nil)
    let screen = try Decontamination(
      against: [drawn], configuration: .init(n: 4, tokenizer: .wordsAndSigns, dropsDrawings: true))
    let outcome = screen.filter([other])
    #expect(outcome.hits.isEmpty)
    let report = screen.report(outcome)
    #expect(report["tokenizer"] == "words-and-signs/1")
    #expect(report["drawingsDropped"] == true)
    #expect(report["kept"] == 1)
    #expect(report["removed"] == ["same-text": 0, "ngram": 0])
  }

  @Test("finds what a plain comparison of all runs finds", arguments: 0..<12 as Range<UInt64>)
  func againstReference(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    func text() -> String {
      (0..<Int.random(in: 0...14, using: &random)).map { _ in ["a", "b", "c"].randomElement(using: &random)! }
        .joined(separator: " ")
    }
    let tests = (0..<4).map { _ in row(text()) }
    let n = Int.random(in: 1...6, using: &random)
    let screen = try Decontamination(against: tests, configuration: .init(n: n))
    func runs(_ row: Row) -> Set<[String]> {
      let words = row.problem.split(separator: " ").map(String.init)
      return words.count < n ? [] : Set((0...words.count - n).map { Array(words[$0..<$0 + n]) })
    }
    let known = tests.reduce(into: Set<[String]>()) { $0.formUnion(runs($1)) }
    for train in (0..<40).map({ _ in row(text()) }) {
      let isSame = tests.contains { $0.problem == train.problem }
      #expect((screen.hit(train) != nil) == (isSame || !known.isDisjoint(with: runs(train))), "seed \(seed), n \(n)")
    }
  }

  @Test("refuses runs of no words")
  func refusal() {
    #expect(throws: Failure.self) { try Decontamination(against: [], configuration: .init(n: 0)) }
  }

  @Test("cuts words as its names say")
  func tokenizers() {
    #expect(WordTokenizer.whitespace.tokens(of: "It's $3.50,\n OK?") == ["it's", "$3.50,", "ok?"])
    #expect(
      WordTokenizer.wordsAndSigns.tokens(of: "It's x_1=$3.50") == ["it", "'", "s", "x_1", "=", "$", "3", ".", "50"])
  }
}

/// The published sets, where a checkout has them beside it.
enum PublishedData {
  static let folder = "../shared/data"
  static var isThere: Bool { Files.exists("\(folder)/gsm8k/train.jsonl") && Files.exists("\(folder)/math/test.jsonl") }

  static func problems(_ path: String, _ key: String) throws -> [Row] {
    var rows: [Row] = []
    try JSONLReader.forEach("\(folder)/\(path)") { json, position in
      let record = try Record(json, "a problem", at: position)
      rows.append(Row(problem: try record.text(key), response: "", answer: ""))
    }
    return rows
  }
}

@Suite("Decontamination of published sets", .enabled(if: PublishedData.isThere))
struct PublishedDecontaminationTests {
  @Test("hits as many GSM8K training problems as an independent count in another language")
  func gsm8k() throws {
    let tests =
      try PublishedData.problems("gsm8k/test.jsonl", "question") + PublishedData.problems("math/test.jsonl", "problem")
    let train = try PublishedData.problems("gsm8k/train.jsonl", "question")
    for (n, hits) in [(8, 81), (13, 4), (30, 0)] {
      let screen = try Decontamination(against: tests, configuration: .init(n: n))
      #expect(screen.filter(train).hits.count == hits, "n = \(n)")
    }
  }
}
