import LemmaReport
import LemmaTestSupport
import Testing

@Suite("Charts: axes, marks and labels where they belong")
struct ChartTests {
  private func drawing(_ chart: Chart) throws -> Substring {
    try #require(drawings(Report(title: "t", charts: [chart]).html()).first)
  }

  private func chart(
    _ points: [Chart.Point], x: Chart.Scale = .linear, y: Chart.Scale = .linear, name: String = "s"
  ) -> Chart {
    Chart(
      title: "t", xLabel: "x", yLabel: "y", xScale: x, yScale: y, series: [Chart.Series(name: name, points: points)])
  }

  /// The labels of the axes: y from below, then x from the left.
  private func ticks(_ chart: Chart) throws -> [String] {
    try drawing(chart).split(separator: "class=\"tick\"").dropFirst().compactMap { part in
      part.split(separator: ">").dropFirst().first?.split(separator: "<").first.map(String.init)
    }
  }

  @Test("the sample stays inside its frame")
  func sampleInside() throws {
    for drawing in drawings(sample.html()) { #expect(strayPoints(drawing) == []) }
    #expect(drawings(sample.html()).count == 2)
  }

  @Test("ticks are round numbers that hold all the values")
  func roundTicks() throws {
    #expect(
      try ticks(chart([Chart.Point(x: 3, y: 0.12), Chart.Point(x: 47, y: 0.43)])) == [
        "0", "0.1", "0.2", "0.3", "0.4", "0.5", "0", "10", "20", "30", "40", "50",
      ])
    #expect(
      try ticks(chart([Chart.Point(x: -1, y: 970), Chart.Point(x: 1, y: 1030)])) == [
        "960", "980", "1000", "1020", "1040", "-1.0", "-0.5", "0", "0.5", "1.0",
      ])
  }

  @Test("a few values on a logarithmic axis are its ticks")
  func valueTicks() throws {
    let points = [500.0, 2000, 8000].map { Chart.Point(x: $0, y: 1) }
    #expect(try ticks(chart(points, x: .log)).suffix(3) == ["500", "2000", "8000"])
  }

  @Test("many values on a logarithmic axis have decades as ticks")
  func decadeTicks() throws {
    let points = (0..<40).map { Chart.Point(x: Double(1 << $0), y: 1) }
    #expect(try ticks(chart(points, x: .log)).suffix(7) == ["1", "100", "10000", "1M", "100M", "10G", "1T"])
  }

  @Test("error bars span their interval")
  func errorBars() throws {
    let drawing = try drawing(chart([Chart.Point(x: 1, y: 5, low: 0, high: 10), Chart.Point(x: 2, y: 5)]))
    let tags = try #require(startTags(String(drawing)))
    let bars = tags.filter { $0.attributes["class"] == "bar" }
    let grid = tags.filter { $0.attributes["class"] == "grid" }.compactMap { $0.attributes["d"] }
      .compactMap { points(ofPath: $0)?.first?.y }
    let ends = try #require(bars.first?.attributes["d"].flatMap { points(ofPath: $0) }).map(\.y)
    #expect(bars.count == 1)
    #expect(ends.min() == grid.min() && ends.max() == grid.max())
  }

  @Test("values stand at their points, with one number of decimals")
  func labels() throws {
    let text = try drawing(chart([Chart.Point(x: 1, y: 0.5), Chart.Point(x: 2, y: 0.125)]))
    #expect(text.contains(">0.500</text>") && text.contains(">0.125</text>"))
    let own = try drawing(chart([Chart.Point(x: 1, y: 2, label: "best"), Chart.Point(x: 2, y: 3, label: "")]))
    #expect(own.contains(">best</text>") && !own.contains(">3</text>\n"))
  }

  @Test("the drawing says in words what it shows")
  func description() throws {
    let text = try drawing(chart([Chart.Point(x: 500, y: 0.5, low: 0.4, high: 0.6)], name: "a<b"))
    #expect(text.contains("<desc id=\"chart-1-desc\">y by x. a&lt;b: 500: 0.5 (0.4 to 0.6).</desc>"))
    #expect(text.contains("aria-labelledby=\"chart-1-title chart-1-desc\""))
  }

  @Test("what has no place on the axes is left out")
  func leftOut() throws {
    let points = [
      Chart.Point(x: .nan, y: 1), Chart.Point(x: 1, y: .infinity), Chart.Point(x: 0, y: 1), Chart.Point(x: -5, y: 1),
      Chart.Point(x: 10, y: 1, low: .nan, high: 2), Chart.Point(x: 100, y: 2, low: 3, high: 1),
    ]
    let drawing = try drawing(chart(points, x: .log))
    #expect(drawing.split(separator: "<circle").count - 1 == 2)
    #expect(!drawing.contains("class=\"bar\""))
    #expect(strayPoints(drawing) == [])
  }

  @Test(
    "extremes stay inside the frame",
    arguments: [
      [], [(1, 1)], [(0, 0)], [(1, 5), (1, 7)], [(1e299, 1), (-1e299, -1)], [(1, 1e-290), (2, 2e-290)],
      [(1e15, 1), (1e15 + 2, 1)], [(1, 1e-5), (2, 3e-5)], [(-3, -8), (-1, -2)], [(1, 0.1 + 0.2), (2, 0.3)],
    ] as [[(Double, Double)]], [Chart.Scale.linear, .log])
  func extremes(places: [(Double, Double)], scale: Chart.Scale) throws {
    let drawing = try drawing(chart(places.map { Chart.Point(x: $0.0, y: $0.1) }, x: scale, y: scale))
    #expect(strayPoints(drawing) == [])
    #expect(!drawing.contains("nan") && !drawing.contains("inf"))
  }

  @Test("random charts stay inside the frame", arguments: 0..<40)
  func random(seed: Int) throws {
    var numbers = SeededGenerator(seed: UInt64(seed))
    let series = (0..<Int.random(in: 1...8, using: &numbers)).map { index in
      let points = (0..<Int.random(in: 0...15, using: &numbers)).map { _ in
        let y = Double.random(in: 0...1, using: &numbers)
        let size = Double.random(in: 1...1e6, using: &numbers)
        return Chart.Point(x: size, y: y, low: y * 0.9, high: y * 1.1)
      }
      return Chart.Series(name: "a rather long name of series \(index)", points: points)
    }
    let chart = Chart(
      title: "t", xLabel: "x", yLabel: "y", xScale: seed % 2 == 0 ? .log : .linear,
      yScale: seed % 3 == 0 ? .log : .linear, series: series)
    #expect(strayPoints(try drawing(chart)) == [])
  }
}
