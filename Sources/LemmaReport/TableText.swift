import LemmaBasics

extension Table {
  /// The table for a terminal: aligned columns under a rule, the caption above. Cells stand on one
  /// line each; a column is at most `columnLimit` wide.
  public func text(columnLimit: Int = 60) -> String {
    func flat(_ text: String) -> String {
      cut(printable(String(text.map { $0.isNewline ? " " : $0 })), to: max(1, columnLimit))
    }
    let titles = columns.map { flat($0.title) }
    let body = rows.map { row in
      columns.indices.map { index in
        guard index < row.count else { return "" }
        return flat(row[index].detail.isEmpty ? row[index].text : "\(row[index].text) \(row[index].detail)")
      }
    }
    let widths = columns.indices.map { index in
      body.reduce(LemmaReport.columns(titles[index])) { max($0, LemmaReport.columns($1[index])) }
    }
    func line(_ cells: [String]) -> String {
      var line = zip(cells, zip(columns, widths))
        .map { padded($0, to: $1.1, right: $1.0.isNumeric) }
        .joined(separator: "  ")
      while line.last == " " { line.removeLast() }
      return line + "\n"
    }
    let rule = widths.map { String(repeating: "─", count: $0) }.joined(separator: "  ")
    let head = caption.isEmpty ? "" : flat(caption) + "\n\n"
    return head + line(titles) + rule + "\n" + body.map(line).joined()
  }
}
