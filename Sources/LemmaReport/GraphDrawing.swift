import LemmaBasics

/// Draws a graph as SVG from its layout: a box a node, a curve an edge. Colours are the style
/// sheet's.
struct GraphDrawing {
  /// Above this many nodes a drawing says nothing any more.
  static let nodeLimit = 300

  private static let boxHeight = 42.0
  private static let gap = 44.0
  private static let margin = 8.0

  private let graph: Graph
  private let layout: GraphLayout
  /// By column.
  private var lefts: [Double] = []
  private var widths: [Double] = []

  init(_ graph: Graph) {
    self.graph = graph
    let index = Dictionary(graph.nodes.enumerated().map { ($1.id, $0) }) { first, _ in first }
    let edges = graph.edges.compactMap { edge in
      index[edge.from].flatMap { from in index[edge.to].map { (from: from, to: $0) } }
    }
    layout = GraphLayout(nodeCount: graph.nodes.count, edges: edges)
    widths = Array(repeating: 72, count: layout.layerCount)
    for (node, place) in zip(graph.nodes, layout.places) {
      widths[place.layer] = max(widths[place.layer], Self.title(node).width, Self.detail(node).width)
    }
    var left = Self.margin
    for width in widths {
      lefts.append(left)
      left += width + Self.gap
    }
  }

  private static func title(_ node: Graph.Node) -> (text: String, width: Double) {
    let text = cut(node.title, to: 30)
    return (text, pixels(text, size: 13) * 1.06 + 28)
  }

  private static func detail(_ node: Graph.Node) -> (text: String, width: Double) {
    let text = cut(node.detail, to: 36)
    return (text, pixels(text, size: 11.5) + 28)
  }

  func svg() -> String {
    let width = zip(lefts, widths).map { $0 + $1 }.max().map { $0 + Self.margin } ?? 0
    let height = layout.height + 2 * Self.margin
    var svg = Markup()
    let size = "\(coordinate(width)) \(coordinate(height))"
    svg.line(
      "<svg class=\"graph\" role=\"img\" viewBox=\"0 0 \(size)\" width=\"\(coordinate(width))\""
        + " aria-labelledby=\"graph-title graph-desc\">")
    svg.element("title", "id=\"graph-title\"", "What was made from what")
    svg.element("desc", "id=\"graph-desc\"", description)
    svg.raw("\n<g class=\"edges\">\n")
    for route in layout.routes { svg.line("<path d=\"\(curve(route))\"/>") }
    svg.raw("</g>\n")
    for (node, place) in zip(graph.nodes, layout.places) { drawn(node, place, &svg) }
    svg.line("</svg>")
    return svg.text
  }

  private var description: String {
    let titles = Dictionary(graph.nodes.map { ($0.id, $0.title) }) { first, _ in first }
    let edges = graph.edges.compactMap { edge in
      titles[edge.from].flatMap { from in titles[edge.to].map { "\(from) to \($0)" } }
    }
    return edges.isEmpty ? titles.values.sorted().joined(separator: ", ") : edges.joined(separator: "; ")
  }

  private func drawn(_ node: Graph.Node, _ place: GraphLayout.Place, _ svg: inout Markup) {
    let (x, width) = (lefts[place.layer], widths[place.layer])
    let y = Self.margin + place.y - Self.boxHeight / 2
    svg.raw("<g class=\"node \(node.kind.rawValue)\">")
    svg.element("title", "", node.detail.isEmpty ? node.title : "\(node.title): \(node.detail)")
    svg.raw(
      "<rect x=\"\(coordinate(x))\" y=\"\(coordinate(y))\" width=\"\(coordinate(width))\""
        + " height=\"\(coordinate(Self.boxHeight))\" rx=\"\(node.kind == .source ? 21 : 6)\"/>")
    let middle = coordinate(x + width / 2)
    let baseline = coordinate(y + (node.detail.isEmpty ? 26 : 18))
    svg.element("text", "x=\"\(middle)\" y=\"\(baseline)\"", Self.title(node).text)
    if !node.detail.isEmpty {
      svg.element("text", "class=\"detail\" x=\"\(middle)\" y=\"\(coordinate(y + 33))\"", Self.detail(node).text)
    }
    svg.line("</g>")
  }

  /// From the right side of one box to the left side of another, level through the columns between.
  private func curve(_ route: (from: Int, to: Int, through: [Double])) -> String {
    let from = layout.places[route.from]
    let to = layout.places[route.to]
    var (x, y) = (lefts[from.layer] + widths[from.layer], from.y + Self.margin)
    var path = "M\(coordinate(x)) \(coordinate(y))"
    func bend(to endX: Double, _ endY: Double) {
      let middle = coordinate((x + endX) / 2)
      path += "C\(middle) \(coordinate(y)) \(middle) \(coordinate(endY)) \(coordinate(endX)) \(coordinate(endY))"
      (x, y) = (endX, endY)
    }
    for (offset, height) in route.through.enumerated() {
      let layer = from.layer + 1 + offset
      bend(to: lefts[layer], height + Self.margin)
      x += widths[layer]
      path += "H\(coordinate(x))"
    }
    bend(to: lefts[to.layer], to.y + Self.margin)
    return path
  }
}
