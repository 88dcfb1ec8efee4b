/// What a report shows, as plain values. Nothing here knows where they come from or how they look.
public struct Report: Sendable {
  public var title: String
  public var subtitle: String
  /// Short facts at the head of the page, each a name and a value.
  public var facts: [(name: String, value: String)]
  public var charts: [Chart]
  public var tables: [Table]
  public var graph: Graph
  public var evidence: [Evidence]
  /// Sentences at the foot of the page.
  public var notes: [String]

  public init(
    title: String, subtitle: String = "", facts: [(name: String, value: String)] = [], charts: [Chart] = [],
    tables: [Table] = [], graph: Graph = Graph(), evidence: [Evidence] = [], notes: [String] = []
  ) {
    self.title = title
    self.subtitle = subtitle
    self.facts = facts
    self.charts = charts
    self.tables = tables
    self.graph = graph
    self.evidence = evidence
    self.notes = notes
  }
}

/// Points over two axes, joined within each series. What is not finite, or not positive on a
/// logarithmic axis, is left out.
public struct Chart: Sendable, Hashable {
  public enum Scale: Sendable, Hashable { case linear, log }

  public struct Point: Sendable, Hashable {
    public var x: Double
    public var y: Double
    /// The interval that the error bar spans, such as a Wilson interval.
    public var low: Double?
    public var high: Double?
    /// What stands at the point; nil for its y, empty for nothing.
    public var label: String?

    public init(x: Double, y: Double, low: Double? = nil, high: Double? = nil, label: String? = nil) {
      self.x = x
      self.y = y
      self.low = low
      self.high = high
      self.label = label
    }
  }

  public struct Series: Sendable, Hashable {
    public var name: String
    public var points: [Point]

    public init(name: String, points: [Point]) {
      self.name = name
      self.points = points
    }
  }

  public var title: String
  public var xLabel: String
  public var yLabel: String
  public var xScale: Scale
  public var yScale: Scale
  public var series: [Series]
  /// A sentence under the chart, such as what the bars are.
  public var note: String

  public init(
    title: String, xLabel: String, yLabel: String, xScale: Scale = .linear, yScale: Scale = .linear,
    series: [Series], note: String = ""
  ) {
    self.title = title
    self.xLabel = xLabel
    self.yLabel = yLabel
    self.xScale = xScale
    self.yScale = yScale
    self.series = series
    self.note = note
  }
}

public struct Table: Sendable, Hashable {
  public struct Column: Sendable, Hashable {
    public var title: String
    /// Numbers stand to the right, so that their digits line up.
    public var isNumeric: Bool

    public init(_ title: String, isNumeric: Bool = false) {
      self.title = title
      self.isNumeric = isNumeric
    }
  }

  public struct Cell: Sendable, Hashable, ExpressibleByStringLiteral {
    public var text: String
    /// Said more quietly behind the text, such as an interval.
    public var detail: String
    /// Whether it stands out, such as the best of a column.
    public var isStrong: Bool

    public init(_ text: String, detail: String = "", isStrong: Bool = false) {
      self.text = text
      self.detail = detail
      self.isStrong = isStrong
    }

    public init(stringLiteral value: String) { self.init(value) }
  }

  public var caption: String
  public var columns: [Column]
  /// A row with fewer cells than columns ends in empty ones; what is more is not shown.
  public var rows: [[Cell]]

  public init(caption: String, columns: [Column], rows: [[Cell]]) {
    self.caption = caption
    self.columns = columns
    self.rows = rows
  }
}

/// What was made from what, drawn from left to right.
public struct Graph: Sendable, Hashable {
  public struct Node: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable { case source, stage, command, result }

    public var id: String
    public var title: String
    /// A second, quieter line.
    public var detail: String
    public var kind: Kind

    public init(id: String, title: String, detail: String = "", kind: Kind = .stage) {
      self.id = id
      self.title = title
      self.detail = detail
      self.kind = kind
    }
  }

  public struct Edge: Sendable, Hashable {
    public var from: String
    public var to: String

    public init(from: String, to: String) {
      self.from = from
      self.to = to
    }
  }

  public var nodes: [Node]
  /// An edge of or to a node that is not there is left out.
  public var edges: [Edge]

  public init(nodes: [Node] = [], edges: [Edge] = []) {
    self.nodes = nodes
    self.edges = edges
  }
}

/// What one number rests on: every artifact it was made from, by digest.
public struct Evidence: Sendable, Hashable {
  public struct Item: Sendable, Hashable {
    /// What the artifact was to the number, such as `model` or `test set`.
    public var role: String
    public var name: String
    /// In hexadecimal.
    public var xxh3: String
    public var sha256: String
    /// In bytes.
    public var size: Int

    public init(role: String, name: String, xxh3: String, sha256: String, size: Int) {
      self.role = role
      self.name = name
      self.xxh3 = xxh3
      self.sha256 = sha256
      self.size = size
    }
  }

  /// The number's name and value.
  public var number: String
  public var items: [Item]

  public init(number: String, items: [Item]) {
    self.number = number
    self.items = items
  }
}
