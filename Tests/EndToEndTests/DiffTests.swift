import LemmaBasics
import LemmaTestSupport
import Testing

@Suite("diff: what two runs do not have alike")
struct DiffTests {
  private let project = Project()

  init() throws {
    try project.write("in.txt", "one\n")
    try project.write(
      "lemma.yaml",
      """
      pipeline: p
      params: { words: 3 }
      stages:
        made: { run: [sh, -c, 'seq $WORDS > ${out.o}'], env: { WORDS: "${params.words}" }, out: { o: made.txt } }
        count:
          run: 'wc -l < ${in.i} > ${out.o}; printf "{\\"lines\\": %s, \\"share\\": 0.5}" $(wc -l < ${in.i}) > ${out.metrics}'
          in: { i: "${stages.made.o}" }
          out: { o: count.txt, metrics: metrics.json }
        apart: { run: 'cat ${in.i} > ${out.o}; date +%N >> ${out.o}', in: { i: in.txt }, out: { o: apart.txt } }
      """)
    try project.run()
  }

  private func diff(_ words: String...) throws -> JSON {
    let output = try Command.run([Project.program, "diff", "--json"] + words, in: project.space.path)
    #expect(output.status == 0, "\(output.error)")
    return try JSON(parsing: output.out.utf8, file: "diff --json")
  }

  @Test("the field, the outputs and the numbers before and after; what is alike is left out")
  func changed() throws {
    try project.run("--param", "words=5")
    let found = try diff()
    #expect(found["from"]?["number"] == 1 && found["to"]?["number"] == 2)
    let stages = found["stages"]?.array ?? []
    #expect(stages.map { $0["stage"] } == ["made", "count"])
    #expect(stages.first?["action"]?.array?.map { $0["before"] } == ["3"])
    #expect(stages.first?["action"]?.array?.map { $0["after"] } == ["5"])
    #expect(stages.last?["outputs"]?.object?.keys.sorted() == ["metrics", "o"])
    #expect(found["metrics"]?.array == [["metric": "count.lines", "before": 3, "after": 5]])
    let text = try project.lemma("diff", "1", "latest").out
    #expect(text.contains("changed  made") && text.contains("count.lines       3      5      +2"), "\(text)")
  }

  @Test("the same given and something else made is pointed out")
  func unrepeated() throws {
    try project.run("--force", "apart")
    let stages = try diff()["stages"]?.array ?? []
    #expect(stages.map { $0["stage"] } == ["apart"])
    #expect(stages.first?["action"] == [])
    #expect(try project.lemma("diff").out.contains("given the same, it gave something else"))
    #expect(try diff("2", "2")["stages"] == [])
  }

  @Test("a stage that came and one that went; a run of another pipeline between the two is passed over")
  func stages() throws {
    try project.write("other.yaml", "pipeline: other\nstages: { x: { run: 'echo > ${out.o}', out: { o: x.txt } } }\n")
    try project.run("other.yaml")
    try project.edit("lemma.yaml", "  apart:", "  renamed:")
    try project.run()
    let found = try diff()
    #expect(found["from"]?["number"] == 1)
    #expect(found["stages"]?.array?.map { $0["stage"] } == ["renamed", "apart"])
    #expect(found["stages"]?.array?.map { $0["change"] } == ["new", "gone"])
  }

  @Test("without an earlier run, or with an unknown one, it says so")
  func nothing() throws {
    let alone = try project.lemma("diff")
    #expect(alone.status == 2 && alone.error.contains("no earlier run of the pipeline 'p'"), "\(alone)")
    let unknown = try project.lemma("diff", "no-such-run")
    #expect(unknown.status == 2 && unknown.error.contains("there is no run 'no-such-run'"), "\(unknown)")
  }
}
