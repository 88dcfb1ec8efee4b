import Glibc
import LemmaBasics
import LemmaHash
import LemmaStore
import LemmaTestSupport
import Testing

@Suite("No path leads out of the project")
struct PathTests {
  /// `OUTSIDE` stands for the absolute path of a folder beside the project, `\0` for what YAML makes of it.
  static let forms: [String] = [
    "..", "../", "../outside/secret.txt", "./../outside/secret.txt", "a/../../outside/secret.txt",
    "a/b/../../../outside/secret.txt", ".//..//outside/secret.txt", "results/../../outside/secret.txt",
    "../project/../outside/secret.txt", "OUTSIDE/secret.txt", "//OUTSIDE/secret.txt", "/./OUTSIDE/secret.txt",
    "/../OUTSIDE/secret.txt", "/proc/self/rootOUTSIDE/secret.txt", "/proc/self/cwd/../outside/secret.txt", "/dev/fd/0",
    "~/secret.txt", "~", "~root/secret.txt", "$HOME/secret.txt", "..\\\\outside\\\\secret.txt",
    "%2e%2e/outside/secret.txt", "..%2foutside%2fsecret.txt", "%252e%252e%252foutside", "%c0%ae%c0%ae/outside",
    "\u{2024}\u{2024}/outside/secret.txt", "\u{FF0E}\u{FF0E}/outside/secret.txt", "..\u{301}/outside/secret.txt",
    "..\u{2215}outside", "..\\0/outside/secret.txt", "secret.txt\\0.jsonl", "....//outside/secret.txt",
    ".../outside/secret.txt", ".. /outside/secret.txt", " ../outside/secret.txt", "..\\t/outside",
    "..;/outside/secret.txt",
    "file://OUTSIDE/secret.txt", ".git/config", ".git/hooks/post-commit", ".GIT/config", ".Git/hooks/x", ".git/",
    "sub/.git/config", "sub/../.git/config", "./.git//config", ".git\\0/config", "cache/format", "cache/index.sqlite",
    "./cache/objects/x", "cache//format", "a/../cache/format", "CACHE/format", "link/secret.txt", "link",
    "deep/link/secret.txt",
    "filelink", "deep/../link/secret.txt", "dangling", "dangling/x", "gitlink/config", "storelink/format",
    "rootlink/etc/hostname",
    "loop", "loop/x", "cwdlink/../outside/secret.txt", "", ".", "./", "a//b", "-rf", "--help",
    String(repeating: "d/", count: 100) + "x", String(repeating: "n", count: 300),
    String(repeating: "long/", count: 2000),
  ]

  /// How a path gets into a pipeline; `PATH` stands for it, in double quotes.
  static let entries: [(name: String, stages: String)] = [
    (
      "source",
      "sources: { s: { path: \"PATH\" } }\nstages:\n  a: { run: 'cat ${in.i} > ${out.o}', in: { i: \"${sources.s}\" }, out: { o: results/o.txt } }\n"
    ),
    ("in", "stages:\n  a: { run: 'cat ${in.i} > ${out.o}', in: { i: \"PATH\" }, out: { o: results/o.txt } }\n"),
    ("out", "stages:\n  a: { run: 'echo ESCAPED > ${out.o}', out: { o: \"PATH\" } }\n"),
    ("out folder", "stages:\n  a: { run: 'mkdir ${out.o}; echo ESCAPED > ${out.o}/config', out: { o: \"PATH\" } }\n"),
    (
      "word",
      "stages:\n  a: { run: [sh, -c, 'cat \"$1\" > \"$2\" || true', sh, \"PATH\", \"${out.o}\"], out: { o: results/o.txt } }\n"
    ),
  ]

