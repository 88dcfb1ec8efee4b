import Glibc
import LemmaBasics
import LemmaTestSupport
import Testing

/// Five stages in a row, each a moment of work.
private func makeChain() throws -> Project {
  let project = Project()
  try project.write("in.txt", "0\n")
  var text = "pipeline: chain\nstages:\n"
  for number in 1...5 {
    let input = number == 1 ? "in.txt" : "${stages.s\(number - 1).o}"
    text += """
        s\(number):
          run: 'sleep 0.1; cat ${in.i} > ${out.o}; echo \(number) >> ${out.o}; sleep 0.1'
          in: { i: "\(input)" }
          out: { o: results/\(number).txt }

      """
  }
  try project.write("lemma.yaml", text)
  return project
}

@Suite("Kills, interrupts and two runs at once")
struct CrashTests {
  @Test("kill -9 at any moment: finished stages are kept, the end is the same")
  func killedAnywhere() throws {
    let undisturbed = try makeChain()
    try undisturbed.run()
    let expected = try undisturbed.digests()
    var random = SeededGenerator(seed: 11)
    for attempt in 0..<6 {
      let project = try makeChain()
      let running = try project.start("run")
      usleep(UInt32.random(in: 10_000..<1_100_000, using: &random))
      running.send(SIGKILL)
      _ = try running.wait()
      let finished = try finishedStages(project)
      let again = try project.run()
      #expect(Set(again).isDisjoint(with: finished), "attempt \(attempt)")
      #expect(try project.digests() == expected, "attempt \(attempt)")
      #expect(try project.lemma("audit", "s5").status == 0)
    }
  }

  /// What the index knew right after the kill.
  private func finishedStages(_ project: Project) throws -> Set<String> {
    let plan = try JSON(parsing: project.lemma("plan", "--json").out.utf8, file: "plan")
    return Set(
      (plan.array ?? []).filter { ["current", "restore"].contains($0["verdict"]?.string) }.compactMap {
        $0["stage"]?.string
      })
  }

  @Test("Ctrl-C stops the command and what it started, keeps finished work, exits with 130")
  func interrupt() throws {
    let project = try makeChain()
    try project.edit(
      "lemma.yaml", "sleep 0.1; cat ${in.i} > ${out.o}; echo 3",
      "sleep 57.25 & sleep 57.25; cat ${in.i} > ${out.o}; echo 3")
    let running = try project.start("run")
    try project.wait(forFile: "results/2.txt")
    usleep(100_000)
    running.send(SIGINT)
    let output = try running.wait()
    #expect(output.status == 130)
    #expect(output.error.contains("stopping"))
    #expect(try Command.run(["pgrep", "-f", "sleep 57.25"], in: "/").out == "")
    #expect(try project.lemma("log").out.contains("interrupted"))
    try project.edit("lemma.yaml", "sleep 57.25 & sleep 57.25", "sleep 0.1")
    #expect(try project.run() == ["s3", "s4", "s5"])
  }

  @Test("after Ctrl-C nothing starts, though processors become free")
  func nothingStarts() throws {
    let project = Project()
    let stages = (1...6).map { "  s\($0): { run: 'sleep 58.\($0); echo > ${out.o}', out: { o: \($0).txt } }\n" }
    try project.write("lemma.yaml", "pipeline: p\nsandbox: off\nstages:\n\(stages.joined())")
    let running = try project.start("run", "--jobs", "2")
    try wait(for: "two stages at work") {
      try Command.run(["pgrep", "-f", "sleep 58[.]2"], in: "/").status == 0
    }
    running.send(SIGINT)
    let output = try running.wait()
    #expect(output.status == 130)
    #expect(output.error.split(separator: "\n").count { $0.hasPrefix("start") } == 2, "\(output.error)")
    let shown = try JSON(parsing: project.lemma("show", "--json").out.utf8, file: "show --json")
    let outcomes = (1...6).map { shown["outcomes"]?["s\($0)"]?["outcome"]?.string ?? "" }
    #expect(outcomes == ["cancelled", "cancelled", "blocked", "blocked", "blocked", "blocked"])
  }

