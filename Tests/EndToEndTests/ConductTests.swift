import Glibc
import LemmaBasics
import LemmaTestSupport
import Testing

/// A project with one stage, and a folder outside of it for what its command is to leave behind.
private func project(_ body: String) throws -> Project {
  let project = Project()
  try project.write("lemma.yaml", "pipeline: p\nsandbox: off\nstages:\n  a:\n" + body)
  return project
}

@Suite("How stages behave: expectations, attempts, time, what they leave running")
struct ConductTests {
  // MARK: Expectations

  static let badOutputs: [(output: String, content: String, expect: String, told: String)] = [
    ("t.csv", "id,score\\n1,2\\n", "rows: 2", "has 1 rows, not 2"),
    ("t.csv", "id,score\\n\"1\\nx\",2\\n", "rows: { min: 2 }", "has 1 rows, not at least 2"),
    ("t.csv", "id,score\\n", "schema: [id, points]", "lacks 'points'"),
    ("t.tsv", "id\\tscore\\n1\\t2\\n", "rows: { max: 0 }", "has 1 rows, not 0"),
    ("t.jsonl", "{\"id\":1}\\n\\n{\"id\":2}", "rows: { min: 3, max: 9 }", "has 2 rows, not 3 to 9"),
    ("t.jsonl", "{\"id\":1,\"x\":1}\\n{\"id\":2}\\n", "schema: [id, x]", "lacks 'x'"),
    ("t.jsonl", "{\"id\":1}\\n{\"id\":", "schema: [id]", "cannot be read as JSON lines"),
    ("t.json", "[{\"id\":1},{}]", "rows: 1", "has 2 rows, not 1"),
    ("t.json", "{\"id\":1}", "schema: [ids]", "lacks 'ids'"),
    ("t.txt", "a\\nb", "schema: [id]", "ends in none of"),
    ("t.txt", "", "bytes: { min: 1 }", "has 0 bytes, not at least 1"),
    ("t.txt", "abc", "bytes: 1K", "has 3 bytes, not 1024"),
  ]

  @Test("an output that is not what is expected is no result", arguments: badOutputs)
  func refused(_ bad: (output: String, content: String, expect: String, told: String)) throws {
    let project = try project(
      "    run: [printf, '\(bad.content)']\n    out: { t: \(bad.output) }\n    expect: { t: { \(bad.expect) } }\n")
    try project.edit("lemma.yaml", "run: [printf, '", "run: [sh, -c, 'printf \"$1\" > ${out.t}', sh, '")
    let output = try project.lemma("run")
    #expect(output.status == 1 && output.error.contains(bad.told), "\(output.error)")
    #expect(output.error.contains("lemma.yaml:7:"), "the place of the expectation")
    #expect(!Files.exists(project.space.file(bad.output)))
  }

  @Test("a changed expectation is checked without running anything again, on what was refused too")
  func changed() throws {
    let counter = TestSpace()
    let project = try project(
      "    run: 'echo x >> \(counter.file("n")); seq 9 > ${out.t}'\n    out: { t: t.txt }\n    expect: { t: { rows: 9 } }\n"
    )
    try project.run()
    try project.edit("lemma.yaml", "rows: 9", "rows: 10")
    let output = try project.lemma("run")
    #expect(output.status == 1 && output.error.contains("has 9 rows, not 10"), "\(output.error)")
    try project.edit("lemma.yaml", "rows: 10", "rows: { max: 9 }")
    #expect(try project.run() == [])
    try project.edit("lemma.yaml", "seq 9", "seq 8")
    try project.edit("lemma.yaml", "max: 9", "min: 9")
    #expect(try project.lemma("run").status == 1)
    #expect(try counter.read("n") == "x\nx\n")
    // While it is not what is expected it is made anew: what cut it short may be gone.
    #expect(try project.lemma("run").status == 1)
    #expect(try counter.read("n") == "x\nx\nx\n")
    try project.edit("lemma.yaml", "min: 9", "min: 8")
    #expect(try project.run() == [])
    #expect(try counter.read("n") == "x\nx\nx\n")
    #expect(try project.read("t.txt") == "1\n2\n3\n4\n5\n6\n7\n8\n")
  }