  @Test("forms of paths as source, input, output and word", arguments: entries.indices)
  func places(index: Int) throws {
    let entry = PathTests.entries[index]
    let space = TestSpace()
    let project = "\(space.path)/project"
    try space.write("outside/secret.txt", "OUTSIDE-SECRET\n")
    try space.write("project/a/b/inside.txt", "inside\n")
    try space.write("project/good.yaml", "pipeline: g\nstages: { g: { run: 'true > ${out.o}', out: { o: g.txt } } }\n")
    let script = """
      git init -q .; mkdir deep sub; ln -s ../outside link; ln -s ../../outside deep/link
      ln -s ../outside/secret.txt filelink; ln -s ../outside/new.txt dangling; ln -s .git gitlink; ln -s cache storelink
      ln -s / rootlink; ln -s loop loop; ln -s . cwdlink; exec "$0" run good.yaml
      """
    #expect(try Command.run(["sh", "-ec", script, lemmaProgram], in: project).status == 0)
    let before = try repository(project)
    for form in PathTests.forms.map({ $0.replacing("OUTSIDE", with: "\(space.path)/outside") }) {
      try space.write("project/p.yaml", "pipeline: p\n" + entry.stages.replacing("PATH", with: form))
      let words = ["sh", "-c", "ulimit -t 20; exec \"$@\"", "sh", lemmaProgram, "run", "p.yaml"]
      let output = try Command.run(words, in: project)
      #expect([0, 1, 2, 3].contains(output.status), "\(form): \(output)")
      #expect(rawControls(output.out + output.error) == [])
      // Nothing is written elsewhere, in the repository or in the store.
      #expect(try Files.list(space.path) == ["outside", "project"], "\(form)")
      #expect(try Files.list("\(space.path)/outside") == ["secret.txt"], "\(form)")
      #expect(try space.read("outside/secret.txt") == "OUTSIDE-SECRET\n", "\(form)")
      #expect(try space.read("project/cache/format").hasPrefix("lemma store"), "\(form)")
      #expect(try repository(project) == before, "\(form)")
      try expectNothingRead(from: entry.name, form, output, space)
      try Files.remove("\(project)/results")
    }
  }

  /// What of a repository no run may touch: a run adds objects and its own reference.
  private func repository(_ project: String) throws -> [String] {
    let names = try Files.list("\(project)/.git").filter { !["objects", "refs", "logs", "packed-refs"].contains($0) }
    return try names + Files.list("\(project)/.git/hooks") + [Files.readText("\(project)/.git/config")]
  }

  /// Nothing is read from elsewhere unless a source says so. What a script of the pipeline opens for
  /// itself is the sandbox's matter: a word counts only if it became an input of the action.
  private func expectNothingRead(
    from entry: String, _ form: String, _ output: CommandOutput, _ space: TestSpace
  ) throws {
    let isSaid = form.hasPrefix("/") || form.split(separator: "/").first { $0 != "." } == ".."
    if output.status != 0 || entry == "source" && isSaid || entry.hasPrefix("out") { return }
    if entry == "word" {
      let record = try Command.run([lemmaProgram, "show", "a", "--json"], in: "\(space.path)/project").out
      #expect(try JSON(parsing: record.utf8, file: "show")["action"]?["files"] == [:], "\(form)")
    } else {
      #expect(!(try space.read("project/results/o.txt").contains("OUTSIDE-SECRET")), "\(form)")
    }
  }

  @Test("a manifest's entries stay in its folder, whatever their form", arguments: forms.indices)
  func manifests(index: Int) {
    let form = PathTests.forms[index].replacing("\\0", with: "\u{0}").replacing("\\\\", with: "\\")
    let digest = String(repeating: "0", count: 32) + " 0 " + String(repeating: "0", count: 64)
    for record in ["f \(digest) \(form)\u{0}", "x \(digest) \(form)\u{0}", "d \(form)\u{0}", "l \(form)\u{0}/etc\u{0}"]
    {
      guard let tree = try? Tree(parsing: Array("lemma tree 1\n\(record)".utf8)) else { continue }
      for entry in tree.entries {
        let parts = entry.path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
          .map { String(decoding: $0, as: UTF8.self) }
        #expect(parts.allSatisfy { !["", ".", ".."].contains($0) && !$0.utf8.contains(0) }, "\(record)")
        // Only the root's own members can stand without their folders.
        #expect(parts.count == 1, "\(record)")
      }
    }
  }

