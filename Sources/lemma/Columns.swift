import LemmaBasics

/// Rows of text in aligned columns, two spaces apart; the last column is not padded.
enum Columns {
  /// - Parameter rightAligned: the columns that hold numbers.
  static func lines(_ rows: [[String]], rightAligned: Set<Int> = []) -> [String] {
    let count = rows.map(\.count).max() ?? 0
    let widths = (0..<count).map { column in rows.map { $0.count > column ? $0[column].count : 0 }.max() ?? 0 }
    return rows.map { row in
      let cells = row.enumerated().map { column, text in
        let padding = String(repeating: " ", count: widths[column] - text.count)
        if rightAligned.contains(column) { return padding + text }
        return column == row.count - 1 ? text : text + padding
      }
      return printableLine(cells.joined(separator: "  "))
    }
  }
}
