import LemmaBasics
import LemmaTestSupport
import Testing

/// Only what a stage rests on is looked at to answer, which must never hide a change.
@Suite("Why: one stage, and what it rests on")
struct WhyTests {
  private let project = Project()

  /// a -> b, and c beside them.
  private func prepare() throws {
    try project.write("a.txt", "one\n")
    try project.write("c.txt", "three\n")
    try project.write(
      "lemma.yaml",
      """
      pipeline: p
      sources: { a: { path: a.txt }, c: { path: c.txt } }
      stages:
        a: { run: 'cat ${in.i} > ${out.o}', in: { i: "${sources.a}" }, out: { o: out/a.txt } }
        b: { run: 'cat ${in.i} ${in.i} > ${out.o}', in: { i: "${stages.a.o}" }, out: { o: out/b.txt } }
        c: { run: 'wc -l < ${in.i} > ${out.o}', in: { i: "${sources.c}" }, out: { o: out/c.txt } }

      """)
    try project.run()
  }

  private func verdict(_ stage: String) throws -> String {
    let answers = try JSON(parsing: project.lemma("why", stage, "--json").out.utf8, file: "why --json")
    #expect(answers.array?.count == 1 && answers[0]?["stage"]?.string == stage)
    return answers[0]?["verdict"]?.string ?? ""
  }

  @Test("a change is told of by the stages that rest on it, and by no other")
  func changes() throws {
    try prepare()
    for stage in ["a", "b", "c"] { #expect(try verdict(stage) == "up to date") }
    try project.write("a.txt", "two\n")
    #expect(try verdict("a").hasPrefix("would run"))
    #expect(try verdict("b").hasPrefix("depends"))
    #expect(try verdict("c") == "up to date")
    try project.run()
    try Files.remove(project.space.file("out/a.txt"))
    #expect(try verdict("a").hasPrefix("up to date; to put back: out/a.txt"))
    #expect(try verdict("b") == "up to date")
  }

  @Test("a stage that is declared to rest on more than before is asked about all of it")
  func newDependency() throws {
    try prepare()
    try project.write("c.txt", "three\nfour\n")
    #expect(try verdict("b") == "up to date")
    try project.edit("lemma.yaml", "in: { i: \"${stages.a.o}\" }", "in: { i: \"${stages.a.o}\", c: \"${stages.c.o}\" }")
    #expect(try verdict("b").hasPrefix("depends"))
  }

  @Test("it tells of the run in which the action was executed, by whichever stage")
  func lastRun() throws {
    try prepare()
    try project.write("a.txt", "two\n")
    try project.run()
    #expect(try project.lemma("why", "c").out.contains("last ran in run 1 "))
    #expect(try project.lemma("why", "b").out.contains("last ran in run 2 "))
    // The same action under another name: nothing runs for it.
    try project.edit("lemma.yaml", "  c: {", "  renamed: {")
    #expect(try project.run() == [])
    #expect(try project.lemma("why", "renamed").out.contains("last ran in run 1 "))
  }
}
