import Glibc
import LemmaBasics
import LemmaTestSupport
import Testing

@Suite("A store that others can write is not trusted")
struct PermissionTests {
  private func project() throws -> HostileProject {
    let project = HostileProject()
    try project.begin()
    return project
  }

  @Test("a store that others may write to is refused, with the way out", arguments: ["0777", "1777", "0702", "0770"])
  func writable(mode: String) throws {
    let project = try project()
    try project.shell("chmod \(mode) cache")
    for words in [["run", "good.yaml"], ["status", "good.yaml"], ["audit", "results/good/b.txt"]] {
      expectClear(try project.lemma(words), "\(words)", status: 3, tells: ["other users may write", "chmod 700"])
    }
    try project.shell("chmod 0700 cache")
    try project.expectUnharmed()
  }

  @Test("a store of somebody else is refused", .enabled(if: getuid() == 0, "needs root to give files away"))
  func foreign() throws {
    let project = try project()
    try project.shell("chown 12345 cache")
    expectClear(
      try project.lemma(["run", "good.yaml"]), "foreign", status: 3, tells: ["belongs to another user", "--store"])
    try project.shell("chown 0 cache")
    try project.expectUnharmed()
  }

  @Test("whatever the caller's mask, nobody else can enter the store", arguments: ["000", "022", "077"])
  func mask(_ mask: String) throws {
    let project = HostileProject()
    try project.write("lemma.yaml", "pipeline: p\nstages: { a: { run: 'echo 1 > ${out.o}', out: { o: o.txt } } }\n")
    #expect(try project.shell("umask \(mask); exec \"$@\"", [lemmaProgram, "run"]).status == 0)
    #expect(try project.shell("stat -c %a cache").out == "700\n")
  }
}