  @Test("an output cut by a limit is caught, though the command ends well")
  func cut() throws {
    let project = try project(
      "    run: '(ulimit -f 8; trap \"\" XFSZ; seq 9999 > ${out.t} 2> /dev/null) || true'\n    out: { t: t.txt }\n"
        + "    expect: { t: { rows: 9999 } }\n")
    let output = try project.lemma("run")
    #expect(output.status == 1 && output.error.contains("rows, not 9999"), "\(output.error)")
  }

  // MARK: Attempts

  @Test("a failed attempt is followed by others; how many it took is recorded")
  func retries() throws {
    let counter = TestSpace()
    let project = try project(
      "    run: 'echo x >> \(counter.file("n")); test $(wc -l < \(counter.file("n"))) -ge 3; echo > ${out.t}'\n"
        + "    out: { t: t.txt }\n    retries: 1\n")
    let output = try project.lemma("run")
    #expect(output.status == 1 && output.error.contains("after 2 attempts"), "\(output.error)")
    try project.edit("lemma.yaml", "retries: 1", "retries: 5")
    try counter.write("n", "")
    #expect(try project.run() == ["a"])
    #expect(try counter.read("n") == "x\nx\nx\n")
    let shown = try JSON(parsing: project.lemma("show", "a", "--json").out.utf8, file: "show")
    #expect(shown["result"]?["attempts"] == 3)
  }

