import LemmaBasics

/// Where a stage's policy is read: sandbox, network, determinism, expectations, attempts, time.
extension Expansion {
  static let policyKeys = ["sandbox", "network", "determinism", "expect", "resume", "retries", "timeout"]

  func policy(of declaration: StageDeclaration, _ scope: Scope) throws -> Stage.Policy {
    var policy = Stage.Policy(sandbox: defaultSandbox)
    func value(_ key: String, as type: @autoclosure () -> ParameterType) throws -> JSON? {
      guard let node = declaration.policy[key] else { return nil }
      return diagnostics.conform(try evaluator.resolve(node, in: scope), to: type(), called: key)
    }
    if let word = try value("sandbox", as: .words(of: SandboxMode.self))?.string {
      policy.sandbox = SandboxMode(rawValue: word) ?? policy.sandbox
    }
    policy.hasNetwork = try value("network", as: .boolean) == true
    policy.determinism = try value("determinism", as: .words(of: Determinism.self))?.string
      .flatMap { Determinism(rawValue: $0) }
    policy.resumes = try value("resume", as: .boolean) == true
    policy.retries = try value("retries", as: .integer(0...100))?.int ?? 0
    if let node = declaration.policy["timeout"] {
      policy.timeout = seconds(try evaluator.resolve(node, in: scope))
    }
    policy.expectations = try expectations(of: declaration, scope)
    return policy
  }

  /// A time such as `30m`; nil when it is none, which is reported.
  private func seconds(_ node: Node) -> Int? {
    guard !node.isFaulty else { return nil }
    if let seconds = quantity(node, units: ["s": 1, "m": 60, "h": 3600, "d": 86400]), seconds <= 366 * 86400 {
      return seconds
    }
    diagnostics.report(
      "wrong-type", "'timeout' must be a time such as 90s, 30m or 2h, not \(node.words)", at: node.mark,
      hint: "s, m, h and d are seconds, minutes, hours and days; at most 366d")
    return nil
  }

  // MARK: Expectations

  private func expectations(of declaration: StageDeclaration, _ scope: Scope) throws -> [Expectation] {
    guard let node = declaration.policy["expect"] else { return [] }
    let value = try evaluator.resolve(node, in: scope)
    return (diagnostics.members(of: value, called: "'expect'") ?? []).compactMap { member in
      guard declaration.makes(member.key) else {
        diagnostics.report(
          "unknown-output", "stage '\(declaration.name)' has no output \(quoted(member.key))", at: member.keyMark,
          hint: suggestion(for: member.key, among: declaration.outputNames, called: "outputs"))
        return nil
      }
      let what = "what is expected of '\(member.key)'"
      guard let fields = diagnostics.fields(of: member.value, called: what, known: ["rows", "bytes", "schema"]) else {
        return nil
      }
      var expectation = Expectation(output: member.key, position: diagnostics.text.position(of: member.keyMark))
      if let node = fields["rows"]?.value { expectation.rows = range(node, called: "rows") { plainCount($0) } }
      if let node = fields["bytes"]?.value {
        expectation.bytes = range(node, called: "bytes") { plainCount($0) ?? bytes($0) }
      }
      if let node = fields["schema"]?.value {
        expectation.columns =
          diagnostics.conform(node, to: .list(.string), called: "schema")?.array?.compactMap(\.string) ?? []
      }
      return expectation
    }
  }

  /// One count, or a mapping of `min` and `max`; nil when it is neither, which is reported.
  private func range(_ node: Node, called name: String, count: (Node) -> Int?) -> ClosedRange<Int>? {
    if node.isFaulty { return nil }
    if let exact = count(node) { return exact...exact }
    guard case .mapping = node.content else {
      diagnostics.report(
        "wrong-type", "'\(name)' must be a count, or a mapping of min and max, not \(node.words)", at: node.mark)
      return nil
    }
    guard let fields = diagnostics.fields(of: node, called: "'\(name)'", known: ["min", "max"]) else { return nil }
    func bound(_ key: String, _ missing: Int) -> Int? {
      guard let node = fields[key]?.value else { return missing }
      if let bound = count(node) { return bound }
      if !node.isFaulty {
        diagnostics.report("wrong-type", "'\(name).\(key)' must be a count, not \(node.words)", at: node.mark)
      }
      return nil
    }
    guard let low = bound("min", 0), let high = bound("max", .max) else { return nil }
    guard low <= high else {
      diagnostics.report("contradiction", "'\(name).min' is more than '\(name).max'", at: node.mark)
      return nil
    }
    return low...high
  }

  private func plainCount(_ node: Node) -> Int? {
    guard case .scalar(let value, _) = node.content, let count = value.int, count >= 0 else { return nil }
    return count
  }
}

extension ParameterType {
  /// One of the words of an enumeration.
  static func words<Word: CaseIterable & RawRepresentable>(of type: Word.Type) -> ParameterType
  where Word.RawValue == String {
    .choice(type.allCases.map(\.rawValue))
  }
}
