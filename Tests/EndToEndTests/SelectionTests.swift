import Glibc
import LemmaBasics
import LemmaTestSupport
import Testing

@Suite("Running a part: --only, --from, --force, --keep-going, --explain, --watch")
struct SelectionTests {
  /// a -> b -> c, and x -> y beside it.
  private func makeProject() throws -> Project {
    let project = Project()
    try project.write(
      "lemma.yaml",
      """
      pipeline: p
      stages:
        a: { run: 'cat ${in.s} > ${out.o}', in: { s: s.txt }, out: { o: a.txt } }
        b: { run: 'cat ${in.i} ${in.i} > ${out.o}', in: { i: "${stages.a.o}" }, out: { o: b.txt } }
        c: { run: 'wc -c < ${in.i} > ${out.o}', in: { i: "${stages.b.o}" }, out: { o: c.txt } }
        x: { run: 'sed p ${in.s} > ${out.o}', in: { s: s.txt }, out: { o: x.txt } }
        y: { run: 'sed p ${in.i} > ${out.o}', in: { i: "${stages.x.o}" }, out: { o: y.txt } }

      """)
    try project.write("s.txt", "s\n")
    return project
  }

  @Test("--only runs a stage and what it needs; the rest follows later")
  func only() throws {
    let project = try makeProject()
    #expect(try project.run("--only", "b") == ["a", "b"])
    #expect(!Files.exists(project.space.file("c.txt")))
    #expect(try project.run("--only", "b") == [])
    #expect(try project.run() == ["c", "x", "y"])
  }

  @Test("--only after a change leaves what is behind to be rebuilt, never taken as done")
  func onlyAfterChange() throws {
    let project = try makeProject()
    try project.run()
    try project.write("s.txt", "longer\n")
    #expect(try project.run("--only", "a") == ["a"])
    #expect(try project.read("c.txt") == "4\n")
    #expect(try project.run() == ["b", "c", "x", "y"])
    #expect(try project.read("c.txt") == "14\n")
    #expect(try project.lemma("audit", "c").status == 0)
  }

  @Test("--from runs a stage, what depends on it, and what those need")
  func from() throws {
    let project = try makeProject()
    #expect(try project.run("--from", "b") == ["a", "b", "c"])
  }

  @Test("--force runs a stage again; the same bytes rerun nothing behind it")
  func force() throws {
    let project = try makeProject()
    try project.run()
    #expect(try project.run("--force", "a", "--force", "y") == ["a", "y"])
    #expect(try project.run() == [])
  }

  @Test("without it nothing starts after a failure, not even what was made ready before", arguments: 1...5)
  func failsAtOnce(turn: Int) throws {
    let project = Project()
    let stages = (1...4).map { "  s\($0): { run: 'echo \($0) > ${out.o}', out: { o: \($0).txt } }\n" }
    try project.write(
      "lemma.yaml",
      "pipeline: p\nsandbox: off\nstages:\n  bad: { run: 'sleep 0.1; exit 1', out: { o: 0.txt } }\n\(stages.joined())")
    #expect(try project.run("--jobs", "1", expecting: 1) == [])
    let shown = try JSON(parsing: project.lemma("show", "--json").out.utf8, file: "show --json")
    #expect((1...4).allSatisfy { shown["outcomes"]?["s\($0)"]?["outcome"] == "blocked" })
  }

  @Test("--keep-going finishes what does not depend on the failed stage")
  func keepGoing() throws {
    let project = try makeProject()
    try project.edit("lemma.yaml", "cat ${in.i} ${in.i}", "false")
    #expect(try project.run("--keep-going", "--jobs", "1", expecting: 1) == ["a", "x", "y"])
    try project.edit("lemma.yaml", "false", "cat ${in.i}")
    #expect(try project.run() == ["b", "c"])
  }

  @Test("--explain gives a reason for every stage, run or not")
  func explain() throws {
    let project = try makeProject()
    try project.run()
    try project.write("s.txt", "t\n")
    let lines = try project.lemma("run", "--only", "c", "--explain").out.split(separator: "\n").map(String.init)
    #expect(lines.count == 5)
    #expect(lines[0].contains("ran") && lines[0].contains("input 's'"))
    #expect(lines[3].contains("skipped") && lines[3].contains("not asked for"))
    let again = try project.lemma("run", "--explain").out.split(separator: "\n").map(String.init)
    #expect(again[0].contains("cached") && again[0].contains("nothing that it depends on changed"))
  }

  @Test("a stage that is not there is named with the nearest that is", arguments: ["--only", "--from", "--force"])
  func unknown(option: String) throws {
    let project = try makeProject()
    let output = try project.lemma("run", option, "aa")
    #expect(output.status == 2 && output.error.contains("did you mean 'a'?"), "\(output.error)")
    #expect(!Files.exists(project.space.file("a.txt")))
  }

  @Test("--watch runs again when an input changes, lives through a broken pipeline file, and ends with Ctrl-C")
  func watch() throws {
    let project = try makeProject()
    let text = try project.read("lemma.yaml")
    let running = try project.start("run", "--watch")
    func wait(for content: String, in file: String) throws {
      try LemmaTestSupport.wait(for: "\(content) in \(file)") { (try? project.read(file)) == content }
    }
    try wait(for: "4\n", in: "c.txt")
    try project.write("s.txt", "four\n")
    try wait(for: "10\n", in: "c.txt")
    try project.write("lemma.yaml", "pipeline: [")
    usleep(600_000)
    try project.write("lemma.yaml", text.replacing("wc -c", with: "wc -l"))
    try wait(for: "2\n", in: "c.txt")
    running.send(SIGINT)
    #expect(try running.wait().status == 0)
  }
}
