import LemmaBasics
import LemmaTestSupport
import Testing

@Suite("Names that look the same are not taken for one another")
struct NameTests {
  private static let composed = "\u{E9}"
  private static let decomposed = "e\u{301}"

  @Test("two files whose names differ in how an accent is written are refused together, never mixed up")
  func equivalentFiles() throws {
    let project = HostileProject()
    try project.write("\(NameTests.composed).txt", "composed\n")
    try project.write("\(NameTests.decomposed).txt", "decomposed\n")
    let a = "\(NameTests.composed).txt"
    let b = "\(NameTests.decomposed).txt"
    for stage in [
      "a: { run: 'cat ${in.a} ${in.b} > ${out.o}', in: { a: \(a), b: \(b) }, out: { o: o.txt } }",
      "a: { run: [sh, -c, 'cat \"$1\" \"$2\" > \"$3\"', sh, \(a), \(b), \"${out.o}\"], out: { o: o.txt } }",
      "a: { run: 'cat ${in.x} > ${out.o}', in: { x: [\(a), \(b)] }, out: { o: o.txt } }",
    ] {
      try project.write("lemma.yaml", "pipeline: p\nstages:\n  \(stage)\n")
      let output = try project.lemma(["run"])
      expectClear(output, stage, status: 1, tells: ["differ in how accents are written", "rename one"])
      #expect(!project.exists("o.txt"))
    }
    // In a folder both are kept as they are.
    try project.write("folder/\(a)", "1\n")
    try project.write("folder/\(b)", "2\n")
    try project.write(
      "lemma.yaml",
      "pipeline: p\nstages: { a: { run: 'cp -r ${in.f} ${out.o}', in: { f: folder }, out: { o: copy } } }\n")
    #expect(try project.lemma(["run"]).status == 0)
    #expect(try project.space.read("copy/\(a)") == "1\n" && project.space.read("copy/\(b)") == "2\n")
  }

  @Test("a parameter that is written with another accent is another parameter's value")
  func equivalentValues() throws {
    let project = HostileProject()
    try project.write(
      "lemma.yaml",
      "pipeline: p\nparams: { t: x }\nstages: { a: { run: [sh, -c, 'printf %s \"$1\" > \"$2\"', sh, \"${params.t}\", \"${out.o}\"], out: { o: o.txt } } }\n"
    )
    for text in [NameTests.composed, NameTests.decomposed, NameTests.composed] {
      #expect(try project.lemma(["run", "--param", "t=\(text)"]).status == 0)
      #expect(isSame(try project.space.read("o.txt"), text))
      try project.write("lemma.yaml", try project.space.read("lemma.yaml").replacing("t: x", with: "t: \(text)"))
      #expect(try project.lemma(["run"]).status == 0)
      #expect(isSame(try project.space.read("o.txt"), text))
      try project.write("lemma.yaml", try project.space.read("lemma.yaml").replacing("t: \(text)", with: "t: x"))
    }
  }

  static let names = [
    "\u{E9}\u{E9}\u{E9}\u{E9}\u{E9}\u{E9}\u{E9}\u{E9}\u{E9}\u{E9}\u{E9}\u{E9}\u{E9}\u{E9}\u{E9}",
    "\u{1F469}\u{200D}\u{1F52C}\u{1F469}\u{200D}\u{1F52C}\u{1F469}\u{200D}\u{1F52C}",
    "e\u{301}e\u{301}e\u{301}e\u{301}", "a b'c\"d", "$(touch RAN)", "`touch RAN`", "-rf", "%2e%2e", "a\nb", "a\\b",
    "{}", "*", "'; drop table results; --", "\u{1B}[31m",
    "\u{202E}x", String(repeating: "n", count: 200), "...", "cache.git", "\u{301}",
  ]

  @Test("a project may lie in a folder of any name", arguments: names)
  func folders(name: String) throws {
    let space = TestSpace()
    let folder = space.file(name)
    try space.write("\(name)/in.txt", "1\n")
    try space.write(
      "\(name)/p.yaml",
      "pipeline: p\nstages: { a: { run: 'cat ${in.i} > ${out.o}', in: { i: in.txt }, out: { o: o.txt } } }\n")
    for words in [
      ["run", "p.yaml"], ["run", "p.yaml"], ["run", "./p.yaml"], ["status", "p.yaml"], ["show"], ["audit", "o.txt"],
      ["log", "--json"], ["why", "a", "p.yaml"],
    ] {
      let output = try Command.run([lemmaProgram] + words, in: folder)
      #expect(output.status == 0, "\(words): \(output)")
      #expect(rawControls(output.out + output.error) == [])
    }
    let outside = try Command.run([lemmaProgram, "run", "\(folder)/p.yaml", "--project", folder], in: space.path)
    #expect(outside.status == 0, "\(outside)")
    #expect(!Files.exists("\(folder)/RAN") && !Files.exists(space.file("RAN")))
  }

  @Test("files of any name are inputs, outputs and members of folders", arguments: names)
  func files(name: String) throws {
    let project = HostileProject()
    try project.write("data/\(name)", "1\n")
    try project.write(
      "lemma.yaml", "pipeline: p\nstages: { a: { run: 'cp -r ${in.d} ${out.o}', in: { d: data }, out: { o: copy } } }\n"
    )
    let output = try project.lemma(["run"])
    expectClear(output, name, status: 0, tells: [])
    #expect(try project.space.read("copy/\(name)") == "1\n")
    try Files.remove(project.space.file("copy"))
    #expect(try project.lemma(["run"]).status == 0)
    #expect(try project.space.read("copy/\(name)") == "1\n")
    #expect(!project.exists("RAN"))
  }
}
