import Glibc
import LemmaBasics
import LemmaTestSupport
import Testing

/// What a run remembers for the next one must never hide a change.
@Suite("Remembered runs: what did not change is not looked at, what did is never missed")
struct SnapshotTests {
  /// head -> upper -> both ends of a short chain, and a stage beside it.
  private func makeProject() throws -> Project {
    let project = Project()
    try project.write("a.txt", "one\ntwo\n")
    try program("tool.sh", "tr a-z A-Z", in: project)
    try project.write(
      "lemma.yaml",
      """
      pipeline: p
      sources: { a: { path: a.txt } }
      stages:
        first: { run: 'head -n 1 ${in.a} > ${out.o}', in: { a: "${sources.a}" }, out: { o: out/first.txt } }
        upper: { run: [sh, -c, './tool.sh < ${in.i} > ${out.o}'], in: { i: "${stages.first.o}", t: tool.sh }, out: { o: out/upper.txt } }
        last: { run: 'cat ${in.i} ${in.i} > ${out.o}', in: { i: "${stages.upper.o}" }, out: { o: out/last.txt } }
        aside: { run: [cp, note, "${out.o}"], in: { n: note }, out: { o: out/aside.txt } }

      """)
    try project.write("note", "n\n")
    try project.run()
    return project
  }

  private func program(_ name: String, _ text: String, in project: Project) throws {
    try project.write(name, "#!/bin/sh\n\(text)\n")
    chmod(project.space.file(name), 0o755)
  }

  @Test("nothing changed: nothing is executed and nothing is recorded")
  func nothing() throws {
    let project = try makeProject()
    let before = try project.lemma("log").out
    #expect(try project.run() == [])
    #expect(try project.run() == [])
    #expect(try project.lemma("log").out == before)
  }

  @Test("early cutoff: a change that leaves the first output as it was reruns nothing behind it")
  func cutoff() throws {
    let project = try makeProject()
    try project.write("a.txt", "one\nother\n")
    #expect(try project.run() == ["first"])
    try project.write("a.txt", "three\nother\n")
    #expect(try project.run() == ["first", "upper", "last"])
    #expect(try project.read("out/last.txt") == "THREE\nTHREE\n")
  }

  @Test("every rerun and every skip has its reason in the record of the run")
  func reasons() throws {
    let project = try makeProject()
    let reason = { (stage: String) in
      try JSON(parsing: project.lemma("show", stage, "--json").out.utf8, file: "show")["reason"]?.string
    }
    #expect(try reason("last") == "new here: this action has never run")
    try project.write("a.txt", "three\ntwo\n")
    try project.run()
    #expect(try reason("first")?.contains("input") == true)
    #expect(try reason("aside") == "nothing that it depends on changed")
    try project.write("a.txt", "one\ntwo\n")
    #expect(try project.run() == [])
    #expect(try reason("first") == "its result was known" && reason("last") == "its result was known")
    #expect(try reason("aside") == "nothing that it depends on changed")
  }

  @Test("new time stamps alone rerun nothing, now and the next time")
  func touched() throws {
    let project = try makeProject()
    _ = try Command.run(["touch", "-d", "2001-01-01", "a.txt", "tool.sh", "lemma.yaml"], in: project.space.path)
    #expect(try project.run() == [])
    #expect(try project.run() == [])
  }

  @Test("an edit with size and time restored is seen")
  func restoredTimes() throws {
    let project = try makeProject()
    try project.run()
    _ = try Command.run(
      ["sh", "-c", "touch -r a.txt ref; printf 'eno\\ntwo\\n' > a.txt; touch -r ref a.txt"], in: project.space.path)
    #expect(try project.run() == ["first", "upper", "last"])
  }

  @Test("outputs that were removed, edited or replaced by a link come back without running anything")
  func outputs() throws {
    let project = try makeProject()
    unlink(project.space.file("out/first.txt"))
    try project.write("out/upper.txt", "edited")
    unlink(project.space.file("out/last.txt"))
    symlink("upper.txt", project.space.file("out/last.txt"))
    #expect(try project.run() == [])
    #expect(try project.read("out/first.txt") == "one\n")
    #expect(try project.read("out/upper.txt") == "ONE\n")
    var status = stat()
    #expect(lstat(project.space.file("out/last.txt"), &status) == 0 && status.st_mode & S_IFMT == S_IFREG)
    #expect(try project.run() == [])
  }

