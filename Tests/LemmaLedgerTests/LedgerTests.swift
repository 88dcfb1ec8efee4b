import Glibc
import LemmaBasics
import LemmaLedger
import LemmaTestSupport
import Testing

@Suite("The ledger: a git history that plain git reads")
struct LedgerTests {
  let space = TestSpace()

  private func makeLedger() throws -> Ledger {
    try Ledger(project: space.path, fallback: space.file("ledger.git"))
  }

  @discardableResult
  private func commit(_ ledger: Ledger, _ text: String) throws -> String {
    try ledger.commit(
      changes: [("run.json", Array(text.utf8)), ("stages/a[x=1].json", Array("{}".utf8))], time: 1_700_000_000
    ) {
      "Run \($0)\n\n\(Ledger.trailer(number: $0))"
    }
  }

  private func git(_ words: String...) throws -> CommandOutput {
    try Command.run(["git", "-c", "safe.directory=*", "--git-dir", "ledger.git"] + words, in: space.path)
  }

  @Test("runs form a numbered chain, and their files come back")
  func chain() throws {
    let ledger = try makeLedger()
    #expect(try ledger.head() == nil)
    let first = try commit(ledger, "one")
    let second = try commit(ledger, "two")
    let runs = try ledger.runs()
    #expect(runs.map(\.id) == [second, first])
    #expect(runs.map(\.number) == [2, 1])
    #expect(runs[0].parent == first)
    #expect(try ledger.read("run.json", of: first) == Array("one".utf8))
    #expect(try ledger.read("absent", of: first) == nil)
    #expect(try ledger.files(of: second) == ["run.json", "stages/a[x=1].json"])
    for name in ["latest", "2", "#2", String(second.prefix(8))] { #expect(try ledger.resolve(name) == second) }
    #expect(try ledger.resolve("@~1") == first)
    #expect(throws: Failure.self) { try ledger.resolve("nothing") }
  }

  @Test("plain git logs, shows and checks it")
  func plainGit() throws {
    try commit(try makeLedger(), "one")
    #expect(try git("log", "--format=%s", "refs/lemma/runs").out == "Run 1\n")
    #expect(try git("show", "refs/lemma/runs:run.json").out == "one")
    #expect(try git("fsck", "--full", "--strict").status == 0)
  }

  @Test("a commit is told by what changed, few files or many, and plain git finds it whole")
  func changes() throws {
    let ledger = try makeLedger()
    func commit(base: String?, _ changes: [(path: String, bytes: [UInt8]?)]) throws -> String {
      try ledger.commit(base: base, changes: changes, time: 1_700_000_000) { Ledger.trailer(number: $0) }
    }
    let many = (0..<300).map { (path: "stages/s\($0).json", bytes: Array("stage \($0)".utf8) as [UInt8]?) }
    let first = try commit(base: nil, many + [("files/s1/table.txt", [1])])
    let second = try commit(base: first, [("stages/s7.json", [7]), ("stages/s8.json", nil), ("stages/none", nil)])
    let third = try commit(base: second, many.prefix(40).map { ($0.path, [3]) } + [("files/s1/table.txt", nil)])
    #expect(try ledger.files(of: first).count == 301)
    #expect(try ledger.files(of: second).count == 300)
    #expect(try ledger.read("stages/s8.json", of: second) == nil)
    #expect(try ledger.read("stages/s7.json", of: second) == [7])
    #expect(try ledger.read("stages/s9.json", of: second) == Array("stage 9".utf8))
    #expect(try ledger.read("stages/s8.json", of: third) == [3])
    #expect(try ledger.files(of: third) == (0..<300).map { "stages/s\($0).json" }.sorted())
    #expect(try git("fsck", "--full", "--strict").status == 0)
    #expect(try git("diff", "--stat", first, second).out.contains("2 files changed"))
    // The same tree by another way is the same tree.
    let whole = try commit(base: nil, try ledger.files(of: third).map { ($0, try ledger.read($0, of: third)) })
    #expect(try git("rev-parse", "\(third)^{tree}").out == git("rev-parse", "\(whole)^{tree}").out)
  }

  @Test("a project's own repository is used, and its branches are left alone")
  func projectRepository() throws {
    _ = try Command.run(["git", "init", "-q", "."], in: space.path)
    let ledger = try makeLedger()
    try commit(ledger, "one")
    #expect(ledger.location.hasSuffix("/.git/"))
    #expect(ledger.projectCommit() == nil)
    let words = ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "x"]
    _ = try Command.run(["git"] + words, in: space.path)
    let head = try Command.run(["git", "rev-parse", "HEAD"], in: space.path).out
    #expect(ledger.projectCommit().map { $0 + "\n" } == head)
    #expect(try Command.run(["git", "rev-parse", "HEAD"], in: space.path).out == head)
    #expect(try Command.run(["git", "log", "--format=%s", "refs/lemma/runs"], in: space.path).out == "Run 1\n")
  }

  @Test("a flipped byte in a commit is named, not believed")
  func tampering() throws {
    let ledger = try makeLedger()
    let first = try commit(ledger, "one")
    try commit(ledger, "two")
    let path = space.file("ledger.git/objects/\(first.prefix(2))/\(first.dropFirst(2))")
    chmod(path, 0o644)
    var bytes = try Files.read(path)
    bytes[bytes.count / 2] ^= 1
    try Files.write(bytes, to: path)
    #expect { try makeLedger().runs() } throws: { "\($0)".contains(first) }
  }

  @Test("two processes' worth of writers lose no run")
  func concurrentWriters() async throws {
    _ = try makeLedger()
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<2 {
        group.addTask { for index in 0..<10 { _ = try? commit(try makeLedger(), "\(index)") } }
      }
    }
    #expect(try makeLedger().runs().map(\.number) == Array((1...20).reversed()))
  }
}
