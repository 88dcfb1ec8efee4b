import LemmaBasics

/// Stages' numbers as a table: one row a stage, one column a metric.
enum MetricsView {
  /// Stages without numbers have no row; stages with other metrics get a table of their own.
  static func lines(_ stages: [(stage: String, metrics: [String: JSON])]) -> [String] {
    var groups: [[String]: [(stage: String, metrics: [String: JSON])]] = [:]
    var order: [[String]] = []
    for stage in stages where !stage.metrics.isEmpty {
      let names = stage.metrics.keys.sorted()
      if groups[names] == nil { order.append(names) }
      groups[names, default: []].append(stage)
    }
    return order.flatMap { names -> [String] in
      let rows = (groups[names] ?? []).map { row in [row.stage] + names.map { text(row.metrics[$0]) } }
      return Columns.lines([["stage"] + names] + rows, rightAligned: Set(1...names.count)) + [""]
    }
  }

  static func text(_ value: JSON?) -> String {
    switch value {
    case .number(let number): fixed(number, number.magnitude < 10 ? 4 : 1)
    case .some(let value): value.canonical
    case nil: ""
    }
  }

  /// What was added to a number, with its sign; nothing when one of the two is none.
  static func change(_ before: JSON?, _ after: JSON?) -> String {
    let (change, isMore): (JSON, Bool)
    switch (before, after) {
    case (.integer(let old), .integer(let new)):
      let (difference, overflows) = new.subtractingReportingOverflow(old)
      if overflows { return "" }
      (change, isMore) = (.integer(difference), difference > 0)
    case (.number(let old), .number(let new)): (change, isMore) = (.number(new - old), new > old)
    default: return ""
    }
    return (isMore ? "+" : "") + text(change)
  }
}
