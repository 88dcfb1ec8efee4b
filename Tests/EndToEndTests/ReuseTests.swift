import Glibc
import LemmaBasics
import LemmaTestSupport
import Testing

@Suite("What small stages share, none of them can see")
struct ReuseTests {
  private let project = Project()

  /// Writes a pipeline whose commands may do to their folder what they like.
  private func declare(_ sourcesAndStages: String) throws {
    try project.write("lemma.yaml", "pipeline: p\nsandbox: off\n\(sourcesAndStages)\n")
  }

  @Test("stages that are the very same action execute it once; each has its output")
  func twins() throws {
    let counter = TestSpace()
    let command = "echo once >> \(counter.file("count")); sleep 0.2; cat ${in.i} > ${out.o}"
    try project.write("in.txt", "1\n")
    try declare(
      """
      stages:
        a: { run: '\(command)', in: { i: in.txt }, out: { o: a/o.txt } }
        b: { run: '\(command)', in: { i: in.txt }, out: { o: b/o.txt } }
        c: { run: 'cat ${in.a} ${in.b} > ${out.o}', in: { a: "${stages.a.o}", b: "${stages.b.o}" }, out: { o: c.txt } }
      """)
    #expect(try project.run("--jobs", "2") == ["a", "c"])
    #expect(try counter.read("count") == "once\n")
    #expect(try project.read("a/o.txt") == "1\n" && project.read("b/o.txt") == "1\n")
    #expect(try project.read("c.txt") == "1\n1\n")
    #expect(try project.run() == [])
  }

  @Test("when it fails, none of them is taken for done", arguments: [[], ["--keep-going"]])
  func failingTwins(words: [String]) throws {
    try project.write(
      "lemma.yaml",
      """
      pipeline: p
      stages:
        a: { run: 'sleep 0.2; exit 3; echo > ${out.o}', out: { o: a/o.txt } }
        b: { run: 'sleep 0.2; exit 3; echo > ${out.o}', out: { o: b/o.txt } }
        c: { run: 'cat ${in.b} > ${out.o}', in: { b: "${stages.b.o}" }, out: { o: c.txt } }
      """)
    let output = try Command.run(
      [Project.program, "run", "--json", "--jobs", "2"] + words, in: project.space.path)
    #expect(output.status == 1)
    let stages = try JSON(parsing: output.out.utf8, file: "run --json")["stages"]?.array ?? []
    let outcomes = Dictionary(uniqueKeysWithValues: stages.map { ($0["stage"]?.string ?? "", $0["outcome"]?.string) })
    #expect(outcomes["a"] == "failed")
    #expect(outcomes["b"] == (words.isEmpty ? "blocked" : "failed"))
    #expect(outcomes["c"] == "blocked")
  }

