import LemmaBasics
import LemmaReport
import LemmaTestSupport

/// A report as a scaling study makes it: three methods by size, a table, a fan-out, evidence.
let sample: Report = {
  let sizes = [500, 2000, 8000, 32000]
  let methods = [("mixed", 0.061), ("paraphrase only", 0.048), ("seeds only", 0.032)]
  func accuracy(_ slope: Double, _ size: Int) -> Double {
    var doublings = 0.0
    var rest = size / 500
    while rest > 1 {
      rest /= 2
      doublings += 1
    }
    return 0.09 + slope * doublings
  }
  let series = methods.map { name, slope in
    Chart.Series(
      name: name,
      points: sizes.map { size in
        let value = accuracy(slope, size)
        return Chart.Point(x: Double(size), y: value, low: value - 0.022, high: value + 0.024)
      })
  }
  let rows = methods.flatMap { name, slope in
    sizes.map { size -> [Table.Cell] in
      let value = accuracy(slope, size)
      let interval = "\(fixed(value - 0.022, 3)) to \(fixed(value + 0.024, 3))"
      let isBest = name == "mixed" && size == 32000
      return [
        Table.Cell(name), Table.Cell("\(size)"), Table.Cell("1319"),
        Table.Cell(fixed(value, 3), detail: interval, isStrong: isBest), Table.Cell(fixed(2.9 - value * 2, 3)),
      ]
    }
  }
  var nodes = [
    Graph.Node(id: "seeds", title: "seeds", detail: "data/seeds.jsonl", kind: .source),
    Graph.Node(id: "gsm8k", title: "test set", detail: "data/test.jsonl", kind: .source),
    Graph.Node(id: "normal", title: "normal", detail: "synthesize · 32,000 rows"),
    Graph.Node(id: "clean", title: "clean", detail: "decontaminate"),
  ]
  var edges = [
    Graph.Edge(from: "seeds", to: "normal"), Graph.Edge(from: "normal", to: "clean"),
    Graph.Edge(from: "gsm8k", to: "clean"),
  ]
  for size in sizes {
    for seed in 1...3 {
      let key = "size=\(size),seed=\(seed)"
      nodes.append(Graph.Node(id: "train[\(key)]", title: "train", detail: key))
      nodes.append(Graph.Node(id: "eval[\(key)]", title: "evaluate", detail: key))
      edges.append(Graph.Edge(from: "clean", to: "train[\(key)]"))
      edges.append(Graph.Edge(from: "train[\(key)]", to: "eval[\(key)]"))
      edges.append(Graph.Edge(from: "gsm8k", to: "eval[\(key)]"))
      edges.append(Graph.Edge(from: "eval[\(key)]", to: "report"))
    }
  }
  nodes.append(Graph.Node(id: "own", title: "analyse", detail: "python3 scripts/analyse.py", kind: .command))
  nodes.append(Graph.Node(id: "report", title: "scaling law", detail: "fit and table", kind: .result))
  edges += [Graph.Edge(from: "normal", to: "own")]
  var digits = SeededGenerator(seed: 7)
  func digest(_ words: Int) -> String {
    (0..<words).map { _ in
      let word = String(digits.next(), radix: 16)
      return String(repeating: "0", count: 16 - word.count) + word
    }.joined()
  }
  let evidence = [
    ("mixed, 32,000 rows: accuracy 0.456", 412_331_008), ("mixed, 8,000 rows: accuracy 0.334", 412_331_008),
  ]
  .map { number, size in
    Evidence(
      number: number,
      items: [
        Evidence.Item(
          role: "model", name: "results/train/size=32000,seed=1/model", xxh3: digest(2), sha256: digest(4), size: size),
        Evidence.Item(
          role: "training rows", name: "results/clean/rows.jsonl", xxh3: digest(2), sha256: digest(4), size: 9_812_442),
        Evidence.Item(role: "test set", name: "data/test.jsonl", xxh3: digest(2), sha256: digest(4), size: 749_738),
      ])
  }
  return Report(
    title: "Scaling of synthetic rows", subtitle: "Accuracy on held-out word problems by training set size and method",
    facts: [
      (name: "Pipeline", value: "quickstart"), (name: "Run", value: "a41f09c2"), (name: "Stages", value: "29, 4 new"),
      (name: "Best accuracy", value: "0.456"), (name: "Test problems", value: "1,319"),
      (name: "Contaminated rows", value: "0 of 32,000"),
    ],
    charts: [
      Chart(
        title: "Accuracy by size", xLabel: "training rows (logarithmic)", yLabel: "accuracy", xScale: .log,
        series: series, note: "Bars are 95 % Wilson intervals over 1,319 problems.")
    ],
    tables: [
      Table(
        caption: "All results",
        columns: [
          Table.Column("Method"), Table.Column("Rows", isNumeric: true), Table.Column("Problems", isNumeric: true),
          Table.Column("Accuracy", isNumeric: true), Table.Column("Loss", isNumeric: true),
        ], rows: rows)
    ],
    graph: Graph(nodes: nodes, edges: edges), evidence: evidence,
    notes: [
      "Every model was trained from the same initial weights with the same number of steps.",
      "The numbers can be rebuilt bit for bit from the digests above.",
    ])
}()
