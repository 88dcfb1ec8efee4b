import LemmaBasics
import LemmaTestSupport
import Testing

@Suite("Nothing from outside drives the terminal")
struct TerminalTests {
  /// Sequences that a terminal would obey, or that make a text look like another.
  static let sequences = [
    "\u{1B}[2J\u{1B}[31m", "\u{1B}]0;title\u{7}", "\u{1B}]52;c;Y2FuYXJ5\u{7}", "\u{1B}Pq#0\u{1B}\\", "\u{9B}31m",
    "\u{90}q\u{9C}", "\u{8}\u{8}\u{8}ok",
    "\rdone  all", "\u{202E}txt.exe", "\u{2066}a\u{2069}", "\u{7F}\u{7}\u{0B}\u{0C}", "\u{2028}forged line",
    "\u{E0041}\u{FEFF}\u{61C}",
  ]

  private static func yaml(_ text: String) -> String {
    text.unicodeScalars.map { scalar in
      let digits = String(scalar.value, radix: 16)
      return scalar.value < 0x7F && scalar.value >= 0x20
        ? (scalar == "\\" ? "\\\\" : String(scalar)) : "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
    }.joined()
  }

  private func expectClean(_ project: HostileProject, _ words: [String], _ what: String) throws {
    let output = try project.lemma(words)
    #expect(output.status < 128, "\(what) \(words): \(output)")
    #expect(rawControls(output.out + output.error) == [], "\(what) \(words): \(output)")
  }

  private static let looks = [
    ["status"], ["status", "--json"], ["plan"], ["plan", "--json"], ["show"], ["show", "--json"], ["log"],
    ["log", "--json"], ["graph"],
    ["graph", "--format", "dot"], ["graph", "--format", "mermaid"], ["graph", "--format", "json"], ["check"],
    ["check", "--json"],
    ["why", "a"], ["why", "a", "--json"], ["show", "a"], ["show", "a", "--json"], ["audit", "a"],
    ["audit", "a", "--json"],
  ]

  @Test("as matrix value, parameter, licence, file name, metric, output of a command", arguments: sequences.indices)
  func everywhere(index: Int) throws {
    let sequence = TerminalTests.sequences[index]
    let project = HostileProject()
    let written = TerminalTests.yaml(sequence)
    let file = "data/x\(sequence)y.txt"
    try project.write(file, "\(sequence)\n")
    try project.write("said.txt", "\(sequence)\n")
    // A control character is refused in a value; a change of direction may stand in a text.
    let isValue = sequence.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
    let value = isValue ? written : "plain"
    try project.write(
      "lemma.yaml",
      """
      pipeline: p
      params: { text: "\(value)" }
      sources: { s: { path: "data", license: "\(value)" } }
      stages:
        a:
          run: [sh, -c, 'cat said.txt; cat said.txt >&2; cp -r "$1" "$2"; printf "{\\"%s\\": 1}" "$4" > "$3"', sh, "${in.s}", "${out.o}", "${out.metrics}", "\(isValue ? "${params.text}" : "name")"]
          in: { s: "${sources.s}", said: said.txt }
          out: { o: results/o, metrics: results/m.json }
        m:
          matrix: { k: ["\(value)", b] }
          run: [sh, -c, 'cat said.txt; exit 3', "${matrix.k}"]
          in: { said: said.txt }
          out: { o: "results/m-${matrix.k}.txt" }

      """)
    try expectClean(project, ["run"], sequence)
    try expectClean(project, ["run", "--json"], sequence)
    for words in TerminalTests.looks { try expectClean(project, words, sequence) }
    try expectClean(project, ["show", "a" + sequence], sequence)
    try expectClean(project, ["run", "--param", "text\(sequence)=1"], sequence)
    try expectClean(project, ["run", file], sequence)
    try expectClean(project, ["run", "--project", file], sequence)
    try expectClean(project, ["run", "--store", file], sequence)
    // A repository's own tools show the messages of commits as they are.
    let log = try project.shell("git --git-dir cache/ledger.git log --format=%an%ae%B refs/lemma/runs")
    #expect(log.status == 0 && log.out.contains("Lemma-Run"), "\(log)")
    #expect(rawControls(log.out) == [], "\(log.out)")
  }

  @Test("bytes that are no text, in names and in what commands print")
  func bytes() throws {
    let project = HostileProject()
    try project.shell(
      "mkdir data; : > \"data/$(printf 'a\\377\\033[31mb')\"; printf '\\377\\376\\033[31m\\200\\n' > said.txt")
    try project.write(
      "lemma.yaml",
      "pipeline: p\nstages:\n  a: { run: 'cp -r ${in.s} ${out.o}', in: { s: data }, out: { o: results/o } }\n  b: { run: 'cat said.txt; exit 1', in: { s: said.txt }, out: { o: b } }\n"
    )
    let output = try project.lemma(["run"])
    expectClear(output, "bytes", status: 1, tells: ["\u{FFFD}", "\\u{1b}[31m"])
    for words in TerminalTests.looks { try expectClean(project, words, "bytes") }
    #expect(try project.shell("ls results/o | od -c").out.contains("377 033"), "the name itself is kept as it is")
  }

  @Test("a row's text in an error")
  func rows() throws {
    for sequence in TerminalTests.sequences {
      let project = HostileProject()
      let row: JSON = [
        "problem": "p", "answer": "1", "response": "r", "operator": .string(sequence),
        "method": .string("other \(sequence)"),
      ]
      try project.write("rows.jsonl", row.canonical + "\n")
      try project.write("lemma.yaml", "pipeline: p\nstages: { a: { uses: tokenizer, in: { rows: rows.jsonl } } }\n")
      expectClear(try project.lemma(["run"]), sequence, status: 1, tells: ["rows.jsonl:1"])
      try expectClean(project, ["show"], sequence)
      try expectClean(project, ["show", "a", "--json"], sequence)
    }
  }

  @Test("JSON keeps what it hides: a reader gets the very text back")
  func roundTrip() throws {
    let project = HostileProject()
    try project.write(
      "lemma.yaml", "pipeline: p\nparams: { t: \"a\\u202Eb\\u009B\\U000E0041c\" }\nstages: { a: { run: [make] } }\n")
    let output = try project.lemma(["check", "--json"])
    #expect(rawControls(output.out) == [])
    #expect(try JSON(parsing: output.out.utf8, file: "check")["parameters"]?["t"] == "a\u{202E}b\u{9B}\u{E0041}c")
  }
}
