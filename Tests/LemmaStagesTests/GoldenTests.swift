import LemmaBasics
import LemmaEngine
import LemmaHash
import LemmaPipeline
import LemmaStages
import LemmaTestSupport
import Testing

/// A recipe small enough for a test, through every built-in kind that has no file from outside.
private let recipe = """
  pipeline: golden
  stages:
    seeds: { uses: seeds, with: { rows: 40, seed: 5 } }
    normal: { uses: synthesize, in: { seeds: "${stages.seeds.rows}" }, with: { rows: 90, maximum: 30, seed: 5 } }
    split: { uses: split, in: { rows: "${stages.normal.rows}" }, with: { heldout: 12, seed: 5 } }
    clean: { uses: decontaminate, in: { rows: "${stages.split.train}", tests: "${stages.split.heldout}" }, with: { n: 8 } }
    tokenizer: { uses: tokenizer, in: { rows: "${stages.clean.rows}" }, with: { vocab_size: 330 } }
    subset: { uses: subset, in: { rows: "${stages.clean.rows}" }, with: { take: 30, seed: 5 } }
    train:
      uses: sft
      in: { rows: "${stages.subset.rows}", tokenizer: "${stages.tokenizer.tokenizer}" }
      with:
        model: { hidden_size: 32, intermediate_size: 48, num_hidden_layers: 1, num_attention_heads: 2, num_key_value_heads: 1 }
        steps: 6
        context_length: 160
        batch_size: 2
    evaluate:
      uses: evaluate
      in: { model: "${stages.train.model}", rows: "${stages.split.heldout}" }
      with: { max_new_tokens: 10 }
    report: { uses: report, in: { results: "${stages.evaluate.metrics}" } }

  """

/// The first digits of every output's SHA-256, by stage.
private let golden: [String: String] = [
  "clean.removed": "971081891fc0bbac",
  "clean.rows": "8b0317b011d0a7d8",
  "evaluate.items": "1671af94b9497d05",
  "evaluate.metrics": "67126a8905ab086b",
  "normal.rows": "2700a11f2dbc4696",
  "normal.statistics": "9633a024293b7ddc",
  "report.points": "a292ee964176da6e",
  "report.report": "abc635131c725f04",
  "report.table": "29615a7d06778a33",
  "seeds.rows": "dce2cd0c2148cba1",
  "split.heldout": "2d244b6796df8ba4",
  "split.train": "e53c513e3c01b9b5",
  "subset.rows": "7afd8b01dde8707d",
  "tokenizer.tokenizer": "c1fb677b47ea83f1",
  "train.events": "e5ae327b631d0d0b", "train.log": "c8b7213f628a06c5",
  "train.model": "2e609729e20f4d41",
]

@Suite("Golden bytes: the same inputs give the outputs they gave before")
struct GoldenTests {
  @Test("when this fails, raise the kind's implementation number and pin the new bytes")
  func pinned() throws {
    let space = TestSpace()
    let file = try space.write("lemma.yaml", recipe)
    let workspace = try Workspace(project: space.path)
    let pipeline = try Pipeline.load(file: file, overrides: [:], catalogue: Registry.standard.catalogue)
    let project = try Project(workspace: workspace, pipeline: pipeline, registry: .standard)
    let runner = try Runner(project: project, options: RunOptions(), observe: { _ in }, isCancelled: { false })
    let summary = try runner.run()
    #expect(summary.failures.isEmpty, "\(summary.failures)")
    var found: [String: String] = [:]
    for record in summary.records {
      for (name, artifact) in record.result?.outputs ?? [:] {
        found["\(record.stage.id).\(name)"] = String(artifact.identity.seal.hex.prefix(16))
      }
    }
    #expect(found == golden)
    if environmentFlag("LEMMA_RECORD") {
      for (name, seal) in found.sorted(by: { $0.key < $1.key }) { print("  \"\(name)\": \"\(seal)\",") }
    }
  }
}
