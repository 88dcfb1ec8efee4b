import Glibc
import LemmaBasics
import LemmaTestSupport
import Testing

@Suite("doctor: an index that is lost costs no stage a run")
struct DoctorTests {
  private let project = Project()

  init() throws {
    try project.write("in.txt", "1\n")
    try project.write(
      "lemma.yaml",
      """
      pipeline: p
      stages:
        a: { run: 'cat ${in.i} > ${out.o}; echo a >> ${out.o}', in: { i: in.txt }, out: { o: results/a.txt } }
        b: { run: 'mkdir ${out.d}; cat ${in.i} > ${out.d}/x', in: { i: "${stages.a.o}" }, out: { d: results/b } }
      """)
    try project.run()
  }

  private func loseIndex() throws {
    for suffix in ["", "-wal", "-shm"] { try Files.remove(project.space.file("cache/index.sqlite\(suffix)")) }
    try Files.remove(project.space.file("cache/snapshots"))
  }

  private func doctor() throws -> JSON {
    let output = try project.lemma("doctor", "--json")
    #expect(output.status == 0, "\(output.error)")
    return try JSON(parsing: output.out.utf8, file: "doctor --json")
  }

  @Test("a whole store has nothing to mend")
  func sound() throws {
    #expect(try doctor()["sound"] == true)
    #expect(try project.run() == [])
  }

  @Test("a lost index is found again: no stage runs, an edit is seen and explained, an earlier result is known")
  func lostIndex() throws {
    try project.write("in.txt", "2\n")
    try project.run()
    try loseIndex()
    let report = try doctor()
    #expect(report["index_missing"] == true)
    #expect(report["results"] == 4)
    #expect(try project.run() == [])
    try project.write("in.txt", "1\n")
    #expect(try project.run() == [], "the first run's results count as well")
    #expect(try project.read("results/b/x") == "1\na\n")
    try project.write("in.txt", "3\n")
    #expect(try project.lemma("why", "a").out.contains("input 'i'"))
    #expect(try project.run() == ["a", "b"])
    #expect(try project.lemma("audit", "b").status == 0)
  }

  @Test("a damaged index is put aside and made anew")
  func damagedIndex() throws {
    try loseIndex()
    try project.write("cache/index.sqlite", String(repeating: "no database ", count: 1000))
    let report = try doctor()
    #expect(report["index_damaged"]?.string.map { Files.exists($0) } == true)
    #expect(try project.run() == [])
  }

  @Test("a run recovers by itself, and says so once")
  func byItself() throws {
    try loseIndex()
    let output = try project.lemma("run")
    #expect(output.error.contains("2 results were found again"))
    #expect(output.error.contains("up to date"))
    try project.write("in.txt", "2\n")
    #expect(try !project.lemma("run").error.contains("found again"))
  }

  @Test("a result is not recovered without its outputs: it is made again")
  func lostOutputs() throws {
    try loseIndex()
    for pack in try Files.list(project.space.file("cache/packs")) {
      try Files.remove(project.space.file("cache/packs/\(pack)"))
    }
    try Files.remove(project.space.file("results"))
    let report = try doctor()
    #expect(report["results"] == 0)
    #expect(report["lost_results"] == 2)
    #expect(try project.run() == ["a", "b"])
  }

  @Test("a person's file at an output's place is not taken for an output")
  func ownFile() throws {
    try loseIndex()
    try project.write("results/a.txt", "my own notes\n")
    _ = try doctor()
    #expect(try project.lemma("run").error.contains("was not made by lemma"))
    #expect(try project.read("results/a.txt") == "my own notes\n")
  }

  @Test("what a killed run left is cleared away; what a stage keeps for its next attempt stays")
  func leftovers() throws {
    let key = String(repeating: "0", count: 32)
    try project.write("cache/actions/\(key)/1/out/half", "x")
    try project.write("cache/actions/\(String(repeating: "1", count: 32))/resume/state", "x")
    try project.write("cache/tmp/dead/1", "x")
    try project.write("cache/snapshots/half", "lemma snapshot 1")
    let report = try doctor()
    #expect(report["execution_roots"] == 1)
    #expect(report["temporary_folders"] == 1)
    #expect(report["snapshots"] == 1)
    #expect(try Files.list(project.space.file("cache/tmp")) == [])
    #expect(try Files.list(project.space.file("cache/actions")) == [String(repeating: "1", count: 32)])
    #expect(try project.run() == [])
  }

  @Test("a ledger that is damaged is named, after all else is mended")
  func damagedLedger() throws {
    try loseIndex()
    try project.write("cache/tmp/dead/1", "x")
    for object in try Command.run(["find", "cache/ledger.git/objects", "-type", "f"], in: project.space.path).out
      .split(separator: "\n")
    {
      try Files.remove(project.space.file(String(object)))
    }
    let output = try project.lemma("doctor", "--json")
    #expect(output.status == 1, "\(output)")
    let report = try JSON(parsing: output.out.utf8, file: "doctor --json")
    #expect(report["index_missing"] == true && report["temporary_folders"] == 1)
    #expect(report["unread"]?.array?.first?["workspace"]?.string == project.space.path)
  }

  @Test("while a run is at work, it changes nothing and says so")
  func duringRun() throws {
    try project.edit("lemma.yaml", "cat ${in.i} > ${out.o}; echo a", "sleep 30; cat ${in.i} > ${out.o}; echo a")
    let running = try project.start("run")
    try project.waitForStage()
    let output = try project.lemma("doctor")
    #expect(output.status == 3)
    #expect(output.error.contains("a run is at work"))
    running.send(SIGINT)
    _ = try running.wait()
    #expect(try project.lemma("doctor").status == 0)
  }
}
