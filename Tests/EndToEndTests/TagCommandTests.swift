import LemmaBasics
import LemmaTestSupport
import Testing

@Suite("tag: runs by name")
struct TagCommandTests {
  private let project = Project()

  init() throws {
    try project.write("lemma.yaml", "pipeline: p\nstages:\n  a: { run: 'echo 1 > ${out.o}', out: { o: o } }\n")
    try project.run()
    try project.edit("lemma.yaml", "echo 1", "echo 2")
    try project.run()
  }

  @Test("a tag names a run to every command, is listed, and can be taken away")
  func naming() throws {
    #expect(try project.lemma("tag", "first", "1").out.contains("first is run #1"))
    #expect(try project.lemma("tag", "now").out.contains("now is run #2"))
    #expect(try project.lemma("show", "--run", "first").out.hasPrefix("run 1 "))
    let list = try JSON(parsing: project.lemma("tag", "--list", "--json").out.utf8, file: "tag")
    #expect(list.array?.compactMap { $0["tag"]?.string } == ["first", "now"])
    #expect(try project.lemma("tag", "--delete", "first").status == 0)
    #expect(try project.lemma("show", "--run", "first").status == 2)
  }

  @Test("a bad name, a taken name and an unknown run are refused")
  func refusals() throws {
    #expect(try project.lemma("tag", "a/b").status == 2)
    #expect(try project.lemma("tag", "x", "99").error.contains("no run '99'"))
    try project.lemma("tag", "x", "1")
    #expect(try project.lemma("tag", "x").error.contains("there is a tag 'x' already"))
    #expect(try project.lemma("tag", "x", "--force").status == 0)
  }

  @Test("a tag does not make the next run look at anything anew")
  func noOp() throws {
    try project.lemma("tag", "x")
    #expect(try project.run() == [])
  }
}
