import Glibc
import LemmaBasics
import LemmaTestSupport
import Testing

@Suite("gc: what nothing needs goes, and nothing else")
struct CollectTests {
  private let project = Project()

  init() throws {
    try project.write(
      "lemma.yaml",
      """
      pipeline: p
      stages:
        a: { run: 'head -c 100000 /dev/zero > ${out.o}; cat ${in.i} >> ${out.o}', in: { i: in.txt }, out: { o: o } }
      """)
    for number in 1...4 {
      try project.write("in.txt", "\(number)\n")
      try project.run()
    }
  }

  private func collect(_ words: String...) throws -> JSON {
    let output = try Command.run(
      [Project.program, "gc", "--json", "--older-than", "0"] + words, in: project.space.path)
    #expect(output.status == 0, "\(output.error)")
    return try JSON(parsing: output.out.utf8, file: "gc --json")
  }

  private func objects(in cache: String? = nil) throws -> Set<String> {
    Set(try StoredObject.all(in: cache ?? project.space.file("cache")).map { "\($0.digest) \($0.sealHead)" })
  }

  @Test("without --apply nothing changes, and with it that much goes")
  func dryRun() throws {
    let before = try objects()
    let told = try collect("--keep-runs", "1")
    #expect(told["applied"] == false)
    #expect(try objects() == before)
    let done = try collect("--keep-runs", "1", "--apply")
    #expect(done["objects"] == told["objects"] && done["bytes"] == told["bytes"])
    #expect((done["bytes"]?.int ?? 0) >= 300_000)
    #expect(done["results"] == 3)
    #expect(try objects().count < before.count)
  }

  @Test("the kept run stays whole; a result that lost its outputs is made again, never served")
  func afterwards() throws {
    _ = try collect("--keep-runs", "1", "--apply")
    #expect(try project.run() == [])
    #expect(try project.lemma("audit", "a").status == 0)
    #expect(try project.lemma("verify").status == 0)
    try Files.remove(project.space.file("o"))
    #expect(try project.run() == [], "the newest result is put back")
    try project.write("in.txt", "1\n")
    #expect(try project.run() == ["a"])
    #expect(try project.read("o").hasSuffix("1\n"))
  }

  @Test("a tagged run is kept with all that it needs")
  func tagged() throws {
    #expect(try project.lemma("tag", "first", "1").status == 0)
    _ = try collect("--keep-runs", "1", "--apply")
    #expect(try project.lemma("audit", "a", "--run", "first").status == 0)
    #expect(try project.lemma("audit", "a", "--run", "2").status == 1)
    try project.write("in.txt", "1\n")
    #expect(try project.run() == [])
  }

  @Test("what is young stays by default")
  func young() throws {
    let before = try objects()
    let output = try project.lemma("gc", "--keep-runs", "1", "--apply")
    #expect(output.status == 0, "\(output.error)")
    #expect(output.out.contains("removed 0 objects"))
    #expect(try objects() == before)
  }

  @Test("another workspace on the same store keeps what it needs, even when it is gone, till it is forgotten")
  func otherWorkspace() throws {
    // Two repositories, so that each has a ledger of its own.
    let shared = TestSpace()
    let cache = shared.file("cache")
    let (one, other) = (Project(), Project())
    for (project, text) in [(one, "one\n"), (other, "other\n")] {
      _ = try Command.run(["git", "init", "-q"], in: project.space.path)
      try project.write("lemma.yaml", try self.project.read("lemma.yaml"))
      try project.write("in.txt", text)
      #expect(try project.lemma("run", "--store", cache).status == 0)
    }
    func collect(_ words: String...) throws -> JSON {
      let gc = [Project.program, "gc", "--json", "--apply", "--older-than", "0", "--store", cache]
      return try JSON(parsing: Command.run(gc + words, in: one.space.path).out.utf8, file: "gc --json")
    }
    #expect(try collect()["objects"] == 0)
    #expect(try other.lemma("audit", "a", "--store", cache).status == 0)
    try Files.remove(other.space.path)
    let told = try collect()
    #expect(told["missing_workspaces"]?.array?.count == 1)
    #expect(told["objects"] == 0)
    #expect((try collect("--forget-missing")["bytes"]?.int ?? 0) >= 100_000)
    #expect(try collect()["missing_workspaces"] == [])
    #expect(try one.lemma("audit", "a", "--store", cache).status == 0)
  }

  @Test("what a failed stage would go on from stays until it is named")
  func unfinished() throws {
    try project.write(
      "lemma.yaml",
      """
      pipeline: p
      stages:
        a: { run: 'head -c 5000 /dev/zero > $LEMMA_RESUME/half; test -e gone; echo > ${out.o}', resume: true, out: { o: o } }
      """)
    #expect(try project.lemma("run").status != 0)
    let folder = project.space.file("cache/actions")
    func kept() throws -> Bool {
      try Files.list(folder).contains { Files.exists("\(folder)/\($0)/resume/half") }
    }
    let told = try collect("--apply")
    #expect(told["unfinished"] == 1 && (told["unfinished_bytes"]?.int ?? 0) >= 5000)
    let lines = try project.lemma("gc", "--older-than", "0").out
    #expect(lines.contains("kept what 1 unfinished stage would go on from"), "\(lines)")
    _ = try collect("--drop-unfinished")
    #expect(try kept())
    #expect(try collect("--drop-unfinished", "--apply")["unfinished"] == 1)
    #expect(try !kept())
    #expect(try collect()["unfinished"] == 0)
  }

  @Test("while a run is at work nothing is removed")
  func duringRun() throws {
    try project.edit("lemma.yaml", "head -c", "sleep 30; head -c")
    let running = try project.start("run")
    try project.waitForStage()
    let before = try objects()
    let output = try project.lemma("gc", "--apply", "--older-than", "0", "--keep-runs", "1")
    #expect(output.status == 3)
    #expect(output.error.contains("a run is at work"))
    #expect(try objects() == before)
    running.send(SIGINT)
    _ = try running.wait()
  }
}
