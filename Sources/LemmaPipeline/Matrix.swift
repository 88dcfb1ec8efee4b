import LemmaBasics

/// One key of a stage's matrix.
struct Axis {
  var key: String
  var values: [JSON]
  /// The values as they stand in ids and labels; no two are the same.
  var texts: [String]
  private let indexes: [JSON: Int]

  init(key: String, values: [JSON], texts: [String]) {
    self.key = key
    self.values = values
    self.texts = texts
    indexes = Dictionary(values.enumerated().map { ($1, $0) }) { first, _ in first }
  }

  func index(of value: JSON) -> Int? { indexes[value] }
}

/// The instances of a stage: the cartesian product of its axes, the last one turning fastest.
/// Without axes there is one instance.
struct Matrix {
  static let stageLimit = 100_000
  static let keyLimit = 16

  var axes: [Axis] = []

  /// How many instances there are; nil beyond what an integer holds.
  var count: Int? {
    axes.reduce(1) { (total: Int?, axis) in
      guard let (product, overflow) = total?.multipliedReportingOverflow(by: axis.values.count), !overflow else {
        return nil
      }
      return product
    }
  }

  /// Which value of each axis an instance has.
  func digits(of instance: Int) -> [Int] {
    var rest = instance
    return axes.reversed().map { axis in
      defer { rest /= axis.values.count }
      return rest % axis.values.count
    }.reversed()
  }

  func values(of instance: Int) -> [(key: String, value: JSON)] {
    zip(axes, digits(of: instance)).map { ($0.key, $0.values[$1]) }
  }

  /// `size=500,seed=1`, or nothing without a matrix.
  func label(of instance: Int) -> String {
    zip(axes, digits(of: instance)).map { "\($0.key)=\($0.texts[$1])" }.joined(separator: ",")
  }

  /// The instances that have the given values on every key they share with them, in matrix order,
  /// each with a label of the keys that are not shared (nil when all are).
  func instances(agreeingWith values: [(key: String, value: JSON)]) -> [(instance: Int, label: String?)] {
    var found: [(instance: Int, label: String?)] = [(0, nil)]
    for axis in axes {
      if let shared = values.first(where: { $0.key == axis.key }) {
        guard let digit = axis.index(of: shared.value) else { return [] }
        for index in found.indices { found[index].instance = found[index].instance * axis.values.count + digit }
      } else {
        found = found.flatMap { member in
          axis.texts.enumerated().map { digit, text in
            let own = "\(axis.key)=\(text)"
            return (member.instance * axis.values.count + digit, member.label.map { "\($0),\(own)" } ?? own)
          }
        }
      }
    }
    return found
  }

  /// How many instances `instances(agreeingWith:)` gives, if any.
  func fanIn(from keys: [String]) -> Int {
    axes.reduce(1) { keys.contains($1.key) ? $0 : $0 * $1.values.count }
  }
}

extension Evaluator {
  /// Reads `matrix:`; nil when it is wrong, which is reported.
  func matrix(_ node: Node, of stage: String) throws -> Matrix? {
    guard let members = diagnostics.members(of: node, called: "the matrix of '\(stage)'") else { return nil }
    if members.isEmpty {
      diagnostics.report("empty-matrix", "the matrix of '\(stage)' is empty", at: node.mark)
      return nil
    }
    if members.count > Matrix.keyLimit {
      diagnostics.report(
        "too-large", "the matrix of '\(stage)' has more than \(Matrix.keyLimit) keys", at: node.mark)
      return nil
    }
    var matrix = Matrix()
    for member in members {
      guard diagnostics.isName(member.key, of: "a matrix key", at: member.keyMark) else { continue }
      if let axis = try axis(member, of: stage) { matrix.axes.append(axis) }
    }
    guard matrix.axes.count == members.count else { return nil }
    guard let count = matrix.count, count <= Matrix.stageLimit else {
      diagnostics.report(
        "too-large", "the matrix of '\(stage)' makes more than \(Matrix.stageLimit) stages", at: node.mark)
      return nil
    }
    return matrix
  }

  private func axis(_ member: Node.Member, of stage: String) throws -> Axis? {
    let node = try resolve(member.value, in: Scope(namespaces: ["params"], stage: stage))
    if node.isFaulty { return nil }
    guard case .list(let elements) = node.content else {
      diagnostics.report(
        "wrong-type", "the matrix key '\(member.key)' must be a list of values, not \(node.words)", at: node.mark)
      return nil
    }
    if elements.isEmpty {
      diagnostics.report("empty-matrix", "the matrix key '\(member.key)' has no values", at: node.mark)
      return nil
    }
    var seen: Set<String> = []
    var values: [JSON] = []
    var texts: [String] = []
    for element in elements {
      guard let (value, text) = matrixValue(element, key: member.key) else { continue }
      guard seen.insert(text).inserted else {
        diagnostics.report(
          "duplicate", "the matrix key '\(member.key)' has the value \(quoted(text)) twice", at: element.mark)
        continue
      }
      values.append(value)
      texts.append(text)
    }
    return values.count == elements.count ? Axis(key: member.key, values: values, texts: texts) : nil
  }

  private func matrixValue(_ node: Node, key: String) -> (JSON, String)? {
    switch node.content {
    case .faulty: return nil
    case .scalar(.string(let text), _):
      let isClear = !text.isEmpty && text.utf8.allSatisfy { $0 >= 0x20 && !",[]".utf8.contains($0) }
      if isClear { return (.string(text), text) }
      diagnostics.report(
        "bad-matrix-value", "\(quoted(text)) cannot be a matrix value", at: node.mark,
        hint: "values stand in stage ids: no commas, brackets or line breaks, and not nothing")
    case .scalar(let value, _) where value != .null: return (value, value.canonical)
    default:
      diagnostics.report(
        "wrong-type", "the values of the matrix key '\(key)' must be texts, numbers or booleans, not \(node.words)",
        at: node.mark)
    }
    return nil
  }
}
