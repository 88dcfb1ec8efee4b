import Glibc
import LemmaBasics
import LemmaTestSupport
import Testing

/// Whether strace can watch here: it may be missing, or forbidden in a container.
private let canTrace =
  (try? Command.run(["strace", "-f", "--seccomp-bpf", "-o", "/dev/null", "true"], in: "/").status) == 0

@Suite("What a stage uses without declaring it", .enabled(if: canTrace, "strace cannot watch here"))
struct TraceTests {
  private func trace(_ project: Project, _ stage: String) throws -> JSON {
    let output = try project.lemma("run", "--trace", stage, "--json")
    return try JSON(parsing: output.out.utf8, file: "trace")
  }

  /// A stage that reads more than it says: by relative names, from other folders, in children.
  private func makeProject() throws -> Project {
    let project = Project()
    for name in ["in.txt", "near.txt", "data/a.csv", "data/b.csv", "config/deep/c.json"] {
      try project.write(name, "\(name)\n")
    }
    let place = project.space.path
    try project.write(
      "lemma.yaml",
      """
      pipeline: p
      sandbox: off
      stages:
        first: { run: 'echo 1 > ${out.o}', out: { o: first.txt } }
        a:
          run: |
            cat ${in.i} ${in.f} > ${out.o}
            cat near.txt || true
            (cd config/deep 2> /dev/null || true; cat c.json || true)
            cd \(place)/data; cat a.csv; (cd ..; cat config/deep/c.json config/absent.json || true)
            ls \(place)/results || true
            cat /etc/machine-id > /dev/null || true
            echo x > \(place)/made; cat \(place)/made; echo $TMPDIR > $TMPDIR/x; cat $TMPDIR/x
          in: { i: in.txt, f: "${stages.first.o}" }
          out: { o: o.txt }

      """)
    return project
  }

  @Test("every path read or looked for is listed once, as it would be declared")
  func listed() throws {
    let project = try makeProject()
    #expect(try project.run() == ["first", "a"])
    let report = try trace(project, "a")
    let system = Files.exists("/etc/machine-id") ? ["/etc/machine-id"] : []
    #expect(report["project_reads"] == ["config/deep", "data/a.csv", "near.txt"])
    #expect(report["other_reads"]?.array?.compactMap(\.string) == system)
    // Some of what 'ls' itself looks for is absent too.
    let absent = report["absent"]?.array?.compactMap(\.string).filter { !$0.hasPrefix("/") }
    #expect(absent == ["c.json", "config/absent.json", "results"])
    #expect(report["writes"] == ["made"])
    #expect(report["repeated"] == true)
  }

  @Test("the block can be pasted, and then nothing is left to declare")
  func pasted() throws {
    let project = Project()
    try project.write("words/a.txt", "a\n")
    try project.write("a b.txt", "b\n")
    try project.write(
      "lemma.yaml",
      """
      pipeline: p
      sandbox: off
      stages:
        a:
          run: 'cat words/a.txt "a b.txt" /proc/version > /dev/null; echo > ${out.o}'
          out: { o: o.txt }

      """)
    #expect(try project.lemma("run").status == 1)
    let output = try project.lemma("run", "--trace", "a")
    #expect(output.status == 1 && output.error.contains("exited with 1"), "it fails under the trace too")
    #expect(
      output.out == """
        # what stage 'a' reads and does not declare
        in:
          a_b_txt: "a b.txt"
          a_txt: words/a.txt

        """)
    let block = output.out.split(separator: "\n").dropFirst().map { "    \($0)\n" }.joined()
    try project.edit("lemma.yaml", "    out:", "\(block)    out:")
    #expect(try project.run("--sandbox", "auto") == ["a"])
    #expect(try project.lemma("run", "--trace", "a").out == "# stage 'a' reads nothing that it does not declare\n")
  }

  @Test("a trace keeps nothing: no result, no output, no run")
  func keepsNothing() throws {
    let project = try makeProject()
    let early = try project.lemma("run", "--trace", "a")
    #expect(early.status == 2 && early.error.contains("run it first: lemma run --only 'first'"), "\(early.error)")
    #expect(try project.run("--only", "first") == ["first"])
    let runs = try project.lemma("log").out
    _ = try project.lemma("run", "--trace", "a")
    #expect(try project.lemma("log").out == runs)
    #expect(!Files.exists(project.space.file("o.txt")))
    #expect(try project.run() == ["a"])
  }

  @Test("a built-in kind uses nothing that it does not declare")
  func builtin() throws {
    let project = Project()
    try project.write(
      "lemma.yaml",
      """
      pipeline: p
      stages:
        seeds: { uses: seeds, with: { rows: 30 } }
        split: { uses: split, in: { rows: ${stages.seeds.rows} }, with: { heldout: 5 } }

      """)
    try project.run()
    let report = try trace(project, "split")
    #expect(report["project_reads"] == [])
    #expect(report["writes"] == [])
    #expect(report["repeated"] == true)
  }

  @Test("without strace, and for what is no stage, it says so")
  func errors() throws {
    let project = try makeProject()
    try project.run()
    let wrong = try project.lemma("run", "--trace", "firs")
    #expect(wrong.status == 2 && wrong.error.contains("did you mean 'first'?"), "\(wrong.error)")
    let path = TestSpace()
    for tool in ["git", "sh"] { symlink("/bin/\(tool)", path.file(tool)) }
    let missing = try project.lemma("run", "--trace", "first", environment: ["PATH": path.path])
    #expect(missing.status == 2 && missing.error.contains("needs the program 'strace'"), "\(missing.error)")
  }
}