  @Test("what a stage does to its inputs no later stage meets")
  func inputs() throws {
    try project.write("long.txt", String(repeating: "long ", count: 1000))
    try project.write("short.txt", "short\n")
    try project.write("alone.txt", "alone\n")
    try declare(
      """
      sources: { long: { path: long.txt }, short: { path: short.txt }, alone: { path: alone.txt } }
      stages:
        reads: { run: 'wc -c < ${in.i} > ${out.o}', in: { i: "${sources.long}" }, out: { o: 1.txt } }
        harms:
          run: 'wc -c < ${in.i} > ${out.o}; echo junk >> ${in.i}; chmod 600 ${in.i}; ln ${in.i} tmp/kept; echo > in/left'
          in: { i: "${sources.short}", after: "${stages.reads.o}" }
          out: { o: 2.txt }
        last:
          run: 'cat ${in.i} > ${out.o}; stat -c "%a %h" ${in.i} >> ${out.o}; find . -type f | sort >> ${out.o}'
          in: { i: "${sources.alone}", after: "${stages.harms.o}" }
          out: { o: 3.txt }
      """)
    #expect(try project.run("--jobs", "1") == ["reads", "harms", "last"])
    #expect(try project.read("2.txt") == "6\n")
    #expect(
      try project.read("3.txt")
        == "alone\n644 1\n./in/after.txt\n./in/i.txt\n./out/o.txt\n")
  }

  @Test("an output is a plain file of its own, however the stage made it")
  func outputs() throws {
    try declare(
      """
      stages:
        plain: { run: 'echo 1 > ${out.o}', out: { o: plain.txt } }
        mode: { run: 'echo 2 > ${out.o}; chmod 606 ${out.o}', out: { o: mode.txt } }
        program: { run: 'echo 3 > ${out.o}; chmod 777 ${out.o}', out: { o: program.sh } }
        named: { run: 'echo 4 > ${out.o}; ln ${out.o} tmp/other', out: { o: named.txt } }
      """)
    try project.run()
    for (name, mode) in [("plain.txt", 0o644), ("mode.txt", 0o644), ("program.sh", 0o755), ("named.txt", 0o644)] {
      var status = stat()
      #expect(stat(project.space.file(name), &status) == 0)
      #expect(Int(status.st_mode & 0o7777) == mode && status.st_nlink == 1, "\(name)")
    }
    #expect(try project.run() == [])
    let digests = try project.digests()
    for name in ["plain.txt", "mode.txt", "program.sh", "named.txt"] { try Files.remove(project.space.file(name)) }
    #expect(try project.run() == [])
    #expect(try project.digests() == digests)
  }

  @Test("an input of nothing but zeros is that, whatever stood in the file before", arguments: [3000, 60_000, 600_000])
  func zeros(size: Int) throws {
    try project.write("text.txt", String(repeating: "x", count: size))
    try Files.write([UInt8](repeating: 0, count: size * 5 / 6), to: project.space.file("zeros.bin"))
    try declare(
      """
      sources: { text: { path: text.txt }, zeros: { path: zeros.bin } }
      stages:
        first: { run: 'wc -c < ${in.i} > ${out.o}', in: { i: "${sources.text}" }, out: { o: 1.txt } }
        then:
          run: "tr -d '\\\\0' < ${in.i} | wc -c > ${out.o}; wc -c < ${in.i} >> ${out.o}"
          in: { i: "${sources.zeros}", after: "${stages.first.o}" }
          out: { o: 2.txt }
      """)
    #expect(try project.run("--jobs", "1") == ["first", "then"])
    #expect(try project.read("2.txt") == "0\n\(size * 5 / 6)\n")
  }

  @Test("the project's own folder 'in' is an input like any other")
  func folderNamedIn() throws {
    try project.write("in/x.txt", "1\n")
    try project.write(
      "lemma.yaml",
      "pipeline: p\nstages: { a: { run: 'cat ${in.d}/x.txt > ${out.o}', in: { d: in }, out: { o: o.txt } } }\n")
    #expect(try project.run() == ["a"])
    #expect(try project.read("o.txt") == "1\n")
  }

  @Test("a twin is held against its own expectations, not the other's")
  func expectations() throws {
    try project.write(
      "lemma.yaml",
      """
      pipeline: p
      stages:
        a: { run: 'sleep 0.2; seq 3 > ${out.o}', out: { o: a/o.txt } }
        b: { run: 'sleep 0.2; seq 3 > ${out.o}', out: { o: b/o.txt }, expect: { o: { bytes: 100 } } }
        c: { run: 'cat ${in.i} > ${out.o}', in: { i: "${stages.b.o}" }, out: { o: c.txt } }
      """)
    let output = try project.lemma("run", "--json", "--jobs", "2")
    let stages = try JSON(parsing: output.out.utf8, file: "run --json")["stages"]?.array ?? []
    #expect(stages.map { $0["outcome"] } == ["ran", "failed", "blocked"])
    #expect(output.status == 1 && output.error.contains("100"), "\(output.error)")
  }

  @Test("an input that twins share and that is found altered is made again")
  func alteredInput() throws {
    try project.write(
      "lemma.yaml",
      """
      pipeline: p
      stages:
        made: { run: 'head -c 100000 /dev/zero > ${out.o}', out: { o: made.bin } }
        a: { run: 'sleep 0.1; cksum < ${in.i} > ${out.o}', in: { i: "${stages.made.o}" }, out: { o: a/o.txt } }
        b: { run: 'sleep 0.1; cksum < ${in.i} > ${out.o}', in: { i: "${stages.made.o}" }, out: { o: b/o.txt } }
      """)
    try project.run("--only", "made")
    let object = try #require(
      try StoredObject.all(in: project.space.file("cache")).first { $0.size == 100_000 })
    try object.flip()
    try Files.remove(project.space.file("made.bin"))
    let ran = try project.run("--jobs", "2")
    #expect(ran.contains("made"))
    #expect(try project.read("a/o.txt") == project.read("b/o.txt"))
    #expect(try project.run() == [])
  }
}
