import LemmaBasics
import LemmaReport

/// What the report says: evaluations and their lineage turned into charts, tables and evidence.
struct ReportContent {
  let title: String
  /// The matrix key whose values are curves of their own.
  let seriesKey: String?
  let results: [EvaluationResult]
  let lineage: Lineage

  var report: Report {
    Report(
      title: title, subtitle: subtitle, facts: facts, charts: charts, tables: [table], graph: lineage.graph,
      evidence: results.map(evidence), notes: notes)
  }

  private var subtitle: String {
    let items = Set(results.map(\.items)).sorted().map(String.init).joined(separator: " or ")
    return "Exact answers on \(items) held-out problems, greedy decoding, zero-shot chain of thought"
  }

  private var facts: [(name: String, value: String)] {
    var facts = [("evaluations", String(results.count))]
    if let best = results.max(by: { $0.accuracy < $1.accuracy }) {
      facts.append(("best accuracy", "\(percent(best.accuracy)) (\(percent(best.low)) to \(percent(best.high)))"))
    }
    let parameters = Set(results.compactMap(\.parameters)).sorted()
    if !parameters.isEmpty { facts.append(("parameters", parameters.map(String.init).joined(separator: ", "))) }
    let rows = results.compactMap(\.rows)
    if let least = rows.min(), let most = rows.max() {
      facts.append(("training rows", least == most ? "\(least)" : "\(least) to \(most)"))
    }
    return facts.map { (name: $0.0, value: $0.1) }
  }

  private var notes: [String] {
    [
      "Intervals are Wilson score intervals at 95 %. They cover the choice of problems, not of seeds.",
      "Strict: the answer stands behind the marker and equals the gold answer exactly. Lenient accepts other endings.",
      "Problems made by the symbolic teacher come from programs: their variety is that of their templates.",
    ]
  }

  // MARK: Curve

  private var charts: [Chart] {
    let plotted = results.filter { $0.rows != nil }
    guard !plotted.isEmpty else { return [] }
    return [
      Chart(
        title: "Accuracy against training rows", xLabel: "training rows", yLabel: "accuracy, %",
        xScale: Set(plotted.compactMap(\.rows)).count > 1 ? .log : .linear, series: series(plotted))
    ]
  }

  private func series(_ plotted: [EvaluationResult]) -> [Chart.Series] {
    var names: [String] = []
    var points: [String: [Chart.Point]] = [:]
    for result in plotted {
      let name = seriesName(of: result)
      if points[name] == nil { names.append(name) }
      points[name, default: []].append(
        Chart.Point(
          x: Double(result.rows ?? 0), y: result.accuracy * 100, low: result.low * 100, high: result.high * 100,
          label: percent(result.accuracy)))
    }
    return names.map { Chart.Series(name: $0, points: (points[$0] ?? []).sorted { $0.x < $1.x }) }
  }

  private func seriesName(of result: EvaluationResult) -> String {
    guard let seriesKey, let value = result.value(of: seriesKey) else { return "accuracy" }
    return "\(seriesKey) \(value)"
  }

  /// The curve's points for other programs.
  var points: JSON {
    .array(
      results.map { result in
        [
          "label": .string(result.label), "rows": result.rows.map { JSON($0) } ?? .null,
          "accuracy": JSON(result.accuracy),
          "low": JSON(result.low), "high": JSON(result.high), "items": JSON(result.items),
        ]
      })
  }

  // MARK: Table

  private var table: Table {
    let steps = Set(results.flatMap { $0.bySteps.map(\.steps) }).sorted()
    let columns =
      [Table.Column("evaluation"), Table.Column("rows", isNumeric: true), Table.Column("tokens", isNumeric: true)]
      + [Table.Column("accuracy", isNumeric: true), Table.Column("95 % interval", isNumeric: true)]
      + [Table.Column("lenient", isNumeric: true)]
      + steps.map { Table.Column($0 == 1 ? "1 step" : "\($0) steps", isNumeric: true) }
    let rows = results.map { result -> [Table.Cell] in
      let byStep = Dictionary(uniqueKeysWithValues: result.bySteps.map { ($0.steps, $0.accuracy) })
      return [
        Table.Cell(result.label.isEmpty ? "all" : result.label), Table.Cell(result.rows.map(String.init) ?? ""),
        Table.Cell(result.tokens.map(String.init) ?? ""), Table.Cell(percent(result.accuracy), isStrong: true),
        Table.Cell("\(percent(result.low)) to \(percent(result.high))"), Table.Cell(percent(result.lenient)),
      ] + steps.map { Table.Cell(byStep[$0].map(percent) ?? "") }
    }
    return Table(caption: "Accuracy on held-out problems", columns: columns, rows: rows)
  }

  private func evidence(_ result: EvaluationResult) -> Evidence {
    Evidence(
      number: "accuracy \(percent(result.accuracy))" + (result.label.isEmpty ? "" : " at \(result.label)"),
      items: result.node.map { lineage.evidence(of: $0) } ?? [])
  }

  private func percent(_ share: Double) -> String { "\(fixed(share * 100, 1)) %" }
}
