import Glibc
import LemmaBasics
import LemmaTestSupport
import Testing

@Suite("A repository's configuration and hooks run nothing")
struct GitTests {
  /// Shell commands that arm a repository; `CANARY` stands for a script that leaves a file behind.
  static let traps: [(name: String, script: String)] = [
    ("a file system monitor", "git config core.fsmonitor CANARY; git config core.useBuiltinFSMonitor true"),
    ("a folder of hooks", "mkdir h; for n in $HOOKS; do cp CANARY h/$n; done; git config core.hooksPath h"),
    ("hooks", "for n in $HOOKS; do cp CANARY .git/hooks/$n; done"),
    (
      "filters",
      "git config filter.x.clean CANARY; git config filter.x.smudge CANARY; git config filter.x.process CANARY; echo '* filter=x diff=x merge=x' > .gitattributes; cp .gitattributes .git/info/attributes"
    ),
    (
      "an external difference",
      "git config diff.external CANARY; git config diff.x.textconv CANARY; git config diff.x.command CANARY"
    ),
    (
      "ssh",
      "git config core.sshCommand CANARY; git config remote.origin.url ssh://localhost/x; git config core.gitProxy CANARY"
    ),
    (
      "a remote helper",
      "git config remote.origin.url 'ext::CANARY'; git config protocol.ext.allow always; git config url.'ext::CANARY'.insteadOf https://"
    ),
    (
      "signatures",
      "git config commit.gpgSign true; git config gpg.program CANARY; git config tag.gpgSign true; git config gpg.ssh.program CANARY"
    ),
    (
      "editor and pager",
      "git config core.editor CANARY; git config core.pager CANARY; git config sequence.editor CANARY; git config core.askPass CANARY"
    ),
    ("credentials", "git config credential.helper '!CANARY'; git config http.proxy http://127.0.0.1:9"),
    ("aliases", "git config alias.commit '!CANARY'; git config alias.log '!CANARY'"),
    (
      "an included file",
      "printf '[core]\\n fsmonitor = CANARY\\n hooksPath = h\\n' > evil; mkdir h; cp CANARY h/reference-transaction; git config include.path ../evil; git config includeIf.'gitdir:/'.path ../evil"
    ),
    ("alternates", "echo /dev/zero > .git/objects/info/alternates; git config core.alternateRefsCommand CANARY"),
    (
      "a partial clone",
      "git config extensions.partialClone origin; git config remote.origin.promisor true; git config remote.origin.url 'ext::CANARY'"
    ),
    ("another work tree", "git config core.worktree /; git config core.bare false"),
    (
      "submodules",
      "printf '[submodule \"x\"]\\n path = x\\n url = ext::CANARY\\n update = !CANARY\\n' > .gitmodules; git config submodule.x.update '!CANARY'"
    ),
    ("garbage", "head -c 4096 /dev/urandom > .git/config"),
    ("an endless configuration", "ln -sf /dev/zero .git/config"),
    (
      "a pointer elsewhere",
      "mkdir ../other; git init -q ../other; cp CANARY ../other/.git/hooks/reference-transaction; rm -rf .git; echo 'gitdir: ../other/.git' > .git"
    ),
    ("a pointer to nothing", "rm -rf .git; echo 'gitdir: ../nothing' > .git"),
    ("a pointer to itself", "rm -rf .git; echo 'gitdir: .git' > .git"),
    ("a pointer that is garbage", "rm -rf .git; head -c 100 /dev/urandom > .git"),
    ("a loop for a folder", "rm -rf .git; ln -s .git .git"),
    ("a format of the future", "git config core.repositoryFormatVersion 99"),
    ("an unknown extension", "git config core.repositoryFormatVersion 1; git config extensions.unheardOf true"),
    ("references elsewhere", "mkdir -p .git/refs; rm -rf .git/refs/lemma; ln -s /tmp .git/refs/lemma"),
    ("a reference that is garbage", "mkdir -p .git/refs/lemma; head -c 41 /dev/urandom > .git/refs/lemma/runs"),
    ("a reference to itself", "mkdir -p .git/refs/lemma; echo 'ref: refs/lemma/runs' > .git/refs/lemma/runs"),
    ("a head that is garbage", "head -c 41 /dev/urandom > .git/HEAD"),
    (
      "a pack that is garbage",
      "mkdir -p .git/objects/pack; head -c 4096 /dev/urandom > .git/objects/pack/pack-0000000000000000000000000000000000000000.pack; head -c 4096 /dev/urandom > .git/objects/pack/pack-0000000000000000000000000000000000000000.idx"
    ),
  ]

  private static let hooks = [
    "post-commit", "pre-commit", "prepare-commit-msg", "commit-msg", "reference-transaction", "post-checkout",
    "post-index-change", "pre-auto-gc",
    "post-rewrite", "fsmonitor-watchman", "post-update", "update", "pre-receive",
  ]

  @Test("hostile repositories", arguments: traps.indices)
  func hostile(index: Int) throws {
    let trap = GitTests.traps[index]
    let space = TestSpace()
    try Files.makeFolder(space.file("project"))
    let canary = try space.write("canary.sh", "#!/bin/sh\ntouch '\(space.file("CAUGHT"))'\nexit 0\n")
    chmod(canary, 0o755)
    let project = space.file("project")
    let script =
      "HOOKS='\(GitTests.hooks.joined(separator: " "))'; git init -q . && \(trap.script.replacing("CANARY", with: canary))"
    #expect(try Command.run(["bash", "-c", script], in: project).status == 0, "\(trap.name)")
    try space.write(
      "project/lemma.yaml",
      "pipeline: p\nstages: { a: { run: 'echo 1 > ${out.o}', in: { i: lemma.txt }, out: { o: results/o.txt } } }\n")
    try space.write("project/lemma.txt", "1\n")
    for words in [
      ["run"], ["run"], ["status"], ["log"], ["show"], ["audit", "results/o.txt"], ["why", "a"], ["plan", "--json"],
    ] {
      let limited = ["sh", "-c", "ulimit -t 20; ulimit -d 2000000; exec \"$@\"", "sh", lemmaProgram] + words
      let output = try Command.run(limited, in: project)
      #expect([0, 1, 2, 3].contains(output.status), "\(trap.name) \(words): \(output)")
      #expect(rawControls(output.out + output.error) == [], "\(trap.name) \(words): \(output)")
      if output.status != 0 { #expect(output.error.contains("error:"), "\(trap.name) \(words): \(output)") }
    }
    #expect(!Files.exists(space.file("CAUGHT")), "\(trap.name) ran something")
  }

  @Test(
    "a repository of somebody else is refused with the reason",
    .enabled(if: getuid() == 0, "needs root to give files away"))
  func foreign() throws {
    let project = HostileProject()
    try project.write("lemma.yaml", "pipeline: p\nstages: { a: { run: 'echo 1 > ${out.o}', out: { o: o.txt } } }\n")
    #expect(try project.shell("git init -q . && chown -R 12345 . .git").status == 0)
    let output = try project.lemma(["run"])
    expectClear(output, "foreign", status: 3, tells: ["belongs to another user"])
    #expect(!project.exists("o.txt"))
  }
}
