import LemmaBasics
import LemmaLedger
import LemmaTestSupport
import Testing

@Suite("Tags: names that people give to runs")
struct TagTests {
  private let space = TestSpace()
  private let ledger: Ledger
  private let runs: [String]

  init() throws {
    let ledger = try Ledger(project: space.path, fallback: space.file("ledger.git"))
    runs = try (1...3).map { number in
      try ledger.commit(changes: [("run.json", Array("\(number)".utf8))], time: 1_700_000_000) {
        "Run \($0)\n\n\(Ledger.trailer(number: $0))"
      }
    }
    self.ledger = ledger
  }

  @Test("a tag stands wherever a run is named, and plain git sees it")
  func naming() throws {
    try ledger.tag("paper-v1", run: runs[0])
    #expect(try ledger.resolve("paper-v1") == runs[0])
    #expect(try ledger.tags().map(\.name) == ["paper-v1"])
    let git = ["git", "-c", "safe.directory=*", "--git-dir", "ledger.git", "rev-parse", "refs/lemma/tags/paper-v1"]
    #expect(try Command.run(git, in: space.path).out == "\(runs[0])\n")
  }

  @Test("a tag is moved only when that is asked for")
  func moving() throws {
    try ledger.tag("best", run: runs[0])
    #expect { try ledger.tag("best", run: runs[1]) } throws: { ($0 as? Failure)?.code == "tag-taken" }
    #expect(try ledger.run(ofTag: "best") == runs[0])
    try ledger.tag("best", run: runs[1], moves: true)
    #expect(try ledger.run(ofTag: "best") == runs[1])
  }

  @Test("a deleted tag is gone, and the run is not")
  func deleting() throws {
    try ledger.tag("best", run: runs[0])
    try ledger.delete(tag: "best")
    #expect(try ledger.tags().isEmpty)
    #expect(try ledger.runs().map(\.id).contains(runs[0]))
    #expect { try ledger.delete(tag: "best") } throws: { ($0 as? Failure)?.code == "no-such-tag" }
  }

  @Test(
    "a name that git, a file system or a reader could take for something else is refused",
    arguments: [
      "", "latest", "12", "abcd", "0badcafe", "-x", ".x", "a/b", "../x", "a..b", "a.lock", "a.", "a b", "a\n", "é",
      "@~1",
      String(repeating: "x", count: 101),
    ])
  func badNames(_ name: String) throws {
    #expect { try ledger.tag(name, run: runs[0]) } throws: { ($0 as? Failure)?.code == "tag-name" }
    #expect(try ledger.tags().isEmpty)
  }
}
