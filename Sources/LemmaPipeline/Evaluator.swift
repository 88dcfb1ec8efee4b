import LemmaBasics

/// What a text may refer to where it stands.
struct Scope {
  /// The namespaces that have a meaning here, such as `params` and `matrix`.
  var namespaces: [String]
  var matrix: [(key: String, value: JSON)] = []
  /// The declared name of the stage, for messages.
  var stage = ""
}

/// Puts the values of parameters and matrix keys in the place of their references, within a budget
/// that bounds what a small file can grow to.
final class Evaluator {
  /// In bytes of text; every value counts as `valueCost` more.
  static let budgetLimit = 256 << 20
  static let valueCost = 32
  /// The same for what references bring in beyond a line's worth each: a short file that names a long
  /// parameter many times grows by it alone.
  static let referenceLimit = 32 << 20
  static let freeReferenceCost = 64
  /// Bytes of one text with references in it.
  static let textLimit = 1 << 20

  let diagnostics: Diagnostics
  var parameters: [String: JSON] = [:] {
    didSet { costs = parameters.mapValues { Self.cost($0) } }
  }
  /// Parameters whose values were reported: their uses are not reported as well.
  var faultyParameters: Set<String> = []
  private var costs: [String: Int] = [:]
  private var spent = 0
  private var spentOnReferences = 0

  init(_ diagnostics: Diagnostics) { self.diagnostics = diagnostics }

  /// - Throws: `Failure` when the pipeline expands beyond the budget.
  func spend(_ cost: Int, at mark: Mark) throws {
    spent += cost
    guard spent <= Self.budgetLimit else {
      throw Failure(
        .user, "too-large", "the pipeline expands to more than \(Self.budgetLimit >> 20) MiB of values",
        at: diagnostics.text.position(of: mark), hint: "use smaller matrices, or put long lists into files")
    }
  }

  private func spendReference(_ cost: Int, at mark: Mark) throws {
    try spend(cost, at: mark)
    spentOnReferences += max(0, cost - Self.freeReferenceCost)
    guard spentOnReferences <= Self.referenceLimit else {
      throw Failure(
        .user, "too-large", "references expand to more than \(Self.referenceLimit >> 20) MiB of values",
        at: diagnostics.text.position(of: mark), hint: "put long values into files, and name them under 'in:'")
    }
  }

  /// - Throws: `Failure` when a text has grown beyond what a command line or a setting can be.
  func checkLength(_ text: String, at mark: Mark) throws {
    guard text.utf8.count > Self.textLimit else { return }
    throw Failure(
      .user, "too-large", "with its references in place the text has more than \(Self.textLimit >> 20) MiB",
      at: diagnostics.text.position(of: mark), hint: "put long texts into files, and name them under 'in:'")
  }

  /// The value with every reference replaced. A scalar that is one reference takes the value with its
  /// type; a reference inside a text must be a scalar.
  func resolve(_ node: Node, in scope: Scope) throws -> Node {
    switch node.content {
    case .scalar(_, let text):
      try spend(Self.valueCost + text.utf8.count, at: node.mark)
      guard node.isTemplate else { return node }
      guard let template = template(node) else { return Node(.faulty, at: node.mark) }
      if let names = template.wholeToken {
        return try value(of: names, in: scope, at: node.mark).map { Node($0, at: node.mark) }
          ?? Node(.faulty, at: node.mark)
      }
      var result = ""
      for piece in template.pieces {
        switch piece {
        case .text(let text): result += text
        case .token(let names):
          guard let text = try self.text(of: names, in: scope, at: node.mark) else {
            return Node(.faulty, at: node.mark)
          }
          result += text
          try checkLength(result, at: node.mark)
        }
      }
      return Node(.scalar(.string(result), text: result), at: node.mark)
    case .list(let elements):
      try spend(Self.valueCost, at: node.mark)
      return Node(.list(try elements.map { try resolve($0, in: scope) }), at: node.mark)
    case .mapping(let members):
      try spend(Self.valueCost, at: node.mark)
      return Node(
        .mapping(
          try members.map { member in
            if hasReference(member.key) {
              diagnostics.report("reference", "a key cannot hold a reference", at: member.keyMark)
            }
            return Node.Member(
              key: member.key, keyMark: member.keyMark, value: try resolve(member.value, in: scope))
          }), at: node.mark)
    case .faulty: return node
    }
  }

