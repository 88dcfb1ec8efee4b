import Glibc
import LemmaBasics
import LemmaTestSupport
import Testing

/// The whole recipe at a size that trains in a moment. Seeds are a source here, so that one can be edited.
private func makeProject() throws -> Project {
  let project = Project()
  try project.write(
    "seeds.yaml",
    "pipeline: seeds\nstages:\n  seeds:\n    uses: seeds\n    with: { rows: 60, seed: 3 }\n    out: { rows: seeds.jsonl }\n"
  )
  try project.run("seeds.yaml")
  try project.write(
    "lemma.yaml",
    """
    pipeline: recipe
    params: { rate: 0.002, sizes: [40, 80] }
    sources: { seeds: { path: seeds.jsonl, license: CC0-1.0 } }
    stages:
      normal:
        uses: synthesize
        in: { seeds: "${sources.seeds}" }
        with: { rows: 150, maximum: 30, seed: 3 }
      split:
        uses: split
        in: { rows: "${stages.normal.rows}" }
        with: { heldout: 20, seed: 3 }
      clean:
        uses: decontaminate
        in: { rows: "${stages.split.train}", tests: "${stages.split.heldout}" }
        with: { n: 30 }
      tokenizer:
        uses: tokenizer
        in: { rows: "${stages.clean.rows}" }
        with: { vocab_size: 400 }
      subset:
        matrix: { size: "${params.sizes}" }
        uses: subset
        in: { rows: "${stages.clean.rows}" }
        with: { take: "${matrix.size}" }
      train:
        matrix: { size: "${params.sizes}" }
        uses: sft
        in: { rows: "${stages.subset.rows}", tokenizer: "${stages.tokenizer.tokenizer}" }
        with:
          model: { hidden_size: 32, intermediate_size: 64, num_hidden_layers: 1, num_attention_heads: 2, num_key_value_heads: 1 }
          learning_rate: "${params.rate}"
          epochs: 1
          batch_size: 4
          context_length: 160
        resources: { cpus: 2 }
      hard:
        uses: sft
        in: { rows: "${stages.clean.rows}", parent: "${stages.train.model}" }
        matrix: { size: [40] }
        with: { steps: 3, batch_size: 2, context_length: 160 }
      evaluate:
        matrix: { size: "${params.sizes}" }
        uses: evaluate
        in: { model: "${stages.train.model}", rows: "${stages.split.heldout}" }
        with: { max_new_tokens: 12 }
      report:
        uses: report
        in: { results: "${stages.evaluate.metrics}" }

    """)
  return project
}

@Suite("The recipe, end to end: synthesis, training, evaluation, report")
struct RecipeTests {
  @Test("every row reaches its seed, every number its rows; a second run does nothing")
  func wholeRecipe() throws {
    let project = try makeProject()
    #expect(try project.run().count == 12)
    #expect(try project.run() == [])
    let audit = try project.lemma("audit", "results/report/report.html")
    #expect(audit.status == 0, "\(audit.out)")
    for stage in ["report", "evaluate[size=80]", "train[size=80]", "subset[size=80]", "split", "normal"] {
      #expect(audit.out.contains("\n\(stage)  ("), "\(stage)")
    }
    #expect(audit.out.contains("source seeds"))
    #expect(audit.out.contains("evaluate[size=80].items: ") && audit.out.contains("every parent found"))
    let page = try project.read("results/report/report.html")
    for output in ["results/evaluate/size=80/metrics.json", "seeds.jsonl"] {
      let sum = try Command.run(["sha256sum", output], in: project.space.path).out.prefix(64)
      #expect(page.contains(sum), "\(output)")
    }
    // Larger subsets contain the smaller ones.
    let small = Set(try project.read("results/subset/size=40/rows.jsonl").split(separator: "\n"))
    let large = try project.read("results/subset/size=80/rows.jsonl").split(separator: "\n")
    #expect(small.count == 40 && small.isSubset(of: large))
  }