  @Test("the resume folder survives failures and kills, and is gone after the success")
  func resume() throws {
    let project = try project(
      """
          run: |
            echo x >> $LEMMA_RESUME/steps
            if [ $(wc -l < $LEMMA_RESUME/steps) -lt 3 ]; then exit 1; fi
            cp $LEMMA_RESUME/steps ${out.t}
          out: { t: t.txt }
          resume: true

      """)
    for mode in ["off", "auto"] { #expect(try project.lemma("run", "--sandbox", mode).status == 1) }
    #expect(try project.run() == ["a"])
    #expect(try project.read("t.txt") == "x\nx\nx\n")
    #expect(try Command.run(["find", "cache/actions", "-type", "f"], in: project.space.path).out == "")
    try project.edit("lemma.yaml", "-lt 3", "-lt 1")
    #expect(try project.run() == ["a"])
    #expect(try project.read("t.txt") == "x\n", "another action has another folder")
  }

  @Test("a stage that takes too long is ended with all that it started", arguments: ["off", "auto"])
  func timeout(mode: String) throws {
    let number = mode == "off" ? "61.25" : "61.5"
    let project = try project(
      "    run: 'setsid sleep \(number) & sleep \(number); echo > ${out.t}'\n    out: { t: t.txt }\n    timeout: 1s\n")
    let output = try project.lemma("run", "--sandbox", mode)
    #expect(output.status == 1 && output.error.contains("ended after its timeout of 1s"), "\(output.error)")
    #expect(try Command.run(["pgrep", "-f", "sleep \(number)"], in: "/").out == "")
  }

  // MARK: What stages leave running

  @Test("a daemon that left its group and its parents ends with its stage", arguments: ["off", "landlock", "auto"])
  func daemon(mode: String) throws {
    let number = ["off": "62.25", "landlock": "62.5"][mode] ?? "62.75"
    let outside = TestSpace()
    // Two forks and a session of its own, no variables, no descriptors: what a daemon sheds.
    let project = try project(
      "    run: '(setsid env -i /bin/sh -c \"sleep \(number); echo x > \(outside.file("late"))\" < /dev/null > /dev/null 2>&1 &) "
        + "; echo > ${out.t}'\n    out: { t: t.txt }\n")
    let output = try project.lemma("run", "--sandbox", mode)
    #expect(output.status == 0, "\(output.error)")
    #expect(try Command.run(["pgrep", "-f", "sleep \(number)"], in: "/").out == "")
  }

  @Test("when lemma is killed its stages end, daemons too", arguments: ["off", "auto"])
  func killed(mode: String) throws {
    let number = mode == "off" ? "63.25" : "63.5"
    let project = try project(
      "    run: '(setsid sleep \(number) &) ; sleep \(number); echo > ${out.t}'\n    out: { t: t.txt }\n")
    let running = try project.start("run", "--sandbox", mode)
    // The shell, which has the words in its own, and two at sleep.
    func left() throws -> Int {
      try Command.run(["pgrep", "-f", "sleep \(number)"], in: "/").out.split(separator: "\n").count
    }
    try wait(for: "the stage's processes") { try left() >= 3 }
    running.send(SIGKILL)
    _ = try running.wait()
    try wait(for: "their end", seconds: 20) { try left() == 0 }
  }

  @Test("a worker that is killed is a failure of its stage, not of the run")
  func worker() throws {
    let project = Project()
    try project.write(
      "lemma.yaml",
      """
      pipeline: p
      stages:
        quick: { uses: seeds, with: { rows: 10 } }
        slow: { uses: seeds, with: { rows: 1000000 } }

      """)
    let running = try project.start("run", "--jobs", "1", "--sandbox", "off")
    let find = ["pgrep", "-P", "\(running.pid)", "-f", "__stage"]
    try project.wait(forFile: "results/quick/rows.jsonl")
    var found = ""
    try wait(for: "a worker") {
      found = try Command.run(find, in: "/").out
      return !found.isEmpty
    }
    _ = try Command.run(["kill", "-SEGV"] + found.split(separator: "\n").map(String.init), in: "/")
    let output = try running.wait()
    #expect(output.status == 1, "\(output.error)")
    #expect(output.error.contains("stage 'slow': the worker of 'seeds' was ended by signal 11"), "\(output.error)")
    #expect(try project.lemma("status").out.contains("current  quick"))
  }

  @Test("a stage that changes its own input, or what another one made, changes its own copy alone")
  func inputs() throws {
    let project = try project(
      """
          run: 'cat ${in.i} > ${out.t}; echo changed > ${in.i}; rm -f in.txt'
          in: { i: "${stages.b.o}", f: in.txt }
          out: { t: t.txt }
        b: { run: 'echo made > ${out.o}', out: { o: o.txt } }

      """)
    try project.write("in.txt", "source\n")
    try project.run()
    #expect(try project.read("t.txt") + project.read("o.txt") + project.read("in.txt") == "made\nmade\nsource\n")
    #expect(try project.run() == [])
  }

  // MARK: Logs

  @Test("the whole log of a failed command is kept, without secrets, and goes when it succeeds")
  func log() throws {
    let project = try project(
      "    run: 'seq 1000; echo $TOKEN; test -e ${in.f}/ok; echo > ${out.t}'\n    in: { f: \"${sources.f}\" }\n"
        + "    env: { TOKEN: \"env:SECRET\" }\n    out: { t: t.txt }\nsources: { f: { path: f } }\n")
    try project.write("f/no", "")
    let output = try project.lemma("run", environment: ["SECRET": "canary-815"])
    let place = try #require(output.error.split(separator: "\n").first { $0.contains("the whole log: ") })
    let path = String(place.split(separator: " ").last ?? "")
    #expect(try project.read(path).hasPrefix("1\n2\n") && project.read(path).hasSuffix("1000\n***TOKEN***\n"))
    #expect(try project.lemma("show", "a", "--log").out == project.read(path))
    try project.write("f/ok", "")
    #expect(try project.lemma("run", environment: ["SECRET": "canary-815"]).status == 0)
    #expect(try project.lemma("show", "a", "--log").out.hasSuffix("1000\n***TOKEN***\n"))
  }
}
