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
      title: title, subtitle: subtitle, facts: facts, charts: charts, tables: tables, graph: lineage.graph,
      evidence: results.map(evidence), notes: notes)
  }

  private var subtitle: String {
    let items = Set(results.map(\.items)).sorted().map(grouped).joined(separator: " or ")
    return "Exact answers on \(items) problems, greedy decoding, zero-shot chain of thought"
  }

  private var facts: [(name: String, value: String)] {
    var facts = [("evaluations", String(results.count))]
    if let best = results.max(by: { $0.accuracy < $1.accuracy }) {
      facts.append(
        ("best of \(results.count)", "\(percent(best.accuracy)) (\(percent(best.low)) to \(percent(best.high)))"))
    }
    let parameters = Set(results.compactMap(\.parameters)).sorted()
    if !parameters.isEmpty { facts.append(("parameters", parameters.map(grouped).joined(separator: "; "))) }
    let rows = results.compactMap(\.rows)
    if let least = rows.min(), let most = rows.max() {
      facts.append(("training rows", least == most ? grouped(least) : "\(grouped(least)) to \(grouped(most))"))
    }
    return facts.map { (name: $0.0, value: $0.1) }
  }

  private var notes: [String] {
    var notes = [
      "Intervals are Wilson score intervals at 95 % and take the problems as independent. Where several come from one "
        + "seed problem the true intervals are wider, and another random seed can move a point by more than its own.",
      "Strict: the answer stands behind the marker and equals the gold answer exactly. Lenient accepts other endings.",
      "Rows are those trained on. Unless a pipeline fixes the steps, steps and tokens seen grow with the rows, so the "
        + "curve shows the effect of all three.",
    ]
    let tooLong = results.compactMap(\.tooLong).reduce(0, +)
    if tooLong > 0 {
      notes.append("\(grouped(tooLong)) rows, over all trainings, were longer than the context and left out.")
    }
    if results.contains(where: { $0.bySteps.reduce(0) { $0 + $1.items } < $0.items }) {
      notes.append("Problems whose number of worked steps is not known are in no column of steps.")
    }
    if lineage.nodes.contains(where: { $0.kind == "seeds" }) {
      notes.append(
        "The seed problems are made from templates: a problem that was held out may share its template with one that "
          + "was trained on, with other numbers and names.")
    }
    return notes
  }

  // MARK: Curve

  private var charts: [Chart] {
    let plotted = results.filter { $0.rows != nil }
    guard !plotted.isEmpty else { return [] }
    let isLogarithmic = Set(plotted.compactMap(\.rows)).count > 1
    return [
      Chart(
        title: "Accuracy against training rows", xLabel: isLogarithmic ? "training rows (log scale)" : "training rows",
        yLabel: "strict accuracy, %", xScale: isLogarithmic ? .log : .linear, series: series(plotted))
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

  private var tables: [Table] {
    let hasSteps = results.contains { !$0.bySteps.isEmpty }
    return [overview] + (hasSteps ? [byNumberOfSteps] : [])
  }

  private var overview: Table {
    let numbers = ["rows", "steps", "tokens seen", "strict", "95 % interval", "lenient", "no answer"]
    return table("Accuracy", numbers) { result in
      [
        Table.Cell(result.rows.map(grouped) ?? ""), Table.Cell(result.steps.map(grouped) ?? ""),
        Table.Cell(result.tokens.map(grouped) ?? ""), Table.Cell(percent(result.accuracy), isStrong: true),
        Table.Cell("\(percent(result.low)) to \(percent(result.high))"), Table.Cell(percent(result.lenient)),
        Table.Cell(result.withoutAnswer.map(grouped) ?? ""),
      ]
    }
  }

  private var byNumberOfSteps: Table {
    let items = Dictionary(results.flatMap { $0.bySteps.map { ($0.steps, $0.items) } }, uniquingKeysWith: max)
    let steps = items.keys.sorted()
    return table(
      "Strict accuracy by worked steps (problems)", steps.map { "\($0) (\(items[$0] ?? 0))" }
    ) { result in
      let byStep = Dictionary(result.bySteps.map { ($0.steps, $0.accuracy) }, uniquingKeysWith: { first, _ in first })
      return steps.map { Table.Cell(byStep[$0].map(percent) ?? "") }
    }
  }

  /// One row an evaluation, all columns but the first numeric.
  private func table(
    _ caption: String, _ columns: [String], _ cells: (EvaluationResult) -> [Table.Cell]
  ) -> Table {
    Table(
      caption: caption, columns: [Table.Column("evaluation")] + columns.map { Table.Column($0, isNumeric: true) },
      rows: results.map { [Table.Cell($0.label.isEmpty ? "all" : $0.label)] + cells($0) })
  }

  private func evidence(_ result: EvaluationResult) -> Evidence {
    Evidence(
      number: "accuracy \(percent(result.accuracy))" + (result.label.isEmpty ? "" : " at \(result.label)"),
      items: result.node.map { lineage.evidence(of: $0) } ?? [])
  }

  private func percent(_ share: Double) -> String { "\(fixed(share * 100, 1)) %" }

  /// Digits in groups of three.
  private func grouped(_ number: Int) -> String {
    var text = ""
    for (index, digit) in String(number).reversed().enumerated() {
      if index > 0, index.isMultiple(of: 3) { text.append(",") }
      text.append(digit)
    }
    return String(text.reversed())
  }
}
