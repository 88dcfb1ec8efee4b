import LemmaBasics
import LemmaTestSupport
import Testing

@Suite("The command line: help, exit codes, JSON, first steps")
struct CommandLineTests {
  static let commands = [
    "init", "check", "plan", "run", "status", "why", "log", "show", "diff", "tag", "audit", "reproduce", "verify",
    "doctor", "gc", "graph", "kinds", "schema",
  ]

  @Test("every command has help with examples", arguments: commands)
  func help(command: String) throws {
    let output = try Project().lemma(command, "--help")
    #expect(output.status == 0)
    #expect(output.out.contains("EXAMPLES") && output.out.contains("lemma \(command)"))
  }

  @Test("the list of commands is complete, and the exit codes are told")
  func overview() throws {
    let help = try Project().lemma("--help").out
    for command in CommandLineTests.commands { #expect(help.contains("\n  \(command) ")) }
    #expect(help.contains("EXIT CODES"))
  }

  @Test(
    "completion scripts are made for the usual shells, and bash accepts its own", arguments: ["bash", "zsh", "fish"])
  func completion(shell: String) throws {
    let project = Project()
    let script = try project.lemma("--generate-completion-script", shell).out
    #expect(script.contains("audit"))
    if shell == "bash" {
      try project.write("completion", script)
      #expect(try Command.run(["bash", "-n", "completion"], in: project.space.path).status == 0)
    }
  }

  @Test("init begins a project that runs at once, and changes nothing that is there")
  func firstSteps() throws {
    let project = Project()
    #expect(try project.lemma("init").status == 0)
    #expect(try project.lemma("check").out.contains("well formed"))
    #expect(try project.lemma("plan").out.contains("new here"))
    #expect(try project.run().count == 3)
    #expect(try project.read("results/count.txt") == "1000\n")
    try project.write("lemma.yaml", "# mine\n" + project.read("lemma.yaml"))
    #expect(try project.lemma("init").out.contains("kept"))
    #expect(try project.read("lemma.yaml").hasPrefix("# mine\n"))
    #expect(try project.run() == [])
  }

  @Test("from a sub-folder the project's pipeline is run, and its report is found")
  func subfolder() throws {
    let project = Project()
    try project.lemma("init")
    try Files.makeFolder(project.space.file("deep/er"))
    let run = try Command.run([Project.program, "run"], in: project.space.file("deep/er"))
    #expect(run.status == 0, "\(run.error)")
    #expect(Files.exists(project.space.file("results/count.txt")))
    let audit = try Command.run([Project.program, "audit", "results/count.txt"], in: project.space.file("deep/er"))
    #expect(audit.status == 0, "\(audit)")
    #expect(try project.lemma("show", "seeds.rows").out.contains("output   rows"))
  }

  @Test("what programs read is JSON", arguments: ["check", "plan", "status", "log", "show", "run", "graph", "schema"])
  func json(command: String) throws {
    let project = Project()
    try project.lemma("init")
    try project.run()
    let words =
      command == "graph" ? ["graph", "--format", "json"] : command == "schema" ? ["schema"] : [command, "--json"]
    let output = try Command.run([Project.program] + words, in: project.space.path)
    #expect(output.status == 0)
    #expect(throws: Never.self) { try JSON(parsing: output.out.utf8, file: command) }
  }

  @Test("graphs for other tools")
  func graph() throws {
    let project = Project()
    try project.lemma("init")
    #expect(try project.lemma("graph", "--format", "dot").out.contains("\"seeds\" -> \"normal\";"))
    #expect(try project.lemma("graph", "--format", "mermaid").out.contains("n0 --> n1"))
    #expect(try project.lemma("graph").out.contains("normal  synthesize  <- seeds.rows"))
  }

  @Test("exit codes: 64 for arguments, 2 for the pipeline, 1 for a failed stage")
  func exitCodes() throws {
    let project = Project()
    #expect(try project.lemma("rum").status == 64)
    #expect(try project.lemma("run", "--jobs", "0").status == 64)
    let missing = try project.lemma("run")
    #expect(missing.status == 2 && missing.error.contains("lemma init"))
    try project.write("lemma.yaml", "pipeline: p\nstages:\n  a: { usse: seeds }\n")
    let wrong = try project.lemma("run")
    #expect(wrong.status == 2)
    #expect(wrong.error.contains("lemma.yaml:3:8: unknown key 'usse'") && wrong.error.contains("'uses'"))
    try project.write("lemma.yaml", "pipeline: p\nstages:\n  a: { run: [\"false\"], out: { o: o.txt } }\n")
    #expect(try project.lemma("run").status == 1)
  }

  @Test("a name from outside cannot drive the terminal")
  func terminalEscapes() throws {
    let project = Project()
    try project.write(
      "lemma.yaml", "pipeline: p\nstages:\n  a: { run: 'printf \"\\033[31mred\\a\"; exit 3', out: { o: o.txt } }\n")
    let output = try project.lemma("run")
    #expect(output.error.contains("\\u{1b}[31mred\\u{7}"))
    #expect(!output.error.contains("\u{1B}"))
  }

  @Test("commands that only look start no process and write no file of the workspace")
  func readOnly() throws {
    let project = Project()
    try project.write(
      "lemma.yaml", "pipeline: p\nstages:\n  a: { run: 'touch \(project.space.file("ran"))', out: { o: o.txt } }\n")
    for command in ["check", "plan", "status", "graph"] {
      #expect(try project.lemma(command).status == 0, "\(command)")
    }
    #expect(!Files.exists(project.space.file("ran")))
    #expect(try Files.list(project.space.path).filter { $0 != "cache" } == ["lemma.yaml"])
  }
}
