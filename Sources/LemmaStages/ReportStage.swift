import LemmaBasics
import LemmaEngine
import LemmaPipeline
import LemmaReport

/// `report`: the scaling curve, the table, the graph and the evidence behind every number, in one file.
struct ReportStage: BuiltinStage {
  let implementation = 1
  let usesLineage = true
  let kind = StageKind(
    name: "report",
    summary: "Draws accuracy against training rows, with intervals, and shows what every number was made from.",
    inputs: [.init(name: "results", summary: "Metrics of evaluations, usually of a whole matrix.", isList: true)],
    outputs: [
      .init(name: "report", summary: "One self-contained HTML file.", fileName: "report.html"),
      .init(name: "table", summary: "The table as text.", fileName: "table.txt"),
      .init(name: "points", summary: "The curve's points, for other programs.", fileName: "points.json"),
    ],
    parameters: [
      .init(name: "title", summary: "The report's title.", type: .string, defaultValue: "Accuracy against data size"),
      .init(
        name: "series", summary: "The matrix key whose values become curves of their own, such as seed.",
        type: .optional(.string), defaultValue: .null),
    ])

  func run(_ context: StageContext) throws -> JSON {
    let lineage = Lineage(context.lineage)
    let results = try (context.inputs["results"] ?? []).map { try EvaluationResult($0, lineage: lineage) }
    let title = try Settings(context).text("title")
    let content = ReportContent(
      title: title, seriesKey: context.configuration["series"]?.string, results: results, lineage: lineage)
    let report = content.report
    try Files.write(Array(report.html().utf8), to: context.output("report"))
    let text = report.tables.map { $0.text() } + report.charts.map { $0.text() }
    try Files.write(Array((text.joined(separator: "\n") + "\n").utf8), to: context.output("table"))
    try Files.write(Array(content.points.pretty.utf8), to: context.output("points"))
    return ["results": JSON(results.count)]
  }
}

/// One evaluation as the report reads it.
struct EvaluationResult {
  /// The matrix values that tell it from the others.
  var label: String
  var accuracy: Double
  var low: Double
  var high: Double
  var lenient: Double
  var items: Int
  /// Answers without the marker that the strict reading looks for.
  var withoutAnswer: Int?
  /// Rows, optimiser steps, tokens and parameters of the training, where the checkpoint says them.
  var rows: Int?
  var tooLong: Int?
  var steps: Int?
  var tokens: Int?
  var parameters: Int?
  /// Accuracy, and how many problems there are, by number of worked steps.
  var bySteps: [(steps: Int, accuracy: Double, items: Int)]
  /// The evaluation's place in the lineage.
  var node: Int?

  init(_ input: StageInput, lineage: Lineage) throws {
    let json = try JSON(parsing: Files.read(input.path), file: "metrics.json")
    guard let accuracy = json["accuracy"]?.double, let low = json["accuracy_low"]?.double,
      let high = json["accuracy_high"]?.double, let items = json["items"]?.int
    else {
      throw Failure(
        .user, "report", "a result \(input.label.isEmpty ? "" : "(\(input.label)) ")is not an evaluation's metrics")
    }
    label = input.label
    self.accuracy = accuracy
    self.low = low
    self.high = high
    self.items = items
    lenient = json["accuracy_lenient"]?.double ?? accuracy
    withoutAnswer = json["no_answer"]?.int
    rows = json["training_rows"]?.int
    tooLong = json["training_too_long"]?.int
    steps = json["training_steps"]?.int
    tokens = json["training_tokens"]?.int
    parameters = json["training_parameters"]?.int
    bySteps = (json.object ?? [:]).compactMap { name, value in
      guard name.hasPrefix("steps_"), let steps = Int(name.dropFirst(6)), let share = value.double else { return nil }
      return (steps, share, json["\(name)_items"]?.int ?? 0)
    }.sorted { $0.0 < $1.0 }
    node = lineage.node(giving: input.artifact.json)
  }

  /// The value of a matrix key in the label.
  func value(of key: String) -> String? {
    label.split(separator: ",").first { $0.hasPrefix("\(key)=") }.map { String($0.dropFirst(key.count + 1)) }
  }
}
