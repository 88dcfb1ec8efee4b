import Glibc
import LemmaBasics
import LemmaTestSupport
import Testing

private let seeds = getenv("LEMMA_FUZZ_SEEDS").map { String(cString: $0) }

/// Writes what these tests hold against the readers as files that fuzzing begins with: a folder for each
/// reader of `Tests/Fuzz`. `scripts/fuzz` runs it.
@Suite("The corpus that fuzzing begins with", .enabled(if: seeds != nil, "only scripts/fuzz needs it"))
struct SeedCorpus {
  @Test("every table becomes a folder of files")
  func write() throws {
    let folder = try #require(seeds)
    let head = "pipeline: p\nstages:\n"
    let manifests = PathTests.malformed.map { Array("lemma tree 1\n\($0)".utf8) }
    let tables: [String: [[UInt8]]] = [
      "pipeline": BadPipelineFiles.bytes.map(\.1) + BadPipelineFiles.texts.map { Array((head + $0.0).utf8) }
        + PathTests.entries.map { Array("pipeline: p\n\($0.stages)".utf8) } + [sample],
      "tree": manifests + PathTests.forms.map { Array("lemma tree 1\nd \($0)\u{0}".utf8) } + [manifest],
      "json": BadData.metrics.map(\.1) + ResultTests.results.map { Array($0.utf8) },
      "rows": BadData.rows.map(\.1) + BadData.problems.map { Array($0.1.utf8) },
      "result": ResultTests.results.map { Array($0.utf8) },
      "keys": SecretTests.shapes.map { Array($0.text.utf8) } + TerminalTests.sequences.map { Array($0.utf8) },
    ]
    for (reader, texts) in tables {
      try Files.makeFolder("\(folder)/\(reader)")
      for (number, text) in texts.enumerated() where text.count <= 65536 {
        try Files.write(text, to: "\(folder)/\(reader)/\(number)")
      }
    }
  }

  private var manifest: [UInt8] {
    let file = "\(String(repeating: "0", count: 32)) 12 \(String(repeating: "f", count: 64))"
    return Array("lemma tree 1\nd a\u{0}f \(file) a/b\u{0}l a/c\u{0}../x\u{0}x \(file) d\u{0}".utf8)
  }

  private var sample: [UInt8] {
    Array(
      """
      pipeline: p
      params: { n: 3, list: [1, 2], text: "a b", deep: { x: { y: true } } }
      sources: { s: { path: ../s, license: MIT } }
      stages:
        a: { uses: kind, in: { rows: ["${sources.s}", data/x] }, with: { integer: "${params.n}", list: [a], map: { k: true } } }
        b:
          matrix: { i: "${params.list}", j: [x, y] }
          run: [sh, -c, "echo $${x} ${params.deep.x.y}", "${in.a}", "${out.o}", "${matrix.j}"]
          in: { a: "${stages.a.rows}" }
          out: { o: "r/${matrix.i}/${matrix.j}.txt" }
          env: { K: env:K }
          tools: [sh]
          resources: { cpus: 2, memory: 4G }

      """.utf8)
  }
}
