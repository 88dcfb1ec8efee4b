import LemmaBasics
import LemmaPipeline
import Testing

@Suite("Expansion: from the file to stage instances")
struct ExpansionTests {
  static let quickstart = """
    pipeline: quickstart
    params: { seed: 7, sizes: [500, 2000, 8000] }
    sources:
      seeds: { path: data/seeds.jsonl, license: MIT }
    stages:
      normal:
        uses: synthesize
        in:   { seeds: ${sources.seeds} }
        with: { teacher: symbolic, methods: { metamath: 0.5, evol: 0.3, xwin: 0.2 }, rows: 8000 }
      train:
        matrix: { size: ${params.sizes} }
        uses: sft
        in:   { rows: ${stages.normal.rows} }
        with: { take: ${matrix.size} }
        resources: { cpus: 2, memory: 4G }
      own:
        run: [python3, scripts/analyse.py, "${in.rows}", "--table=${out.table}"]
        in:  { rows: ${stages.normal.rows} }
        out: { table: table.csv }
        tools: [python3]
    """

  @Test("the sketch of the manual expands as it says")
  func sketch() throws {
    let pipeline = try pipeline(Self.quickstart)
    #expect(pipeline.name == "quickstart")
    #expect(pipeline.stages.map(\.id) == ["normal", "train[size=500]", "train[size=2000]", "train[size=8000]", "own"])
  }
}
