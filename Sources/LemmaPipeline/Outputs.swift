import LemmaBasics

/// The outputs, environment, tools and resources of a stage instance.
extension Expansion {
  /// A built-in kind's outputs, each under `results/<stage>/<matrix>/` unless `out` says otherwise.
  func outputs(
    of kind: StageKind, _ declaration: StageDeclaration, label: String, _ scope: Scope
  ) throws -> [Stage.Output] {
    for member in declaration.outputs where !kind.outputs.contains(where: { $0.name == member.key }) {
      diagnostics.report(
        "unknown-output", "the kind '\(kind.name)' has no output '\(member.key)'", at: member.keyMark,
        hint: suggestion(for: member.key, among: kind.outputs.map(\.name), called: "outputs"))
    }
    let folder =
      label.isEmpty
      ? ""
      : label.split(separator: ",").map { ProjectPath.escape(String($0)) }
        .joined(separator: ",") + "/"
    var outputs: [Stage.Output] = []
    for output in kind.outputs {
      let place: String?
      if let member = declaration.outputs.first(where: { $0.key == output.name }) {
        place = try self.place(member, scope)
      } else {
        place = diagnostics.path("results/\(declaration.name)/\(folder)\(output.fileName)", at: declaration.mark)
      }
      guard let place else { continue }
      outputs.append(
        Stage.Output(name: output.name, path: place, fileName: output.fileName, isFolder: output.isFolder))
    }
    return outputs
  }

  /// A command's outputs, all of them declared.
  func outputs(of declaration: StageDeclaration, _ scope: Scope) throws -> [Stage.Output] {
    try declaration.outputs.compactMap { member in
      try place(member, scope).map { path in
        let fileName = ProjectPath.fileName(member.key, path: path)
        return Stage.Output(name: member.key, path: path, fileName: fileName, isFolder: nil)
      }
    }
  }

  private func place(_ member: Node.Member, _ scope: Scope) throws -> String? {
    let node = try evaluator.resolve(member.value, in: scope)
    switch node.content {
    case .scalar(.string(let text), _): return diagnostics.path(text, at: node.mark)
    case .faulty: return nil
    default:
      diagnostics.report(
        "wrong-type", "the path of output '\(member.key)' must be a text, not \(node.words)", at: node.mark)
      return nil
    }
  }

  func environment(of declaration: StageDeclaration, _ scope: Scope) throws -> [String: String] {
    var environment: [String: String] = [:]
    for member in declaration.environment {
      guard isVariable(member.key) else {
        diagnostics.report(
          "bad-name", "\(quoted(member.key)) cannot name an environment variable", at: member.keyMark,
          hint: "names begin with a letter or _ and go on with letters, digits and _")
        continue
      }
      let node = try evaluator.resolve(member.value, in: scope)
      guard let text = word(node, of: "the environment variable '\(member.key)'") else { continue }
      if text.hasPrefix("env:"), !isVariable(String(text.dropFirst(4))) {
        diagnostics.report(
          "bad-name", "\(quoted(text)) names no environment variable", at: node.mark,
          hint: "write env:NAME to pass on the variable NAME without writing its value down")
        continue
      }
      environment[member.key] = text
    }
    return environment
  }

  private func isVariable(_ name: String) -> Bool { isIdentifier(name) && !name.utf8.contains(UInt8(ascii: "-")) }

  func tools(of declaration: StageDeclaration, _ scope: Scope) throws -> [String] {
    guard let tools = declaration.tools else { return [] }
    let node = try evaluator.resolve(tools, in: scope)
    guard case .list(let elements) = node.content else {
      if !node.isFaulty {
        diagnostics.report(
          "wrong-type", "'tools' must be a list of program names, not \(node.words)", at: node.mark)
      }
      return []
    }
    var names: [String] = []
    var seen: Set<String> = []
    for element in elements {
      guard let name = word(element, of: "a tool") else { continue }
      if name.isEmpty || name.utf8.contains(where: { $0 < 0x20 }) {
        diagnostics.report("bad-name", "\(quoted(name)) cannot name a tool", at: element.mark)
      } else if !seen.insert(name).inserted {
        diagnostics.report("duplicate", "the tool \(quoted(name)) stands twice", at: element.mark)
      } else {
        names.append(name)
      }
    }
    return names
  }

  /// A scalar as the text it was written as; numbers and booleans keep their spelling.
  func word(_ node: Node, of what: String) -> String? {
    switch node.content {
    case .faulty: return nil
    case .scalar(let value, let text) where value != .null: return text
    default:
      diagnostics.report("wrong-type", "\(what) must be a text, not \(node.words)", at: node.mark)
      return nil
    }
  }

  func resources(of declaration: StageDeclaration, _ scope: Scope) throws -> Stage.Resources {
    var resources = Stage.Resources()
    guard let node = declaration.resources else { return resources }
    let value = try evaluator.resolve(node, in: scope)
    guard let fields = diagnostics.fields(of: value, called: "'resources'", known: ["cpus", "memory"]) else {
      return resources
    }
    if let cpus = fields["cpus"]?.value {
      resources.cpus = diagnostics.conform(cpus, to: .integer(1...4096), called: "cpus")?.int ?? 1
    }
    if let memory = fields["memory"]?.value, !memory.isFaulty {
      resources.memory = bytes(memory)
      if resources.memory == nil {
        diagnostics.report(
          "wrong-type", "'memory' must be a size such as 512M or 4G, not \(memory.words)", at: memory.mark,
          hint: "K, M, G and T are powers of 1024")
      }
    }
    return resources
  }

  /// A size such as `512M`; nil when it is none.
  func bytes(_ node: Node) -> Int? {
    let powers = ["K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40]
    let units = powers.flatMap { unit, size in ["", "i", "iB", "B"].map { (unit + $0, size) } }
    return quantity(node, units: Dictionary(uniqueKeysWithValues: units))
  }

  /// A positive integer, maybe with a unit right behind it; nil when it is none.
  func quantity(_ node: Node, units: [String: Int]) -> Int? {
    guard case .scalar(let value, let text) = node.content else { return nil }
    if let count = value.int { return count > 0 ? count : nil }
    guard case .string = value else { return nil }
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard let count = Int(digits), count > 0, let unit = units[String(text.dropFirst(digits.count))] else { return nil }
    let (product, overflow) = count.multipliedReportingOverflow(by: unit)
    return overflow ? nil : product
  }
}
