import LemmaReport
import LemmaTestSupport
import Testing

@Suite("Graphs: boxes that do not overlap, edges that run to the right")
struct GraphTests {
  private struct Box: Hashable {
    var x: Double
    var y: Double
    var width: Double
    var height: Double
  }

  private func drawing(_ graph: Graph) throws -> Substring {
    try #require(drawings(Report(title: "t", graph: graph).html()).first)
  }

  private func boxes(_ drawing: Substring) throws -> [Box] {
    try #require(startTags(String(drawing))).filter { $0.name == "rect" }.map { tag in
      let sides = ["x", "y", "width", "height"].map { Double(tag.attributes[$0] ?? "") ?? .nan }
      return Box(x: sides[0], y: sides[1], width: sides[2], height: sides[3])
    }
  }

  private func overlaps(_ boxes: [Box]) -> Int {
    var count = 0
    for (index, a) in boxes.enumerated() {
      for b in boxes[..<index]
      where a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height {
        count += 1
      }
    }
    return count
  }

  private func graph(_ count: Int, _ edges: [(Int, Int)]) -> Graph {
    Graph(
      nodes: (0..<count).map { Graph.Node(id: "\($0)", title: "node \($0)") },
      edges: edges.map { Graph.Edge(from: "\($0.0)", to: "\($0.1)") })
  }

  @Test("a chain stands in one row, from left to right")
  func chain() throws {
    let boxes = try boxes(drawing(graph(4, [(2, 3), (0, 1), (1, 2)])))
    #expect(Set(boxes.map(\.y)).count == 1)
    #expect(boxes.map(\.x) == boxes.map(\.x).sorted() && Set(boxes.map(\.x)).count == 4)
  }

  @Test("a fan-out of twenty stands in one column, in its order, its source at the middle")
  func fanOut() throws {
    let boxes = try boxes(drawing(graph(22, (1...20).flatMap { [(0, $0), ($0, 21)] })))
    let fan = boxes[1...20]
    #expect(Set(fan.map(\.x)).count == 1)
    #expect(fan.map(\.y) == fan.map(\.y).sorted())
    let middle = (boxes[1].y + boxes[20].y) / 2
    #expect(abs(boxes[0].y - middle) < 1 && abs(boxes[21].y - middle) < 1)
    #expect(overlaps(boxes) == 0)
  }

  @Test("random graphs: no overlaps, nothing outside, every edge to the right", arguments: 0..<40)
  func random(seed: Int) throws {
    var numbers = SeededGenerator(seed: UInt64(seed))
    let count = Int.random(in: 1...40, using: &numbers)
    var edges: [(Int, Int)] = []
    for to in 0..<count {
      for _ in 0..<Int.random(in: 0...3, using: &numbers) where to > 0 {
        edges.append((Int.random(in: 0..<to, using: &numbers), to))
      }
    }
    let drawing = try drawing(graph(count, edges))
    let boxes = try boxes(drawing)
    #expect(boxes.count == count)
    #expect(overlaps(boxes) == 0)
    #expect(strayPoints(drawing) == [])
    for (from, to) in edges { #expect(boxes[from].x + boxes[from].width < boxes[to].x) }
  }

  @Test("no edge runs through a box", arguments: 0..<20)
  func passing(seed: Int) throws {
    var numbers = SeededGenerator(seed: UInt64(seed))
    let edges = (1..<12).flatMap { to in
      (0..<2).map { _ in (Int.random(in: 0..<to, using: &numbers), to) }
    }
    let drawing = try drawing(graph(12, edges))
    let boxes = try boxes(drawing)
    let tags = try #require(startTags(String(drawing)))
    for path in tags.compactMap({ $0.name == "path" ? $0.attributes["d"] : nil }) {
      let way = try #require(points(ofPath: path))
      // Between two points at one height the edge is level: where it passes a column.
      for (a, b) in zip(way, way.dropFirst()) where a.y == b.y {
        #expect(!boxes.contains { $0.y < a.y && a.y < $0.y + $0.height && $0.x < b.x - 1 && a.x + 1 < $0.x + $0.width })
      }
    }
  }

  @Test("circles, loops, doubles and edges to nowhere are drawn or left out, never fatal")
  func oddities() throws {
    let odd = graph(3, [(0, 1), (1, 2), (2, 0), (1, 1), (0, 1), (0, 9), (9, 0)])
    let drawing = try drawing(odd)
    #expect(try boxes(drawing).count == 3)
    #expect(drawing.split(separator: "<path").count - 1 == 3)
    #expect(strayPoints(drawing) == [])
  }

  @Test("two nodes of one id are both drawn")
  func twins() throws {
    let node = Graph.Node(id: "a", title: "a")
    #expect(try boxes(drawing(Graph(nodes: [node, node], edges: [Graph.Edge(from: "a", to: "a")]))).count == 2)
  }

  @Test("what is too large to draw is counted")
  func tooLarge() {
    let html = Report(title: "t", graph: graph(301, (1..<301).map { ($0 - 1, $0) })).html()
    #expect(html.contains("<p>301 nodes and 300 edges, too many to draw.</p>") && !html.contains("<svg"))
  }
}
