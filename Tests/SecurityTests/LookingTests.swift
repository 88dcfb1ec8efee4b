import LemmaBasics
import LemmaTestSupport
import Testing

private let hasStrace = (try? Command.run(["strace", "-c", "true"], in: "/").status) == 0

@Suite("Commands that only look start nothing and change nothing")
struct LookingTests {
  static let commands = [
    ["check"], ["plan"], ["status"], ["graph"], ["why", "a"], ["log"], ["show"], ["show", "a"], ["audit", "a"],
    ["schema"], ["kinds", "sft"],
    ["check", "--json"], ["plan", "--json"], ["status", "--json"], ["show", "--json"], ["audit", "a", "--json"],
  ]

  private func project() throws -> HostileProject {
    let project = HostileProject()
    try project.shell("git init -q .")
    try project.write(
      "lemma.yaml",
      """
      pipeline: p
      stages:
        a: { run: 'echo 1 > ${out.o}', out: { o: results/a.txt } }
        b: { run: 'cat ${in.a} > ${out.o}', in: { a: "${stages.a.o}" }, out: { o: results/b.txt } }

      """)
    #expect(try project.lemma(["run"]).status == 0)
    // Something to do, so that looking has something to say.
    try project.write("lemma.yaml", try project.space.read("lemma.yaml").replacing("echo 1", with: "touch RAN; echo 2"))
    return project
  }

  @Test("no process is started", .enabled(if: hasStrace, "strace is not here or may not trace"))
  func processes() throws {
    let project = try project()
    for words in LookingTests.commands {
      let trace = [
        "strace", "-f", "-qq", "-o", "trace", "-e", "trace=execve,execveat,fork,vfork,clone,clone3", lemmaProgram,
      ]
      let output = try project.shell("exec \"$@\"", trace + words)
      #expect(output.status == 0, "\(words): \(output)")
      let calls = try project.space.read("trace").split(separator: "\n")
      #expect(calls.count { $0.contains(/^\d+ +execve/) } == 1, "\(words): \(calls)")
      // A thread is no process.
      let children = calls.filter { $0.contains(/^\d+ +(v?fork|clone3?)\(/) && !$0.contains("CLONE_THREAD") }
      #expect(children == [], "\(words)")
    }
    #expect(!project.exists("RAN"))
  }

  @Test("no file of the project is changed, not in the repository either")
  func files() throws {
    let project = try project()
    let list = "find . -path ./cache -prune -o -printf '%p %y %m %s %T@ %C@\\n' | grep -v '^./.git/objects ' | sort"
    let before = try project.shell(list).out
    for words in LookingTests.commands {
      #expect(try project.lemma(words).status == 0, "\(words)")
      #expect(try project.shell(list).out == before, "\(words)")
    }
  }

  @Test("without a store, looking back says so and makes none")
  func noStore() throws {
    let project = HostileProject()
    for words in [["log"], ["show"], ["audit", "a"]] {
      expectClear(try project.lemma(words), "\(words)", status: 2, tells: ["nothing has been run here yet"])
    }
    #expect(try Files.list(project.space.path) == [])
  }
}
