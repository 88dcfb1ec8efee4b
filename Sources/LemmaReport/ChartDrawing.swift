import LemmaBasics

/// Draws a chart as SVG: grid, error bars, lines, marks, labels that do not collide. Colours are the
/// style sheet's.
struct ChartDrawing {
  static let width = 860.0
  static let styles = 6

  private let chart: Chart
  private let plot: PlottedChart
  private let id: String
  private let legend: [(name: String, x: Double, y: Double)]
  private let height: Double
  private let left: Double
  private let right = 28.0
  private let top: Double
  private let bottom = 56.0
  /// How far each series is moved aside, where several have points at the same x.
  private let aside: Double

  init(_ chart: Chart, id: String) {
    self.chart = chart
    self.id = id
    plot = PlottedChart(chart)
    let widest = plot.y.ticks.map { pixels($0.label, size: 12) }.max() ?? 0
    left = max(52, widest + (chart.yLabel.isEmpty ? 20 : 42))
    legend = Self.legend(plot.series, from: left)
    top = 20 + (legend.last.map { $0.y + 8 } ?? 0)
    height = top + 320 + bottom
    let places = plot.series.flatMap { Set($0.points.map(\.x)) }
    aside = Set(places).count < places.count ? 7 : 0
  }

  private static func legend(_ series: [Chart.Series], from left: Double) -> [(name: String, x: Double, y: Double)] {
    guard series.count > 1 else { return [] }
    var (x, y) = (left, 16.0)
    return series.map { series in
      let name = cut(series.name, to: 48)
      let width = pixels(name, size: 13) + 44
      if x > left, x + width > Self.width - 8 { (x, y) = (left, y + 22) }
      defer { x += width }
      return (name, x, y)
    }
  }

  private func x(_ value: Double, _ series: Int) -> Double {
    let middle = Double(plot.series.count - 1) / 2
    return left + plot.x.fraction(value) * (Self.width - left - right) + (Double(series) - middle) * aside
  }

  private func y(_ value: Double) -> Double { height - bottom - plot.y.fraction(value) * (height - bottom - top) }

  func svg() -> String {
    var svg = Markup()
    svg.line(
      "<svg class=\"chart\" role=\"img\" viewBox=\"0 0 \(coordinate(Self.width)) \(coordinate(height))\""
        + " aria-labelledby=\"\(id)-title \(id)-desc\">")
    svg.element("title", "id=\"\(id)-title\"", chart.title)
    svg.element("desc", "id=\"\(id)-desc\"", description)
    svg.raw("\n")
    axes(&svg)
    for index in plot.series.indices { drawn(index, &svg) }
    labels(&svg)
    for (index, entry) in legend.enumerated() {
      svg.raw("<g class=\"s\(index % Self.styles)\">")
      svg.raw("<path class=\"line\" d=\"M\(coordinate(entry.x)) \(coordinate(entry.y - 4.5))h22\"/>")
      svg.raw(mark(index, entry.x + 11, entry.y - 4.5) + "</g>")
      svg.element("text", "class=\"key\" x=\"\(coordinate(entry.x + 28))\" y=\"\(coordinate(entry.y))\"", entry.name)
      svg.raw("\n")
    }
    svg.line("</svg>")
    return svg.text
  }

  /// The chart in words.
  private var description: String {
    let series = plot.series.map { series in
      let points = series.points.map { point in
        let interval = point.low.flatMap { low in point.high.map { " (\(short(low)) to \(short($0)))" } } ?? ""
        return "\(short(point.x)): \(short(point.y))\(interval)"
      }
      return "\(series.name): \(points.joined(separator: ", "))"
    }
    return "\(chart.yLabel) by \(chart.xLabel). \(series.joined(separator: "; "))."
  }

  private func axes(_ svg: inout Markup) {
    let (end, base) = (Self.width - right, height - bottom)
    for tick in plot.y.ticks {
      let y = coordinate(self.y(tick.value))
      svg.raw("<path class=\"grid\" d=\"M\(coordinate(left)) \(y)H\(coordinate(end))\"/>")
      svg.element(
        "text", "class=\"tick\" text-anchor=\"end\" x=\"\(coordinate(left - 10))\" y=\"\(y)\" dy=\"4\"", tick.label)
    }
    svg.raw("\n<path class=\"axis\" d=\"M\(coordinate(left)) \(coordinate(base))H\(coordinate(end))\"/>")
    for tick in plot.x.ticks {
      let x = coordinate(left + plot.x.fraction(tick.value) * (end - left))
      svg.raw("<path class=\"axis\" d=\"M\(x) \(coordinate(base))v5\"/>")
      svg.element(
        "text", "class=\"tick\" text-anchor=\"middle\" x=\"\(x)\" y=\"\(coordinate(base + 20))\"", tick.label)
    }
    let middle = coordinate((left + end) / 2)
    svg.element(
      "text", "class=\"name\" text-anchor=\"middle\" x=\"\(middle)\" y=\"\(coordinate(height - 12))\"",
      cut(chart.xLabel, to: 80))
    let centre = coordinate((top + base) / 2)
    svg.element(
      "text", "class=\"name\" text-anchor=\"middle\" transform=\"rotate(-90 16 \(centre))\" x=\"16\" y=\"\(centre)\"",
      cut(chart.yLabel, to: 40))
    svg.raw("\n")
  }