  @Test("a program that appears earlier on the path, and one that changes, are other programs")
  func programs() throws {
    let project = try makeProject()
    try program("bin/cp", "echo fake > \"$2\"", in: project)
    let path = ["PATH": "\(project.space.file("bin")):/usr/bin:/bin"]
    #expect(try project.lemma("run", environment: path).status == 0)
    #expect(try project.read("out/aside.txt") == "fake\n")
    try program("bin/cp", "echo faker > \"$2\"", in: project)
    #expect(try project.lemma("run", environment: path).status == 0)
    #expect(try project.read("out/aside.txt") == "faker\n")
    unlink(project.space.file("bin/cp"))
    #expect(try project.lemma("run", environment: path).status == 0)
    #expect(try project.read("out/aside.txt") == "n\n")
  }

  @Test("a word that comes to name a project file is an input from then on")
  func wordBecomesFile() throws {
    let project = Project()
    try project.write(
      "lemma.yaml",
      "pipeline: p\nstages:\n  a: { run: [sh, -c, 'ls > $1', word, '${out.o}', extra], out: { o: o.txt } }\n")
    try project.run()
    #expect(try !project.read("o.txt").contains("extra"))
    try project.write("extra", "x")
    #expect(try project.run() == ["a"])
    #expect(try project.read("o.txt").contains("extra"))
    unlink(project.space.file("extra"))
    #expect(try project.run() == [])
    #expect(try !project.read("o.txt").contains("extra"))
  }

  @Test("an edited pipeline looks at what is declared otherwise, and at nothing else")
  func editedPipeline() throws {
    let project = try makeProject()
    try project.edit("lemma.yaml", "cat ${in.i} ${in.i}", "cat ${in.i}")
    #expect(try project.run() == ["last"])
    try project.write("b.txt", "other\n")
    try project.edit("lemma.yaml", "path: a.txt", "path: b.txt")
    #expect(try project.run() == ["first", "upper", "last"])
    try project.edit("lemma.yaml", "pipeline: p", "# a remark\npipeline: p")
    #expect(try project.run() == [])
    #expect(try project.lemma("show").out.contains("first"))
  }

  @Test("two parameter sets take turns at the same outputs, and the ledger follows")
  func turns() throws {
    let project = Project()
    try project.write(
      "lemma.yaml",
      "pipeline: p\nparams: { n: 1 }\nstages:\n  a: { run: 'echo ${params.n} > ${out.o}', out: { o: o.txt } }\n")
    try project.run()
    try project.run("--param", "n=2")
    #expect(try project.read("o.txt") == "2\n")
    #expect(try project.run() == [])
    #expect(try project.read("o.txt") == "1\n")
    #expect(try project.lemma("audit", "o.txt").status == 0)
  }

  @Test("a snapshot that is damaged, or gone, costs time and changes nothing", arguments: ["flip", "cut", "remove"])
  func damaged(how: String) throws {
    let project = try makeProject()
    let folder = project.space.file("cache/snapshots")
    for name in try Files.list(folder) {
      let path = "\(folder)/\(name)"
      var bytes = try Files.read(path)
      switch how {
      case "flip": bytes[bytes.count / 2] ^= 1
      case "cut": bytes.removeLast(bytes.count / 3)
      default: bytes = []
      }
      if bytes.isEmpty { unlink(path) } else { try Files.write(bytes, to: path) }
    }
    #expect(try project.run() == [])
    try project.write("a.txt", "four\n")
    #expect(try project.run() == ["first", "upper", "last"])
  }

  @Test("a ledger that went is begun anew with everything in it")
  func ledgerGone() throws {
    let project = try makeProject()
    try Files.remove(project.space.file("cache/ledger.git"))
    #expect(try project.run() == [])
    #expect(try project.lemma("show").out.contains("upper"))
    #expect(try project.lemma("log").out.split(separator: "\n").count == 1)
  }

  @Test("a failed stage is tried again, and those behind it are not taken as done")
  func afterFailure() throws {
    let project = try makeProject()
    try project.write("a.txt", "five\n")
    try program("tool.sh", "exit 3", in: project)
    try project.run(expecting: 1)
    try project.run(expecting: 1)
    try program("tool.sh", "tr a-z A-Z", in: project)
    #expect(try project.run() == ["upper", "last"])
    #expect(try project.read("out/last.txt") == "FIVE\nFIVE\n")
  }
}
