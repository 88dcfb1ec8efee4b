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
    let metrics = try EvaluationMetrics(input)
    label = input.label
    accuracy = try metrics.share("accuracy")
    low = try metrics.share("accuracy_low")
    high = try metrics.share("accuracy_high")
    items = try metrics.count("items")
    lenient = try metrics.optionalShare("accuracy_lenient") ?? accuracy
    withoutAnswer = try metrics.optionalCount("no_answer")
    rows = try metrics.optionalCount("training_rows")
    tooLong = try metrics.optionalCount("training_too_long")
    steps = try metrics.optionalCount("training_steps")
    tokens = try metrics.optionalCount("training_tokens")
    parameters = try metrics.optionalCount("training_parameters")
    bySteps = try metrics.names.compactMap { name in
      guard name.hasPrefix("steps_"), let steps = Int(name.dropFirst(6)), steps >= 0 else { return nil }
      return (steps, try metrics.share(name), try metrics.optionalCount("\(name)_items") ?? 0)
    }.sorted { $0.0 < $1.0 }
    node = lineage.node(giving: input.artifact.json)
  }

  /// The value of a matrix key in the label.
  func value(of key: String) -> String? {
    label.split(separator: ",").first { $0.hasPrefix("\(key)=") }.map { String($0.dropFirst(key.count + 1)) }
  }
}

/// The metrics file of an evaluation, which anybody may have written: numbers that no evaluation has are
/// refused before anything is reckoned with them.
private struct EvaluationMetrics {
  private let members: [String: JSON]
  private let path: String
  private let what: String

  init(_ input: StageInput) throws {
    path = input.path
    what = input.label.isEmpty ? "a result" : "a result (\(input.label))"
    guard let members = try JSON(parsing: Files.read(input.path), file: input.path).object else {
      throw Failure(.user, "report", "\(what) is not an evaluation's metrics", at: Position(file: input.path))
    }
    self.members = members
  }

  var names: [String] { members.keys.sorted() }

  func share(_ name: String) throws -> Double {
    guard let value = try optionalShare(name) else { throw refused(name, "is missing") }
    return value
  }

  func count(_ name: String) throws -> Int {
    guard let value = try optionalCount(name) else { throw refused(name, "is missing") }
    return value
  }

  func optionalShare(_ name: String) throws -> Double? {
    guard let value = members[name] else { return nil }
    guard let share = value.double, (0...1).contains(share) else { throw refused(name, "must be a number from 0 to 1") }
    return share
  }

  func optionalCount(_ name: String) throws -> Int? {
    guard let value = members[name] else { return nil }
    guard let count = value.int, (0...1_000_000_000_000_000).contains(count) else {
      throw refused(name, "must be a whole number from 0 to 10^15")
    }
    return count
  }

  private func refused(_ name: String, _ reason: String) -> Failure {
    Failure(
      .user, "report", "\(what) is not an evaluation's metrics: '\(name)' \(reason)", at: Position(file: path),
      hint: "give the output 'metrics' of an 'evaluate' stage")
  }
}
