import LemmaBasics
import LemmaTestSupport
import Testing

private let hasScript = (try? Command.run(["script", "--version"], in: "/").status) == 0

@Suite("The commands of a project are shown and asked about before they run for the first time")
struct TrustPromptTests {
  /// A project and a person's own folder, which stays from run to run.
  private struct Person {
    let space = TestSpace()
    var home: String { space.file("home") }
    var project: String { space.file("project") }

    init(pipeline: String = Person.commands) throws {
      try Files.makeFolder(home)
      try space.write("project/lemma.yaml", pipeline)
    }

    static let commands = """
      pipeline: p
      stages:
        a: { run: 'echo 1 > ${out.o}', out: { o: results/a.txt } }
        b: { run: [cp, "${in.a}", "${out.o}"], in: { a: "${stages.a.o}" }, out: { o: results/b.txt } }

      """

    /// Gives the next run something to do.
    func change(_ number: Int) throws {
      try space.write("project/lemma.yaml", Person.commands.replacing("echo 1", with: "echo 1\(number)"))
    }

    func lemma(_ words: String..., in folder: String? = nil, environment: [String: String] = [:]) throws
      -> CommandOutput
    {
      try Command.run(
        [lemmaProgram] + words, in: folder ?? project,
        environment: ["HOME": home, "LEMMA_TRUST": ""].merging(environment) { $1 })
    }
  }

  private func expectRefused(_ output: CommandOutput, at place: SourceLocation = #_sourceLocation) {
    #expect(output.status == 2, "\(output)", sourceLocation: place)
    #expect(output.error.contains("are not trusted here") && output.error.contains("--trust"), sourceLocation: place)
  }

