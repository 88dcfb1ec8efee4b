import Glibc
import LemmaBasics
import LemmaTestSupport
import Testing

/// words -> sort -> head (two sizes) -> count
private func makeProject() throws -> Project {
  let project = Project()
  try project.write("data/words.txt", "pear\napple\nfig\n")
  try project.write("data/other.txt", "unrelated\n")
  try project.write(
    "scripts/count.sh",
    "total=0\nfor f in \"$@\"; do total=$((total + $(wc -l < \"$f\"))); done\necho \"{\\\"lines\\\": $total}\"\n")
  try project.write(
    "lemma.yaml",
    """
    pipeline: demo
    params: { sizes: [1, 2], extra: "" }
    sources:
      words: { path: data/words.txt, license: MIT }
      other: { path: data/other.txt }
    stages:
      sort:
        run: [sort, "${in.words}", -o, "${out.sorted}"]
        in: { words: "${sources.words}" }
        out: { sorted: results/sorted.txt }
      head:
        matrix: { size: "${params.sizes}" }
        run: "head -n ${matrix.size} ${in.sorted} > ${out.top} ${params.extra}"
        in: { sorted: "${stages.sort.sorted}" }
        out: { top: "results/top-${matrix.size}.txt" }
      count:
        run: 'sh in/script.sh ${in.all} > ${out.metrics}'
        in: { all: "${stages.head.top}", script: "${stages.script.copy}" }
        out: { metrics: results/metrics.json }
      script:
        run: [cp, scripts/count.sh, "${out.copy}"]
        out: { copy: results/count.sh }
      aside:
        run: [cp, "${in.other}", "${out.copy}"]
        in: { other: "${sources.other}" }
        out: { copy: results/aside.txt }

    """)
  return project
}

@Suite("Rebuild only what changed, through the real command")
struct RebuildTests {
  @Test("the first run runs all, the second nothing, and says so")
  func secondRun() throws {
    let project = try makeProject()
    #expect(Set(try project.run()) == ["sort", "head[size=1]", "head[size=2]", "script", "count", "aside"])
    #expect(try project.read("results/metrics.json") == "{\"lines\": 3}\n")
    #expect(try project.run() == [])
    #expect(try project.lemma("run").error.contains("up to date: 6 stages unchanged"))
    #expect(try project.lemma("plan").out.contains("nothing to do"))
  }

  @Test("a touch, a comment, other white space, a moved project: nothing runs")
  func harmless() throws {
    let project = try makeProject()
    try project.run()
    utimensat(AT_FDCWD, project.space.file("data/words.txt"), nil, 0)
    #expect(try project.run() == [])
    try project.edit("lemma.yaml", "pipeline: demo", "# a comment\npipeline:   demo")
    #expect(try project.run() == [])
    let moved = TestSpace()
    for name in try Files.list(project.space.path) {
      #expect(rename(project.space.file(name), moved.file(name)) == 0)
    }
    let output = try Command.run([Project.program, "run"], in: moved.path)
    #expect(output.error.contains("up to date"), "\(output.error)")
  }

  @Test("a renamed stage, a moved source, a renamed output place: nothing runs")
  func renamed() throws {
    let project = try makeProject()
    try project.run()
    try project.edit("lemma.yaml", "  sort:", "  order:")
    try project.edit("lemma.yaml", "stages.sort.", "stages.order.")
    #expect(try project.run() == [])
    rename(project.space.file("data/words.txt"), project.space.file("data/list.txt"))
    try project.edit("lemma.yaml", "data/words.txt", "data/list.txt")
    #expect(try project.run() == [])
    try project.edit("lemma.yaml", "results/aside.txt", "results/elsewhere.txt")
    #expect(try project.run() == [])
    #expect(try project.read("results/elsewhere.txt") == "unrelated\n")
  }

