import LemmaBasics
import LemmaTestSupport
import Testing

@Suite("What the index says of a result is believed only if it can be one")
struct ResultTests {
  private static let zeros = String(repeating: "0", count: 64)

  /// What stands in the place of the one result of a stage with the output `o`.
  static let results: [String] = [
    "", "null", "7", "[]", "{}", "\"x\"", "{", "{\"outputs\":", "{\"outputs\":null}", "{\"outputs\":[]}",
    "{\"outputs\":{}}",
    "{\"outputs\":{\"o\":null}}", "{\"outputs\":{\"o\":7}}", "{\"outputs\":{\"o\":{}}}", "{\"outputs\":{\"x\":{}}}",
    artifact(size: "-1"), artifact(size: "1.5"), artifact(size: "\"1\""), artifact(size: "1e300"),
    artifact(size: "9223372036854775807"), artifact(size: "9223372036854775808"), artifact(xxh3: ""),
    artifact(xxh3: "../../../../etc/passwd"), artifact(xxh3: "ZZ"), artifact(sha256: "00"),
    artifact(sha256: "../../../../../../../../../../../../../../../../../etc/passwd/xx"), artifact(type: "device"),
    artifact(type: "folder"), artifact(type: "\\u001b[31m"), artifact(),
    "{\"outputs\":{\"o\":{\"type\":\"file\",\"type\":\"file\"}}}",
    String(repeating: "[", count: 100_000), "{\"outputs\":{\"o\":\"\u{0}\"}}",
  ]

  private static func artifact(
    type: String = "file", size: String = "4", xxh3: String = String(zeros.prefix(32)), sha256: String = zeros
  ) -> String {
    "{\"metrics\":{},\"outputs\":{\"o\":{\"sha256\":\"\(sha256)\",\"size\":\(size),\"type\":\"\(type)\",\"xxh3\":\"\(xxh3)\"}},\"resources\":{}}"
  }

  @Test("a result that cannot be one is as good as none: the stage runs again")
  func unreadable() throws {
    let project = HostileProject()
    try project.begin()
    try project.write(
      "p.yaml",
      """
      pipeline: p
      stages:
        a: { run: 'echo one > ${out.o}', out: { o: results/a.txt } }
        b: { run: 'cat ${in.a} > ${out.o}; echo two >> ${out.o}', in: { a: "${stages.a.o}" }, out: { o: results/b.txt } }

      """)
    #expect(try project.lemma(["run", "p.yaml"]).status == 0)
    for (number, result) in ResultTests.results.enumerated() {
      let text = result.replacing("'", with: "''").replacing("\u{0}", with: "' || char(0) || '")
      try project.write("poison.sql", "UPDATE results SET result = '\(text)';\n")
      // Without what the last run remembered, the index is asked.
      let poisoned = try project.shell("rm -rf cache/snapshots; sqlite3 cache/index.sqlite < poison.sql")
      #expect(poisoned.status == 0, "\(poisoned)")
      for command in ["plan", "status"] {
        expectClear(try project.lemma([command, "p.yaml"]), "\(command) \(number)", status: 0, tells: [])
      }
      let output = try project.lemma(["run", "p.yaml"])
      expectClear(output, "result \(number): \(result.prefix(100))", status: 0, tells: [])
      #expect(try project.space.read("results/b.txt") == "one\ntwo\n")
      #expect(try project.lemma(["audit", "results/b.txt"]).status == 0)
      #expect(try project.lemma(["run", "good.yaml"]).status == 0)
    }
    try project.expectUnharmed()
  }

  @Test("the last documents are for explanations: what cannot be one explains nothing and harms nothing")
  func lastDocuments() throws {
    let project = HostileProject()
    try project.begin()
    for document in ["", "{", "7", "null", String(repeating: "[", count: 100_000)] {
      try project.write("poison.sql", "UPDATE last_actions SET document = '\(document)';\n")
      #expect(try project.shell("sqlite3 cache/index.sqlite < poison.sql").status == 0)
      for words in [
        ["status", "good.yaml"], ["plan", "good.yaml"], ["why", "b", "good.yaml"], ["run", "good.yaml"],
      ] {
        expectClear(try project.lemma(words), "\(words) with \(document.prefix(9))", status: 0, tells: [])
      }
    }
    try project.expectUnharmed()
  }
}