  /// The parts of a text node; nil when it is malformed, which is reported.
  func template(_ node: Node) -> Template? {
    guard case .scalar(_, let text) = node.content else { return nil }
    do {
      return try Template(text)
    } catch {
      diagnostics.report(
        "reference", "\(quoted(error.text)) is no reference", at: node.mark,
        hint: "write ${params.name} and the like, or $${ for the characters ${")
      return nil
    }
  }

  /// The text of a scalar value, for a place inside other text.
  func text(of names: [String], in scope: Scope, at mark: Mark) throws -> String? {
    guard let value = try value(of: names, in: scope, at: mark) else { return nil }
    switch value {
    case .string(let text): return text
    case .integer, .number, .bool: return value.canonical
    case .null, .array, .object:
      diagnostics.report(
        "reference", "\(written(names)) is \(Node(value, at: mark).words) and cannot stand inside a text", at: mark)
      return nil
    }
  }

  /// The value that the names lead to; nil when there is none, which is reported.
  func value(of names: [String], in scope: Scope, at mark: Mark) throws -> JSON? {
    guard scope.namespaces.contains(names[0]) else {
      let known = scope.namespaces.map { "${\($0).name}" }.joined(separator: ", ")
      diagnostics.report(
        "reference", "\(written(names)) has no meaning here", at: mark,
        hint: scope.namespaces.contains { nearest(to: names[0], among: [$0]) != nil }
          ? suggestion(for: names[0], among: scope.namespaces, called: "references")
          : known.isEmpty ? "no references here; write $${ for the characters ${" : "references here: \(known)")
      return nil
    }
    if names[0] == "matrix" { return matrixValue(names, in: scope, at: mark) }
    if faultyParameters.contains(names[1]) { return nil }
    guard let parameter = parameters[names[1]] else {
      diagnostics.report(
        "unknown-param", "there is no parameter '\(names[1])'", at: mark,
        hint: suggestion(
          for: names[1], among: (Array(parameters.keys) + faultyParameters).sorted(), called: "parameters"))
      return nil
    }
    try spendReference(costs[names[1]] ?? 0, at: mark)
    return member(names.dropFirst(2), of: parameter, named: names, at: mark)
  }

  private func member(_ path: ArraySlice<String>, of value: JSON, named names: [String], at mark: Mark) -> JSON? {
    guard let key = path.first else { return value }
    guard let inner = value[key] else {
      let above = names[..<path.startIndex].joined(separator: ".")
      diagnostics.report(
        "unknown-param", "'\(above)' has no member '\(key)'", at: mark,
        hint: suggestion(for: key, among: value.object?.keys.sorted() ?? [], called: "members"))
      return nil
    }
    return member(path.dropFirst(), of: inner, named: names, at: mark)
  }

  private func matrixValue(_ names: [String], in scope: Scope, at mark: Mark) -> JSON? {
    if names.count == 2, let pair = scope.matrix.first(where: { $0.key == names[1] }) { return pair.value }
    let key = names.dropFirst().joined(separator: ".")
    diagnostics.report(
      "unknown-matrix-key", "stage '\(scope.stage)' has no matrix key '\(key)'", at: mark,
      hint: suggestion(for: key, among: scope.matrix.map(\.key), called: "matrix keys"))
    return nil
  }

  private static func cost(_ value: JSON) -> Int {
    switch value {
    case .string(let text): valueCost + text.utf8.count
    case .array(let elements): elements.reduce(valueCost) { $0 + cost($1) }
    case .object(let members): members.reduce(valueCost) { $0 + cost($1.value) + $1.key.utf8.count }
    default: valueCost
    }
  }
}

extension Node {
  /// The plain value; nil when something in it was reported.
  var json: JSON? {
    switch content {
    case .scalar(let value, _): return value
    case .faulty: return nil
    case .list(let elements):
      var values: [JSON] = []
      for element in elements {
        guard let value = element.json else { return nil }
        values.append(value)
      }
      return .array(values)
    case .mapping(let members):
      var values: [String: JSON] = [:]
      for member in members {
        guard let value = member.value.json else { return nil }
        values[member.key] = value
      }
      return .object(values)
    }
  }
}