  @Test("an edited source reruns what depends on it and stops where the bytes come out the same")
  func earlyCutoff() throws {
    let project = try makeProject()
    try project.run()
    try project.write("data/words.txt", "fig\npear\napple\n")
    #expect(try project.run() == ["sort"])
    try project.write("data/words.txt", "fig\npear\nbanana\n")
    #expect(try project.run() == ["sort", "head[size=1]", "head[size=2]", "count"])
    try project.write("data/words.txt", "fig\npear\napple\n")
    #expect(try project.run() == [], "results of before are still known")
    #expect(try project.read("results/top-1.txt") == "apple\n")
  }

  @Test("a changed parameter, script or command reruns its own stages only")
  func changedDeclaration() throws {
    let project = try makeProject()
    try project.run()
    #expect(try project.run("--param", "sizes=[1, 3]") == ["head[size=3]", "count"])
    try project.edit("scripts/count.sh", "total=0", "total=100")
    #expect(try project.run() == ["script", "count"])
    #expect(try project.read("results/metrics.json") == "{\"lines\": 103}\n")
    #expect(try project.lemma("why", "count").out.contains("last ran"))
  }

  @Test("a deleted or edited output comes back from the store without running")
  func restored() throws {
    let project = try makeProject()
    try project.run()
    unlink(project.space.file("results/top-1.txt"))
    try project.write("results/metrics.json", "{\"lines\": 1000}\n")
    let status = try project.lemma("status").out
    #expect(status.contains("results/top-1.txt") && status.contains("results/metrics.json"))
    #expect(try project.run() == [])
    #expect(try project.read("results/top-1.txt") == "apple\n")
    #expect(try project.read("results/metrics.json") == "{\"lines\": 3}\n")
  }

  @Test("why names the field and the file that changed")
  func why() throws {
    let project = try makeProject()
    try project.run()
    try project.write("data/words.txt", "fig\npear\nquince\n")
    let answer = try project.lemma("why", "sort").out
    #expect(answer.contains("input 'words'") && answer.contains("would run"))
    #expect(try project.lemma("why", "head").out.contains("it runs if the outputs of sort come out changed"))
    try project.run()
    let command = try project.lemma("why", "head[size=1]", "--param", "extra=x", "lemma.yaml")
    #expect(command.out.contains("command[2]"), "\(command)")
    let unknown = try project.lemma("why", "sord")
    #expect(unknown.status == 2 && unknown.error.contains("did you mean 'sort'?"))
  }