  private func drawn(_ index: Int, _ svg: inout Markup) {
    let series = plot.series[index]
    svg.raw("<g class=\"s\(index % Self.styles)\">")
    for point in series.points {
      guard let low = point.low, let high = point.high else { continue }
      let (x, from, to) = (self.x(point.x, index), y(high), y(low))
      svg.raw(
        "<path class=\"bar\" d=\"M\(coordinate(x - 5)) \(coordinate(from))h10M\(coordinate(x)) \(coordinate(from))"
          + "V\(coordinate(to))M\(coordinate(x - 5)) \(coordinate(to))h10\"/>")
    }
    let line = series.points.map { "\(coordinate(x($0.x, index))) \(coordinate(y($0.y)))" }
    if line.count > 1 { svg.raw("<path class=\"line\" d=\"M\(line.joined(separator: "L"))\"/>") }
    for point in series.points {
      svg.raw("<g>")
      let interval = point.low.flatMap { low in point.high.map { ", \(short(low)) to \(short($0))" } } ?? ""
      svg.element("title", "", "\(series.name): \(short(point.y)) at \(short(point.x))\(interval)")
      svg.raw(mark(index, x(point.x, index), y(point.y)) + "</g>")
    }
    svg.line("</g>")
  }

  /// A mark of the series' own shape, so that colour is not all that tells series apart.
  private func mark(_ series: Int, _ x: Double, _ y: Double) -> String {
    let at = "\(coordinate(x)) \(coordinate(y))"
    switch series % Self.styles {
    case 0: return "<circle class=\"mark\" cx=\"\(coordinate(x))\" cy=\"\(coordinate(y))\" r=\"4.5\"/>"
    case 1: return "<path class=\"mark\" d=\"M\(at)m-4 -4h8v8h-8z\"/>"
    case 2: return "<path class=\"mark\" d=\"M\(at)m0 -5.5l5.2 9.2h-10.4z\"/>"
    case 3: return "<path class=\"mark\" d=\"M\(at)m0 -5.8l5.8 5.8l-5.8 5.8l-5.8 -5.8z\"/>"
    case 4: return "<path class=\"mark\" d=\"M\(at)m0 5.5l5.2 -9.2h-10.4z\"/>"
    default: return "<path class=\"mark\" d=\"M\(at)m-2 -5h4v3h3v4h-3v3h-4v-3h-3v-4h3z\"/>"
    }
  }

  /// Values at their points where there is room; a label that would cover something is left out, and
  /// the point's own title still has it.
  private func labels(_ svg: inout Markup) {
    var taken = [Box]()
    for (index, series) in plot.series.enumerated() {
      for point in series.points {
        taken.append(Box(x: x(point.x, index) - 6, y: y(point.y) - 6, width: 12, height: 12))
        if let low = point.low, let high = point.high {
          taken.append(Box(x: x(point.x, index) - 5, y: y(high), width: 10, height: y(low) - y(high)))
        }
      }
    }
    let lines = plot.series.enumerated().flatMap { strokes($1, $0) }
    let numbers = ValueLabels(plot.series)
    for (index, series) in plot.series.enumerated() {
      for point in series.points {
        let text = cut(point.label ?? numbers.text(point.y), to: 24)
        let width = pixels(text, size: 12)
        let (x, y) = (self.x(point.x, index), self.y(point.y))
        let above = min(point.high.map(self.y) ?? y, y) - 9
        let below = max(point.low.map(self.y) ?? y, y) + 19
        let places = [
          (x - width / 2, above), (x + 10, y + 4), (x + 10, y - 8), (x - 10 - width, y - 8), (x - 10 - width, y + 4),
          (x - width / 2, below), (x + 10, y + 18),
        ]
        let free = places.filter { x, y in
          x >= left + 2 && x + width <= Self.width - 2 && y - 11 >= top - 14 && y <= height - bottom - 4
            && taken.isFree(x: x - 1, y: y - 11, width: width + 2, height: 13)
        }
        let place = free.first { lines.isFree(x: $0.0, y: $0.1 - 9, width: width, height: 9) } ?? free.first
        guard !text.isEmpty, let place else { continue }
        taken.append(Box(x: place.0 - 1, y: place.1 - 11, width: width + 2, height: 13))
        svg.element(
          "text", "class=\"value s\(index % Self.styles)\" x=\"\(coordinate(place.0))\" y=\"\(coordinate(place.1))\"",
          text)
      }
    }
    svg.raw("\n")
  }

  /// The line of a series as small boxes along it.
  private func strokes(_ series: Chart.Series, _ index: Int) -> [Box] {
    zip(series.points, series.points.dropFirst()).flatMap { from, to in
      let (x0, y0) = (x(from.x, index), y(from.y))
      let (dx, dy) = (x(to.x, index) - x0, y(to.y) - y0)
      let count = max(1, Int(max(dx.magnitude, dy.magnitude) / 4))
      return (0...count).map { step in
        let part = Double(step) / Double(count)
        return Box(x: x0 + dx * part - 1, y: y0 + dy * part - 1, width: 2, height: 2)
      }
    }
  }
}

/// A rectangle that is taken.
private struct Box {
  var x: Double
  var y: Double
  var width: Double
  var height: Double
}

extension [Box] {
  fileprivate func isFree(x: Double, y: Double, width: Double, height: Double) -> Bool {
    allSatisfy { $0.x >= x + width || $0.x + $0.width <= x || $0.y >= y + height || $0.y + $0.height <= y }
  }
}
