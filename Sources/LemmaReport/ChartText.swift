import LemmaBasics

extension Chart {
  /// The chart for a terminal, `width` by `height` characters and a little more: a mark for every
  /// point, strokes for error bars, a legend when there are several series.
  public func text(width: Int = 64, height: Int = 14) -> String {
    let plot = PlottedChart(self)
    let (width, height) = (max(16, width), max(4, height))
    var grid = [[Character]](repeating: [Character](repeating: " ", count: width), count: height)
    func column(_ x: Double) -> Int { Int((plot.x.fraction(x) * Double(width - 1)).rounded()) }
    func row(_ y: Double) -> Int { height - 1 - Int((plot.y.fraction(y) * Double(height - 1)).rounded()) }
    for series in plot.series {
      for point in series.points {
        if let low = point.low, let high = point.high {
          for line in row(high)...max(row(high), row(low)) where grid[line][column(point.x)] == " " {
            grid[line][column(point.x)] = "│"
          }
        }
      }
    }
    for (index, series) in plot.series.enumerated() {
      for point in series.points { grid[row(point.y)][column(point.x)] = Self.marks[index % Self.marks.count] }
    }

    var labels: [Int: String] = [:]
    for tick in plot.y.ticks { labels[row(tick.value)] = tick.label }
    let margin = labels.values.reduce(1) { max($0, columns($1)) }
    func flat(_ text: String) -> String { printable(String(text.map { $0.isNewline ? " " : $0 })) }
    var text = [title, yLabel].filter { !$0.isEmpty }.map(flat).joined(separator: "\n") + "\n"
    for (index, line) in grid.enumerated() {
      var content = String(line)
      while content.last == " " { content.removeLast() }
      text +=
        padded(labels[index] ?? "", to: margin, right: true) + (labels[index] == nil ? " │" : " ┤") + content + "\n"
    }
    var axis = [Character](repeating: "─", count: width)
    var numbers = [Character](repeating: " ", count: width + 12)
    var end = -1
    for tick in plot.x.ticks {
      let place = column(tick.value)
      let start = max(0, place - tick.label.count / 2)
      guard start > end else { continue }
      axis[place] = "┴"
      for (offset, character) in tick.label.enumerated() where start + offset < numbers.count {
        numbers[start + offset] = character
      }
      end = start + tick.label.count
    }
    while numbers.last == " " { numbers.removeLast() }
    let indent = String(repeating: " ", count: margin + 1)
    text += indent + "└" + String(axis) + "\n" + indent + " " + String(numbers) + "\n"
    if !xLabel.isEmpty { text += indent + " " + flat(xLabel) + "\n" }
    if plot.series.count > 1 {
      let legend = plot.series.enumerated().map { "\(Self.marks[$0 % Self.marks.count]) \(flat($1.name))" }
      text += indent + " " + legend.joined(separator: "   ") + "\n"
    }
    return text
  }

  private static let marks: [Character] = ["●", "■", "▲", "◆", "○", "□"]
}