  @Test("what a person made is never replaced by an output")
  func personalFiles() throws {
    let project = Project()
    try project.write("notes.txt", "precious\n")
    try project.write("res/mine.txt", "mine\n")
    for place in ["notes.txt", "res"] {
      try project.write("lemma.yaml", "pipeline: p\nstages:\n  a: { run: 'mkdir -p ${out.x}', out: { x: \(place) } }\n")
      let output = try project.lemma("run")
      #expect(
        output.status == 1 && output.error.contains("'\(place)' stands where stage 'a' puts its output"),
        "\(output.error)")
    }
    #expect(try project.read("notes.txt") == "precious\n" && project.read("res/mine.txt") == "mine\n")
  }

  @Test("looking back makes no store, and a store above a repository is not its own")
  func noStray() throws {
    let project = Project()
    for command in [["log"], ["show"], ["audit", "x"]] {
      #expect(try Command.run([Project.program] + command, in: project.space.path).status == 2)
    }
    #expect(try Files.list(project.space.path) == [])
    try project.lemma("init")
    try Files.makeFolder(project.space.file("inner/.git"))
    try project.write(
      "inner/lemma.yaml", "pipeline: p\nstages:\n  a: { run: 'echo 1 > ${out.x}', out: { x: x.txt } }\n")
    _ = try Command.run(["git", "init", "-q", "."], in: project.space.file("inner"))
    #expect(try Command.run([Project.program, "run"], in: project.space.file("inner")).status == 0)
    #expect(Files.exists(project.space.file("inner/x.txt")) && Files.exists(project.space.file("inner/cache/format")))
  }

  @Test("a wide pipeline is recorded, and recorded again")
  func widePipeline() throws {
    let project = Project()
    let stages = (0..<400).map { "  s\($0): { run: 'echo \($0) > ${out.o}', out: { o: out/\($0).txt } }\n" }
    try project.write("lemma.yaml", "pipeline: wide\nstages:\n" + stages.joined())
    #expect(try project.run().count == 400)
    #expect(try project.run() == [])
    for _ in 0..<3 { #expect(try project.run("--force", "s7") == ["s7"]) }
    #expect(try project.lemma("log").out.split(separator: "\n").count == 4)
  }

  @Test("a failing stage keeps what is finished; mended, the run goes on from there")
  func failure() throws {
    let project = try makeProject()
    try project.edit("lemma.yaml", "cp, scripts/count.sh", "cp, scripts/count.sh, nowhere")
    let output = try project.lemma("run", "--jobs", "1")
    #expect(output.status == 1)
    #expect(output.error.contains("stage 'script': 'cp' exited with 1"), "\(output.error)")
    try project.edit("lemma.yaml", ", nowhere", "")
    let again = try project.run()
    #expect(again.contains("script") && !again.contains("sort"))
  }

  @Test("a command that ends well without its output has failed, and its log is shown")
  func missingOutput() throws {
    let project = Project()
    try project.write("lemma.yaml", "pipeline: p\nstages:\n  a:\n    run: 'echo nothing done'\n    out: { x: x.txt }\n")
    let output = try project.lemma("run")
    #expect(output.status == 1)
    #expect(output.error.contains("did not write its output 'x'") && output.error.contains("nothing done"))
  }

  @Test("an undeclared file is not there for the command")
  func undeclaredFile() throws {
    let project = Project()
    try project.write("secret.txt", "x")
    try project.write(
      "lemma.yaml", "pipeline: p\nstages:\n  a:\n    run: 'cat secret.txt > ${out.x}'\n    out: { x: x.txt }\n")
    let output = try project.lemma("run")
    #expect(output.status == 1 && output.error.contains("secret.txt"))
  }

  @Test("the environment of the caller does not reach a command; declared secrets do, and only there")
  func environment() throws {
    let project = Project()
    try project.write(
      "lemma.yaml",
      """
      pipeline: p
      stages:
        a:
          run: 'echo "$STRAY-$GIVEN-$${#TOKEN}" > ${out.x}'
          env: { GIVEN: yes please, TOKEN: "env:SECRET_TOKEN" }
          out: { x: x.txt }

      """)
    let output = try project.lemma("run", environment: ["STRAY": "stray", "SECRET_TOKEN": "canary-4711"])
    #expect(output.status == 0, "\(output.error)")
    #expect(try project.read("x.txt") == "-yes please-11\n")
    let found = try Command.run(["grep", "-rao", "canary-4711", "."], in: project.space.path)
    #expect(found.out == "")
    #expect(try project.lemma("run").error.contains("up to date"), "a known result needs no secret")
  }

  @Test("a secret that a command prints does not stay: not in the ledger, the store or the error")
  func printedSecret() throws {
    let project = Project()
    let text = """
      pipeline: p
      stages:
        a:
          run: 'echo "token $TOKEN"; test -e in/go && echo fine > ${out.x}'
          env: { TOKEN: "env:SECRET_TOKEN" }
          in: { go: "${sources.go}" }
          out: { x: x.txt }
      sources: { go: { path: go } }

      """
    try project.write("go/file", "")
    for run in [text, text.replacing("fine", with: "fine2").replacing("test -e", with: "! test -e")] {
      try project.write("lemma.yaml", run)
      let output = try project.lemma("run", environment: ["SECRET_TOKEN": "canary-4711"])
      #expect(!(output.out + output.error).contains("canary"))
    }
    #expect(try Command.run(["grep", "-rao", "canary-4711", "."], in: project.space.path).out == "")
    #expect(try Command.run(["grep", "-raoF", "token ***TOKEN***", "cache/packs"], in: project.space.path).out != "")
  }

  @Test("a tool that changes while a stage waits does not lend its result to the old one")
  func changedTool() throws {
    let project = Project()
    let tool = project.space.file("bin/tool")
    try project.write("bin/tool", "#!/bin/sh\necho one > $1\n")
    chmod(tool, 0o755)
    try project.write(
      "lemma.yaml",
      """
      pipeline: p
      sandbox: off
      stages:
        slow: { run: 'sleep 0.2; echo "echo two > \\$1" >> \(tool); echo > ${out.x}', out: { x: a.txt } }
        b: { run: ["\(tool)", "${out.x}"], out: { x: b.txt } }

      """)
    let output = try project.lemma("run", "--jobs", "1")
    #expect(output.status == 1 && output.error.contains("the program '\(tool)' changed"), "\(output.error)")
    #expect(try project.run() == ["b"])
    #expect(try project.read("b.txt") == "two\n")
  }

  @Test("an output that is a link, or would go through one into git or the store, is refused")
  func links() throws {
    let project = Project()
    try project.write(
      "lemma.yaml", "pipeline: p\nstages:\n  a: { run: 'ln -s /etc/hostname ${out.x}', out: { x: x.txt } }\n")
    #expect(try project.lemma("run").error.contains("is a symbolic link"))
    for target in [".git/hooks", "cache/objects", "/tmp"] {
      try Files.makeFolder("\(project.space.path)/.git/hooks")
      try Files.remove(project.space.file("out"))
      symlink(target, project.space.file("out"))
      try project.write(
        "lemma.yaml", "pipeline: p\nstages:\n  a: { run: 'echo 1 > ${out.x}', out: { x: out/pre-commit } }\n")
      let output = try project.lemma("run", "--store", project.space.file("cache"))
      #expect(output.status != 0 && !Files.exists(project.space.file("\(target)/pre-commit")), "\(target)")
    }
  }

  @Test("a word that names what another stage makes is refused, not read from an earlier run")
  func outputAsWord() throws {
    let project = Project()
    try project.write(
      "lemma.yaml",
      """
      pipeline: p
      stages:
        a: { run: 'echo new > ${out.x}', out: { x: results/a.txt } }
        b: { run: [cp, results/a.txt, "${out.x}"], out: { x: results/b.txt } }

      """)
    let output = try project.lemma("run")
    #expect(output.status == 1 && output.error.contains("give ${stages.a.x} under 'in:'"), "\(output.error)")
  }

  @Test("the caller's PATH and the number of jobs change no result")
  func pathAndJobs() throws {
    let project = Project()
    try project.write(
      "lemma.yaml",
      "pipeline: p\nstages:\n  a: { run: 'echo \"$PATH $OMP_NUM_THREADS\" > ${out.x}', out: { x: x.txt } }\n")
    _ = try project.lemma("run", "--jobs", "2", environment: ["PATH": "/nowhere:/usr/bin:/bin"])
    #expect(try project.read("x.txt") == "/bin:/usr/local/bin:/usr/bin 1\n")
  }

  @Test("odd labels, equal inputs and a store elsewhere are no obstacle")
  func oddPlaces() throws {
    let project = Project()
    try project.write("a.txt", "a\n")
    try project.write(
      "lemma.yaml",
      """
      pipeline: p
      stages:
        make: { matrix: { k: ["../../x", b] }, run: 'echo "${matrix.k}" > ${out.x}', out: { x: "results/${matrix.k}.txt" } }
      """.replacing("results/${matrix.k}.txt", with: "results/m.txt").replacing(
        "[\"../../x\", b]", with: "[\"../../x\"]")
          + """

            gather: { run: 'cat ${in.all} ${in.p} ${in.q} ./a.txt > ${out.x}', in: { all: ["${stages.make.x}", "${stages.make.x}"], p: a.txt, q: a.txt }, out: { x: results/all.txt } }

          """)
    let output = try project.lemma("run", "--store", "elsewhere")
    #expect(output.status == 0, "\(output.error)")
    #expect(try project.read("results/all.txt").hasSuffix("a\na\na\n"))
  }
}
