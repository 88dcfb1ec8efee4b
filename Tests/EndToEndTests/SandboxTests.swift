import Glibc
import LemmaBasics
import LemmaTestSupport
import Testing

/// Whether a sandbox works on this machine: without one its tests are skipped, and say so.
private func works(_ mode: String) -> Bool {
  let project = Project()
  do {
    try project.write("lemma.yaml", "pipeline: p\nstages: { a: { run: 'true > ${out.o}', out: { o: o.txt } } }\n")
    return try project.lemma("run", "--sandbox", mode).status == 0
  } catch { return false }
}

private let modes = ["strict", "landlock"].filter(works)

/// A project with one command.
private func project(_ script: String, _ more: String = "", outputs: String = "{ o: o.txt }") throws -> Project {
  let project = Project()
  try project.write("secret.txt", "undeclared\n")
  try project.write("in.txt", "declared\n")
  try project.write(
    "lemma.yaml", "pipeline: p\nstages:\n  a:\n    run: '\(script)'\n    out: \(outputs)\n\(more)")
  return project
}

@Suite("Stages are kept to their declared inputs", .enabled(if: !modes.isEmpty, "no sandbox works here"))
struct SandboxTests {
  @Test("an undeclared file is refused, and the error says how to declare it", arguments: modes)
  func undeclared(mode: String) throws {
    let project = try project("true")
    let path = project.space.file("secret.txt")
    try project.edit("lemma.yaml", "'true'", "'cat \(path) > ${out.o}'")
    #expect(try project.lemma("run", "--sandbox", "off").status == 0)
    try project.edit("lemma.yaml", "> ${out.o}", ">${out.o}")
    let output = try project.lemma("run", "--sandbox", mode)
    #expect(output.status == 1)
    #expect(output.error.contains("'\(path)' must stand in 'in:'"), "\(output.error)")
    #expect(output.error.contains("lemma run --trace a"))
  }

  @Test("declared inputs, files and folders, are read under every mode", arguments: modes + ["off"])
  func declared(mode: String) throws {
    let project = try project(
      "cat ${in.i} ${in.f}/x > ${out.o}; cat in.txt >> ${out.o}; ls /usr/bin > /dev/null; mktemp > /dev/null",
      "    in: { i: in.txt, f: folder }\n")
    try project.write("folder/x", "x\n")
    let output = try project.lemma("run", "--sandbox", mode)
    #expect(output.status == 0, "\(output.error)")
    #expect(try project.read("o.txt") == "declared\nx\ndeclared\n")
  }

  @Test("a large input stands in the sandbox without being copied, and cannot be written", arguments: modes)
  func large(mode: String) throws {
    let project = try project(
      "head -c 3 ${in.i} > ${out.o}; ! (echo x > ${in.i}) 2> /dev/null", "    in: { i: large.bin }\n")
    try project.write("large.bin", String(repeating: "large", count: 1 << 20))
    let output = try project.lemma("run", "--sandbox", mode)
    #expect(output.status == 0, "\(output.error)")
    #expect(try project.read("o.txt") == "lar")
    #expect(try project.read("large.bin").utf8.count == 5 << 20)
  }

  @Test("nothing is written but outputs and temporary files", arguments: modes)
  func writing(mode: String) throws {
    let outside = TestSpace()
    for script in ["echo x > ${in.i}", "echo x > scratch", "echo x > \(outside.file("x"))", "echo x > /usr/x"] {
      let project = try project("\(script); echo > ${out.o}", "    in: { i: in.txt }\n")
      #expect(try project.lemma("run", "--sandbox", mode).status == 1, "\(script)")
      #expect(!Files.exists(outside.file("x")) && !Files.exists("/usr/x"))
      #expect(try project.read("in.txt") == "declared\n")
    }
    let project = try project("echo x > $TMPDIR/x; echo y > $HOME/y; cat $TMPDIR/x > ${out.o}")
    #expect(try project.lemma("run", "--sandbox", mode).status == 0)
  }

  @Test("there is no network unless it is declared, and then it is another action", arguments: modes)
  func network(mode: String) throws {
    let project = Project()
    // Under 'strict' there is nothing but a loopback of its own; under 'landlock' there are no sockets.
    try project.write(
      "lemma.yaml",
      """
      pipeline: p
      stages:
        a:
          run: |
            python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(("192.0.2.1", 9))'
            echo > ${out.o}
          out: { o: o.txt }

      """)
    #expect(try project.lemma("run", "--sandbox", mode).status == 1)
    #expect(try project.run("--sandbox", "off") == ["a"])
    try project.edit("lemma.yaml", "    out:", "    network: true\n    out:")
    #expect(try project.run("--sandbox", mode) == ["a"])
  }

  @Test("a mode that another one stands in for reruns nothing", arguments: modes)
  func sameAction(mode: String) throws {
    let project = try project("echo 1 > ${out.o}")
    #expect(try project.run("--sandbox", mode) == ["a"])
    #expect(try project.run("--sandbox", "off") == [])
    try project.edit("lemma.yaml", "pipeline: p", "pipeline: p\nsandbox: off")
    #expect(try project.run() == [])
  }

  @Test("built-in kinds run under the same rules and give the same bytes")
  func builtin() throws {
    var digests: Set<String> = []
    for mode in modes + ["off"] {
      let project = Project()
      try project.write(
        "lemma.yaml",
        """
        pipeline: p
        sandbox: \(mode)
        stages:
          seeds: { uses: seeds, with: { rows: 300 } }
          split: { uses: split, in: { rows: ${stages.seeds.rows} }, with: { heldout: 20 } }

        """)
      #expect(try project.run() == ["seeds", "split"])
      digests.insert("\(try project.digests().sorted { $0.key < $1.key })")
    }
    #expect(digests.count == 1)
  }

  @Test("a mode that is asked for and does not work is an error; auto takes the next one")
  func unavailable() throws {
    let project = try project("echo 1 > ${out.o}")
    let path = TestSpace()
    for tool in ["git"] { symlink("/usr/bin/\(tool)", path.file(tool)) }
    let environment = ["PATH": path.path]
    let output = try project.lemma("run", "--sandbox", "strict", environment: environment)
    #expect(output.status == 1)
    #expect(
      output.error.contains("'sandbox: strict' does not work here: bubblewrap is not installed"), "\(output.error)")
    #expect(try project.lemma("run", environment: environment).status == 0)
    let wrong = try project.lemma("run", environment: ["LEMMA_SANDBOX": "tight"])
    #expect(wrong.status == 2 && wrong.error.contains("LEMMA_SANDBOX is 'tight'"), "\(wrong.error)")
  }

  @Test("as an ordinary user too", .enabled(if: getuid() == 0, "needs root to become one"), arguments: modes)
  func ordinaryUser(mode: String) throws {
    let project = try project("cat ${in.i} > ${out.o}; id -u >> ${out.o}", "    in: { i: in.txt }\n")
    let program = project.space.file("lemma")
    _ = try Command.run(["cp", Project.program, program], in: "/")
    _ = try Command.run(["chown", "-R", "65534:65534", project.space.path], in: "/")
    let output = try Command.run(
      [
        "setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", program, "run", "--trust", "--sandbox",
        mode,
      ], in: project.space.path, environment: ["HOME": project.space.path])
    #expect(output.status == 0, "\(output.error)")
    #expect(try project.read("o.txt") == "declared\n65534\n")
  }
}