  @Test("a changed learning rate reruns training, evaluation and report only")
  func learningRate() throws {
    let project = try makeProject()
    try project.run()
    let again = try project.run("--param", "rate=0.003")
    #expect(
      Set(again) == [
        "train[size=40]", "train[size=80]", "hard[size=40]", "evaluate[size=40]", "evaluate[size=80]", "report",
      ])
    let why = try project.lemma("why", "train[size=40]", "--param", "rate=0.004", "lemma.yaml").out
    #expect(why.contains("with.learning_rate: 0.003 -> 0.004"), "\(why)")
  }

  @Test("one changed seed row reruns what depends on it, and why names the line")
  func changedSeed() throws {
    let project = try makeProject()
    try project.run()
    var lines = try project.read("seeds.jsonl").split(separator: "\n")
    lines.remove(at: 17)
    try project.write("seeds.jsonl", lines.joined(separator: "\n") + "\n")
    let why = try project.lemma("why", "normal").out
    #expect(why.contains("input 'seeds'"), "\(why)")
    #expect(try project.run().contains("normal"))
    #expect(try project.lemma("audit", "report").status == 0)
  }

  @Test("wrong data is told by the person's own file, line and column, never by the store's")
  func wrongData() throws {
    let project = try makeProject()
    let good = try project.read("seeds.jsonl")
    for (text, told) in [
      (good + "{\"broken", "seeds.jsonl:61:9: not valid JSON"),
      (good.replacing("\"problem\"", with: "\"Problem\""), "seeds.jsonl:1"),
      ("", "lemma.yaml:5:3: none of the 0 seeds can be used"),
    ] {
      try project.write("seeds.jsonl", text)
      let output = try project.lemma("run")
      #expect(output.status == 1 && output.error.contains(told) && !output.error.contains("cache/"), "\(output.error)")
    }
    try project.write("seeds.jsonl", good.replacing("\n", with: "\r\n"))
    #expect(try project.run().contains("normal"), "CRLF is read")
    try Files.remove(project.space.file("seeds.jsonl"))
    #expect(try project.lemma("run").error.contains("lemma.yaml:3:12: source 'seeds': there is no 'seeds.jsonl'"))
    try Files.makeFolder(project.space.file("seeds.jsonl"))
    #expect(try project.lemma("run").error.contains("must be a file, and seeds.jsonl is a folder"))
  }

  @Test("the same bytes with one processor and with two")
  func threads() throws {
    let one = try makeProject()
    try one.run("--jobs", "1")
    let two = try makeProject()
    try two.run("--jobs", "2")
    #expect(try one.digests() == two.digests())
  }

  @Test("a damaged checkpoint is named by audit and trained again, to the same bits")
  func damagedCheckpoint() throws {
    let project = try makeProject()
    try project.run()
    let expected = try project.digests()
    let weights = try Digests.object(of: "results/train/size=80/model/model.safetensors", in: project)
    try Digests.flip(weights, in: project)
    let audit = try project.lemma("audit", "evaluate[size=80].accuracy")
    #expect(audit.status == 1 && audit.out.contains("model.safetensors"), "\(audit.out)")
    try Files.remove(project.space.file("results/train/size=80/model"))
    #expect(try project.run() == ["train[size=80]"])
    #expect(try project.digests() == expected)
  }

  @Test("Ctrl-C in the middle of a training stops it; the next run ends the same")
  func interruptedTraining() throws {
    let project = try makeProject()
    try project.edit("lemma.yaml", "epochs: 1", "steps: 400")
    let running = try project.start("run")
    try project.wait(forFile: "results/tokenizer/tokenizer.json")
    usleep(300_000)
    running.send(SIGINT)
    #expect(try running.wait().status == 130)
    try project.edit("lemma.yaml", "steps: 400", "epochs: 1")
    let again = try project.run()
    #expect(!again.contains("normal") && !again.contains("tokenizer"))
    let undisturbed = try makeProject()
    try undisturbed.run()
    #expect(try project.digests() == undisturbed.digests())
  }
}

/// Finding and damaging the store's objects.
enum Digests {
  /// The object, relative to the project, with the bytes of a workspace file.
  static func object(of path: String, in project: Project) throws -> String {
    let seal = try Command.run(["sha256sum", path], in: project.space.path).out.prefix(16)
    let found = try Command.run(["find", "cache/objects", "-name", "*-\(seal)"], in: project.space.path).out
    return String(try #require(found.split(separator: "\n").first))
  }

  /// Flips a bit in the middle of a file.
  static func flip(_ path: String, in project: Project) throws {
    let place = project.space.file(path)
    chmod(place, 0o644)
    let descriptor = open(place, O_RDWR)
    defer { close(descriptor) }
    var byte: UInt8 = 0
    let size = lseek(descriptor, 0, SEEK_END)
    pread(descriptor, &byte, 1, size / 2)
    byte ^= 1
    pwrite(descriptor, &byte, 1, size / 2)
  }
}