  @Test("without a terminal they are shown and refused, and nothing has run")
  func refused() throws {
    let person = try Person()
    let output = try person.lemma("run")
    expectRefused(output)
    #expect(output.error.contains("a: /bin/sh -ec echo 1 > ${out.o}"))
    #expect(output.error.contains("b: cp ${in.a} ${out.o}"))
    #expect(!Files.exists("\(person.project)/results"))
    let json = try person.lemma("run", "--json")
    #expect(try JSON(parsing: json.out.utf8, file: "run")["errors"]?.array?.first?["code"] == "untrusted")
    for command in ["check", "plan", "status", "graph"] { #expect(try person.lemma(command).status == 0) }
  }

  @Test("--trust is remembered for the folder, and outside of it")
  func remembered() throws {
    let person = try Person()
    #expect(try person.lemma("run", "--trust").status == 0)
    #expect(try person.lemma("run").status == 0)
    try person.change(2)
    #expect(try person.lemma("run").status == 0)
    let marks = try Command.run(["grep", "-rl", person.project, person.home], in: person.space.path)
    #expect(marks.out.contains("/home/.local/state/lemma/trusted/"))
    #expect(try Command.run(["grep", "-rlF", "trusted", person.project], in: "/").out == "")
  }

  @Test("another place keeps its own marks")
  func stateHome() throws {
    let person = try Person()
    let environment = ["XDG_STATE_HOME": person.space.file("state")]
    #expect(try person.lemma("run", "--trust", environment: environment).status == 0)
    try person.change(2)
    #expect(try person.lemma("run", environment: environment).status == 0)
    try person.change(3)
    expectRefused(try person.lemma("run"))
  }

  @Test("LEMMA_TRUST=1 holds for one command; any other value for none")
  func environment() throws {
    let person = try Person()
    expectRefused(try person.lemma("run", environment: ["LEMMA_TRUST": "0"]))
    expectRefused(try person.lemma("run", environment: ["LEMMA_TRUST": "yes"]))
    #expect(try person.lemma("run", environment: ["LEMMA_TRUST": "1"]).status == 0)
    try person.change(2)
    expectRefused(try person.lemma("run"))
  }

  @Test("where nothing would run, nothing is asked")
  func upToDate() throws {
    let person = try Person()
    #expect(try person.lemma("run", environment: ["LEMMA_TRUST": "1"]).status == 0)
    #expect(try person.lemma("run").error.contains("up to date"))
  }

  @Test("a pipeline of built-in kinds alone is never asked about")
  func builtins() throws {
    let person = try Person(pipeline: "pipeline: p\nstages: { s: { uses: seeds, with: { rows: 5 } } }\n")
    #expect(try person.lemma("run").status == 0)
  }

  @Test("what init wrote is trusted; what was there before is not")
  func initialised() throws {
    let person = try Person()
    let fresh = person.space.file("fresh")
    #expect(try person.lemma("init", fresh).status == 0)
    #expect(try person.lemma("run", in: fresh).status == 0)
    #expect(try person.lemma("init").status == 0)
    expectRefused(try person.lemma("run"))
  }

  @Test("another folder in the place of a trusted one is asked about")
  func replaced() throws {
    let person = try Person()
    #expect(try person.lemma("run", "--trust").status == 0)
    try person.change(2)
    #expect(try Command.run(["sh", "-c", "mv project old; cp -r old project"], in: person.space.path).status == 0)
    expectRefused(try person.lemma("run"))
    // Nor does the mark follow the folder to another place.
    expectRefused(try person.lemma("run", in: person.space.file("old")))
  }

  @Test("a mark that others could have written, or that the project brings along, counts for nothing")
  func forged() throws {
    let person = try Person()
    #expect(try person.lemma("run", "--trust").status == 0)
    let marks = "\(person.home)/.local/state/lemma/trusted"
    for (number, (forge, mend)) in [
      ("chmod 777 .", "chmod 700 ."), ("chmod 666 *", "chmod 600 *"),
      ("mv * ../m; ln -s ../m $(basename ../m)", "rm m; mv ../m $N"),
      ("for f in *; do cp $f ../m; echo '{}' > $f; done", "mv ../m $N"),
    ].enumerated() {
      try person.change(number)
      let name = try Files.list(marks)[0]
      let at = { (script: String) in try Command.run(["sh", "-c", "N=\(name); \(script)"], in: marks) }
      #expect(try at(forge).status == 0, "\(forge)")
      expectRefused(try person.lemma("run"))
      #expect(try at(mend).status == 0, "\(mend)")
      #expect(try person.lemma("run").status == 0, "\(mend)")
    }
    try person.change(9)
    let inside = ["XDG_STATE_HOME": "\(person.project)/state"]
    #expect(
      try Command.run(["cp", "-r", "\(person.home)/.local/state", "\(person.project)/state"], in: "/").status == 0)
    expectRefused(try person.lemma("run", environment: inside))
  }

  @Test("on a terminal the person is asked, and the answer is kept", .enabled(if: hasScript, "script(1) is not here"))
  func asked() throws {
    func answer(_ text: String, _ person: Person) throws -> CommandOutput {
      try Command.run(
        ["sh", "-c", "printf '%s\\n' '\(text)' | script -qefc '\"$PROGRAM\" run' /dev/null"], in: person.project,
        environment: ["HOME": person.home, "LEMMA_TRUST": "", "TERM": "dumb", "PROGRAM": lemmaProgram])
    }
    let question = "Run them, now and from now on?"
    let person = try Person()
    for text in ["n", "", "please"] {
      let output = try answer(text, person)
      #expect(output.status == 2 && output.out.contains(question), "'\(text)': \(output)")
      #expect(!Files.exists("\(person.project)/results"))
    }
    let yes = try answer("y", person)
    #expect(yes.status == 0 && yes.out.contains(question), "\(yes)")
    #expect(Files.exists("\(person.project)/results/b.txt"))
    let again = try answer("", person)
    #expect(again.status == 0 && !again.out.contains(question), "\(again)")
  }

  @Test("a command's text cannot drive the terminal that it is shown on")
  func hostileCommands() throws {
    let person = try Person(
      pipeline: "pipeline: p\nstages: { a: { run: [make, \"x\\u202Ey\\u009B31m\", \"a\\r\\nb: harmless\"] } }\n")
    let output = try person.lemma("run")
    expectRefused(output)
    #expect(rawControls(output.error) == [])
    #expect(!output.error.contains("\nb: harmless"))
  }
}