  @Test("Ctrl-C on a terminal, where the progress is live, stops as cleanly")
  func interruptOnTerminal() throws {
    let project = try makeChain()
    try project.edit("lemma.yaml", "echo 3", "sleep 59.75; echo 3")
    // The project's name in the arguments, so that the signal finds this run and no other test's.
    let arguments = "run lemma.yaml --project \(project.space.path)"
    let command = "'\(Project.program)' \(arguments); echo ended with $?"
    let running = try Command.start(
      ["script", "-qec", command, "typescript"], in: project.space.path, environment: ["TERM": "xterm"])
    try project.wait(forFile: "results/2.txt")
    usleep(300_000)
    _ = try Command.run(["pkill", "-INT", "-f", "^\(Project.program) \(arguments)"], in: "/")
    _ = try running.wait()
    let screen = try project.read("typescript")
    #expect(screen.contains("ended with 130") && screen.contains("stopping"), "\(screen)")
    #expect(screen.contains("2 of 5 stages"), "the progress was live")
    #expect(try project.lemma("log").out.contains("interrupted"))
  }

  @Test("what a killed run left at work does not write into the next attempt")
  func orphan() throws {
    let project = Project()
    try project.write(
      "lemma.yaml",
      "pipeline: p\nstages:\n  a: { run: 'place=$PWD; sleep 1; echo x >> $place/${out.o}; sleep 1', out: { o: o.txt } }\n"
    )
    let running = try project.start("run")
    try project.waitForStage()
    running.send(SIGKILL)
    _ = try running.wait()
    #expect(try project.run() == ["a"])
    #expect(try project.read("o.txt") == "x\n")
  }

  @Test("a background child ends with its stage")
  func backgroundChild() throws {
    let project = Project()
    try project.write(
      "lemma.yaml",
      "pipeline: p\nstages:\n  a:\n    run: '(sleep 58.5; touch /tmp/x) & echo 1 > ${out.x}'\n    out: { x: x.txt }\n")
    try project.run()
    #expect(try Command.run(["pgrep", "-f", "sleep 58.5"], in: "/").out == "")
  }

  @Test("two runs at once: each action is executed once, both end well")
  func twoRuns() throws {
    let project = try makeChain()
    try project.edit("lemma.yaml", "pipeline: chain", "pipeline: chain\nsandbox: off")
    try project.edit(
      "lemma.yaml", "cat ${in.i} > ${out.o}; echo 1",
      "echo ran >> \(project.space.file("count")); cat ${in.i} > ${out.o}; echo 1")
    let first = try project.start("run")
    let second = try project.start("run")
    let outputs = [try first.wait(), try second.wait()]
    for output in outputs { #expect(output.status == 0, "\(output.error)") }
    #expect(try project.read("count") == "ran\n")
    #expect(try project.run() == [])
    #expect(try project.lemma("audit", "s5").status == 0)
  }

  @Test("a full disk: a clear error, nothing left over, and the run goes on when there is room")
  func fullDisk() throws {
    guard getuid() == 0 else { return }
    let project = Project()
    try project.write(
      "lemma.yaml",
      "pipeline: p\nstages:\n  a:\n    run: 'yes | head -c 3000000 > ${out.x}'\n    out: { x: x.bin }\n")
    let disk = TestSpace()
    guard try Command.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", disk.path], in: "/").status == 0 else {
      return
    }
    defer { _ = try? Command.run(["umount", disk.path], in: "/") }
    let output = try project.lemma("run", "--store", disk.file("cache"))
    #expect(output.status != 0 && output.error.contains("No space left"), "\(output.error)")
    #expect(try Command.run(["find", disk.file("cache/tmp"), "-type", "f"], in: "/").out == "")
    _ = try Command.run(["mount", "-o", "remount,size=64m", disk.path], in: "/")
    #expect(try project.lemma("run", "--store", disk.file("cache")).status == 0)
  }
}
