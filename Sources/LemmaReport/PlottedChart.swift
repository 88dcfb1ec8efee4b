/// What of a chart can be drawn: finite points in the order of x, and the axes that hold them.
struct PlottedChart {
  let series: [Chart.Series]
  let x: Axis
  let y: Axis

  init(_ chart: Chart) {
    series = chart.series.map { series in
      let points = series.points
        .filter { Axis.canShow($0.x, chart.xScale) && Axis.canShow($0.y, chart.yScale) }
        .map { point in
          var point = point
          if let low = point.low, let high = point.high, low <= high,
            Axis.canShow(low, chart.yScale), Axis.canShow(high, chart.yScale)
          {
            return point
          }
          (point.low, point.high) = (nil, nil)
          return point
        }
      let sorted = points.enumerated().sorted { ($0.element.x, $0.offset) < ($1.element.x, $1.offset) }
      return Chart.Series(name: series.name, points: sorted.map(\.element))
    }
    let points = series.flatMap(\.points)
    x = Axis(points.map(\.x), scale: chart.xScale, atValues: true)
    y = Axis(points.flatMap { [$0.y, $0.low, $0.high].compactMap { $0 } }, scale: chart.yScale, fromZero: true)
  }
}
