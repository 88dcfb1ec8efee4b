import LemmaBasics
import LemmaCorpus
import LemmaSynthesis
import Testing

@Test func samples() throws {
  let seeds = try SeedGenerator().rows(count: 800, seed: 7)
  for row in seeds.prefix(40) { print("@", row.problem); print("   ", row.response.split(separator: "\n").joined(separator: " | ")) }
  func mean(_ f: (Row) -> String, _ rows: [Row]) -> Double { Double(rows.map { f($0).split(whereSeparator: \.isWhitespace).count }.reduce(0,+)) / Double(rows.count) }
  print("@ mean words", mean(\.problem, seeds), mean(\.response, seeds))
  let out = try Synthesizer(SynthesisConfiguration(rows: 500, seed: 3, maximum: 30, depth: 2)).run(seeds: seeds)
  print("@", out.statistics.json.canonical)
  for row in out.rows.prefix(40) { print("@", row.lineage.operator, row.problem); print("   ", row.response.split(separator: "\n").joined(separator: " | ")) }
  print("@ mean words", mean(\.problem, out.rows), mean(\.response, out.rows))
  let real = try GSM8K.seeds("../shared/data/gsm8k/train.jsonl").prefix(1000)
  let o = try Synthesizer(SynthesisConfiguration(rows: 300, seed: 3, depth: 2)).run(seeds: Array(real))
  print("@", o.statistics.json.canonical)
  for row in o.rows.prefix(60) { print("@", row.lineage.operator, row.problem); print("   ", row.response.split(separator: "\n").joined(separator: " | ")) }
}