  @Test("a manifest that leads a later entry through a link is refused before anything is written")
  func linkedParents() throws {
    let space = TestSpace()
    try Files.makeFolder(space.file("outside"))
    let store = try Store(at: space.file("store"))
    let content = try store.put(Array("ESCAPED\n".utf8))
    let file = "\(content.digest.hex) \(content.size) \(content.seal.hex)"
    let manifests = [
      "l a\u{0}../outside\u{0}f \(file) a/x\u{0}", "d a\u{0}l a/b\u{0}../../outside\u{0}f \(file) a/b/x\u{0}",
      "l a\u{0}../outside\u{0}d a/x\u{0}", "l a\u{0}/\u{0}l a/b\u{0}/\u{0}", "f \(file) ../outside/x\u{0}",
      "d ..\u{0}d ../outside\u{0}f \(file) ../outside/x\u{0}", "f \(file) /x\u{0}",
      "d a\u{0}d a\u{0}f \(file) a/x\u{0}",
      "d a\u{0}l a\u{0}../outside\u{0}f \(file) a/x\u{0}", "f \(file) a\u{0}f \(file) a/x\u{0}",
    ]
    for manifest in manifests {
      let tree = try store.put(Array("lemma tree 1\n\(manifest)".utf8))
      #expect(throws: Failure.self, "\(manifest)") {
        try store.materialise(Artifact(kind: .folder, identity: tree), at: space.file("target"))
      }
      #expect(!Files.exists(space.file("target")), "\(manifest)")
    }
    #expect(try Files.list(space.file("outside")) == [])
  }

  /// Records after the header that make no manifest.
  static let malformed: [String] = [
    "", "f", "f ", "f x\u{0}", "q a\u{0}", "d a", "d \u{0}", "dd a\u{0}", " a\u{0}", "\u{0}", "\u{0}\u{0}", "l a\u{0}",
    "l a\u{0}b",
    "f 0 0 0 a\u{0}", "f \(String(repeating: "0", count: 32)) 0 \(String(repeating: "0", count: 63)) a\u{0}",
    "f \(String(repeating: "g", count: 32)) 0 \(String(repeating: "0", count: 64)) a\u{0}",
    "f \(String(repeating: "A", count: 32)) 0 \(String(repeating: "0", count: 64)) a\u{0}",
    "f \(String(repeating: "0", count: 32)) -1 \(String(repeating: "0", count: 64)) a\u{0}",
    "f \(String(repeating: "0", count: 32)) 99999999999999999999 \(String(repeating: "0", count: 64)) a\u{0}",
    "f \(String(repeating: "0", count: 32)) 1e3 \(String(repeating: "0", count: 64)) a\u{0}",
    "f \(String(repeating: "0", count: 32)) 0 \(String(repeating: "0", count: 64)) \u{0}",
    "f \(String(repeating: "0", count: 32))  0 \(String(repeating: "0", count: 64)) a\u{0}",
    "d b\u{0}d a\u{0}", "d a\u{0}d a\u{0}", "d a/b\u{0}", "d a\u{0}d a/b/c\u{0}", "f\u{0}", "d a\u{0}x", "d a\u{0}\n",
  ]

  @Test("what is no manifest is refused", arguments: malformed.dropFirst())
  func refused(_ records: String) {
    #expect(throws: Failure.self) { try Tree(parsing: Array("lemma tree 1\n\(records)".utf8)) }
  }

  @Test(
    "what has not a manifest's beginning is refused",
    arguments: ["", "lemma tree", "lemma tree 2\n", "lemma tree 1", "\u{0}"])
  func foreign(_ text: String) {
    #expect(throws: Failure.self) { try Tree(parsing: Array(text.utf8)) }
  }
}
