import LemmaBasics

/// Where a value of the file is held against the type that a stage kind declares.
extension Diagnostics {
  /// The value as the type wants it, with defaults filled in; nil when it does not fit, which is
  /// reported with the exact place inside the value.
  func conform(_ node: Node, to type: ParameterType, called name: String) -> JSON? {
    if node.isFaulty { return nil }
    let value: JSON? = if case .scalar(let value, _) = node.content { value } else { nil }
    switch (type, value) {
    case (.integer(let range), .integer(let number)?) where range.contains(number): return value
    case (.number(let range), _):
      if let number = value?.double, range.contains(number) { return value }
    case (.string, .string?), (.boolean, .bool?): return value
    case (.choice(let words), .string(let word)?) where words.contains(word): return value
    case (.optional(let inner), _): return value == .null ? .null : conform(node, to: inner, called: name)
    case (.list(let element), _):
      if case .list(let nodes) = node.content { return list(nodes, of: element, called: name) }
    case (.map(let element), _):
      if case .mapping(let members) = node.content { return map(members, of: element, called: name) }
    case (.record(let parameters), _):
      if case .mapping(let members) = node.content {
        return record(members, parameters, called: name, at: node.mark).map(JSON.object)
      }
    default: break
    }
    var hint: String?
    if case (.choice(let words), .string(let word)?) = (type, value) {
      hint = nearest(to: word, among: words).map { "did you mean '\($0)'?" }
    } else if case (.string, .some) = (type, value), value != .null {
      hint = "write it in quotes, if it is text"
    }
    report("wrong-type", "'\(name)' must be \(type.words), not \(node.words)", at: node.mark, hint: hint)
    return nil
  }

  private func list(_ nodes: [Node], of type: ParameterType, called name: String) -> JSON? {
    let values = nodes.enumerated().compactMap { conform($1, to: type, called: "\(name)[\($0)]") }
    return values.count == nodes.count ? .array(values) : nil
  }

  private func map(_ members: [Node.Member], of type: ParameterType, called name: String) -> JSON? {
    var values: [String: JSON] = [:]
    for member in members {
      values[member.key] = conform(member.value, to: type, called: "\(name).\(member.key)")
    }
    return values.count == members.count ? .object(values) : nil
  }

  /// The members as the parameters want them. With an empty `name` they are a stage's own.
  /// What is missing is reported at `mark`.
  func record(
    _ members: [Node.Member], _ parameters: [StageKind.Parameter], called name: String, at mark: Mark
  ) -> [String: JSON]? {
    let prefix = name.isEmpty ? "" : name + "."
    var isGood = true
    var values: [String: JSON] = [:]
    for member in members where member.key != Node.mergeKey {
      guard let parameter = parameters.first(where: { $0.name == member.key }) else {
        isGood = false
        let place = name.isEmpty ? "'with'" : "'\(name)'"
        report(
          "unknown-key", "unknown key \(quoted(member.key)) in \(place)", at: member.keyMark,
          hint: suggestion(for: member.key, among: parameters.map(\.name), called: "keys"))
        continue
      }
      values[member.key] = conform(member.value, to: parameter.type, called: prefix + member.key)
      if values[member.key] == nil { isGood = false }
    }
    for parameter in parameters where !members.contains(where: { $0.key == parameter.name }) {
      if let value = parameter.missingValue {
        values[parameter.name] = value
      } else {
        isGood = false
        missing(
          parameter.name, among: members.map(\.key), known: parameters.map(\.name),
          "'\(prefix)\(parameter.name)' is missing", at: mark,
          hint: "it must be \(parameter.type.words): \(parameter.summary)")
      }
    }
    return isGood ? values : nil
  }
}

extension StageKind.Parameter {
  /// What stands in for the parameter when it is not given; nil when it must be.
  var missingValue: JSON? {
    if let defaultValue { return defaultValue }
    if case .optional = type { return .null }
    return nil
  }
}

extension ParameterType {
  /// The type in words, for "must be ...".
  var words: String {
    switch self {
    case .integer(let range): "an integer" + Self.range(range, low: .min, high: .max)
    case .number(let range):
      "a number"
        + Self.range(
          range, low: -Double.greatestFiniteMagnitude, high: .greatestFiniteMagnitude,
          print: { $0.isFinite ? JSON($0).canonical : "\($0)" })
    case .string: "a text"
    case .choice(let words): "one of \(words.joined(separator: ", "))"
    case .boolean: "true or false"
    case .list(let element): "a list, each \(element.words)"
    case .map(let element): "a mapping, each value \(element.words)"
    case .record(let parameters): "a mapping of \(parameters.map(\.name).joined(separator: ", "))"
    case .optional(let inner): "\(inner.words), or null"
    }
  }

  private static func range<T>(
    _ range: ClosedRange<T>, low: T, high: T, print: (T) -> String = { "\($0)" }
  ) -> String {
    switch (range.lowerBound <= low, range.upperBound >= high) {
    case (true, true): ""
    case (false, true): " of at least \(print(range.lowerBound))"
    case (true, false): " of at most \(print(range.upperBound))"
    case (false, false): " from \(print(range.lowerBound)) to \(print(range.upperBound))"
    }
  }
}
