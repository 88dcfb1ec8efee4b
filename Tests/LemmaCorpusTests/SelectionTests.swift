import LemmaBasics
import LemmaCorpus
import LemmaTestSupport
import Testing

/// `count` seeds, each with `children` rows of its own text.
private func family(_ count: Int, children: Int = 2) -> [Row] {
  (0..<count).flatMap { index -> [Row] in
    let seed = Row(problem: "Seed \(index)?", response: "The answer is 1", answer: "1")
    return [seed]
      + (0..<children).map { child in
        Row(
          problem: "Child \(child) of \(index)?", response: "The answer is 1", answer: "1",
          lineage: Lineage(operator: "xwin.numbers", seed: seed.id, parent: seed.id))
      }
  }
}

@Suite("Holding out")
struct HeldOutTests {
  @Test("keeps each seed and all that was made of it on one side")
  func families() throws {
    let rows = family(200)
    let parts = try HeldOut.split(rows, share: 0.2, seed: 5)
    let held = Set(parts.heldOut.map(\.seed))
    #expect(held.isDisjoint(with: parts.train.map(\.seed)))
    #expect(parts.train.count + parts.heldOut.count == rows.count)
    #expect((20...60).contains(held.count), "\(held.count) of 200 seeds")
  }

  @Test("does not move a seed when other rows come or go, or stand in another order")
  func stable() throws {
    let rows = family(100)
    let held = Set(try HeldOut.split(rows, share: 0.3, seed: 5).heldOut.map(\.id))
    let fewer = try HeldOut.split(Array(rows.prefix(150).reversed()), share: 0.3, seed: 5)
    #expect(Set(fewer.heldOut.map(\.id)) == held.intersection(rows.prefix(150).map(\.id)))
    #expect(Set(try HeldOut.split(rows, share: 0.3, seed: 6).heldOut.map(\.id)) != held)
  }

  @Test("takes a held-out text out of the training part, however it is dressed")
  func texts() throws {
    let seed = Row(problem: "Seed  0?\n", response: "The answer is 1", answer: "1")
    let copies = (0..<40).map { Row(problem: "SEED 0?", response: "The answer is \($0)", answer: "\($0)") }
    let parts = try HeldOut.split([seed] + copies, share: 0.5, seed: 1)
    #expect(!parts.heldOut.isEmpty)
    #expect(parts.train.isEmpty)
    #expect(parts.removed.count == 41 - parts.heldOut.count)
  }

  @Test("refuses a share that is none", arguments: [-0.1, 1.5, .nan, .infinity])
  func share(value: Double) throws {
    let failure = try #require(throws: Failure.self) { try HeldOut.split(family(1), share: value, seed: 1) }
    #expect(failure.code == "held-out-share")
  }

  @Test("holds out a number of rows, by whole seeds")
  func counts() {
    let rows = family(50)
    let parts = HeldOut.split(rows, rows: 10, seed: 3)
    #expect(parts.heldOut.count == 12)
    #expect(
      HeldOut.split(rows.reversed(), rows: 10, seed: 3).heldOut.map(\.id).sorted() == parts.heldOut.map(\.id).sorted())
    #expect(HeldOut.split(rows, rows: 0, seed: 3).heldOut.isEmpty)
    #expect(HeldOut.split(rows, rows: 1000, seed: 3).train.isEmpty)
  }
}

@Suite("Subsets")
struct SubsetTests {
  @Test("are nested, and do not depend on the order of the rows")
  func nested() throws {
    let rows = family(100)
    let large = try Subset.take(200, of: rows, seed: 4)
    #expect(try Subset.take(50, of: rows.reversed(), seed: 4) == Array(large.prefix(50)))
    #expect(try Subset.take(50, of: rows, seed: 5) != Array(large.prefix(50)))
    #expect(try Subset.take(0, of: rows, seed: 4) == [])
  }

  @Test("are taken of rows with so many steps, and of verified ones alone where that is asked for")
  func selection() {
    func row(_ name: String, steps: Int?, _ verdicts: Check.Verdict...) -> Row {
      Row(
        problem: name, response: "The answer is 1", answer: "1", steps: steps,
        checks: verdicts.map { Check(.gold, $0) })
    }
    let rows = [
      row("a", steps: 2, .pass, .pass), row("b", steps: 5, .pass, .fail), row("c", steps: nil, .pass),
      row("d", steps: 4), row("e", steps: 4, .unknown),
    ]
    func names(_ steps: ClosedRange<Int>?, verified: Bool) -> [String] {
      Subset.select(rows, steps: steps, onlyVerified: verified).map(\.problem)
    }
    #expect(names(nil, verified: false) == ["a", "b", "c", "d", "e"])
    #expect(names(nil, verified: true) == ["a", "c"])
    #expect(names(4...Int.max, verified: false) == ["b", "d", "e"])
    #expect(names(0...2, verified: true) == ["a"])
  }

  @Test("of more rows than there are are refused")
  func tooFew() throws {
    let failure = try #require(throws: Failure.self) { try Subset.take(4, of: family(1), seed: 1) }
    #expect(failure.code == "too-few-rows")
  }
}

@Suite("Deduplication")
struct DeduplicationTests {
  @Test("keeps the first of the same problems, and names it for the others")
  func duplicates() {
    let texts = ["How many\napples?", "how  many apples?", "How many pears?", "How many\napples?"]
    let rows = texts.enumerated().map { Row(problem: $1, response: "The answer is \($0)", answer: "\($0)") }
    let normalised = Deduplication(rows)
    #expect(normalised.kept == [rows[0], rows[2]])
    #expect(normalised.duplicates.map(\.id) == [rows[1].id, rows[3].id])
    #expect(normalised.duplicates.allSatisfy { $0.of == rows[0].id })
    #expect(Deduplication(rows, form: .exact).kept == Array(rows.prefix(3)))
  }

  @Test("does not see a difference in quotes and dashes, but in signs and digits")
  func forms() {
    #expect(TextForm.normalised(" It\u{2019}s \u{201C}5\u{2013}6\u{201D} ") == "it's \"5-6\"")
    #expect(TextForm.normalised("$3.5?") != TextForm.normalised("$35?"))
  }
}
