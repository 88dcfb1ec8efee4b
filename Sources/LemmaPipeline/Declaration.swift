import LemmaBasics

/// A stage as it stands in the file: its parts found and named, its values not yet looked at.
struct StageDeclaration {
  enum Work {
    case builtin(StageKind, with: Node?)
    case command(Node)
  }

  var name: String
  var mark: Mark
  /// nil when it is wrong, which was reported.
  var work: Work?
  var inputs: [Node.Member] = [] { didSet { inputNames = Set(inputs.map(\.key)) } }
  var outputs: [Node.Member] = [] {
    didSet { outputMarks = Dictionary(outputs.map { ($0.key, $0.value.mark) }) { first, _ in first } }
  }
  private(set) var inputNames: Set<String> = []
  private(set) var outputMarks: [String: Mark] = [:]
  var environment: [Node.Member] = []
  var tools: Node?
  var resources: Node?
  /// The values of `Expansion.policyKeys` that are given.
  var policy: [String: Node] = [:]
  /// nil when it is wrong, which was reported: the stage's instances are unknown then.
  var matrix: Matrix? = Matrix()

  /// Whether it makes an output of that name.
  func makes(_ output: String) -> Bool {
    if case .builtin(let kind, _) = work { return kind.outputs.contains { $0.name == output } }
    return outputMarks[output] != nil
  }

  /// The names of what it makes, for messages.
  var outputNames: [String] {
    if case .builtin(let kind, _) = work { kind.outputs.map(\.name) } else { outputs.map(\.key) }
  }
}

/// Reads the parts of the file that stand by themselves: names, parameters, sources, and the outline
/// of each stage.
struct DeclarationReader {
  let diagnostics: Diagnostics
  let evaluator: Evaluator
  let catalogue: Catalogue

  /// A name such as the pipeline's own.
  func name(_ node: Node, of what: String) -> String? {
    switch node.content {
    case .scalar(.string(let text), _): return diagnostics.isName(text, of: what, at: node.mark) ? text : nil
    case .faulty: return nil
    default:
      diagnostics.report("wrong-type", "the name of \(what) must be a text, not \(node.words)", at: node.mark)
      return nil
    }
  }

  func parameters(_ node: Node?) throws -> [String: JSON] {
    guard let node, let members = diagnostics.members(of: node, called: "'params'") else { return [:] }
    var parameters: [String: JSON] = [:]
    for member in members where diagnostics.isName(member.key, of: "a parameter", at: member.keyMark) {
      parameters[member.key] = try evaluator.resolve(member.value, in: Scope(namespaces: [])).json
      if parameters[member.key] == nil { evaluator.faultyParameters.insert(member.key) }
    }
    return parameters
  }

  /// The sources in order, with the mark of each path.
  func sources(_ node: Node?) throws -> [(source: Source, mark: Mark)] {
    guard let node, let members = diagnostics.members(of: node, called: "'sources'") else { return [] }
    var sources: [(source: Source, mark: Mark)] = []
    for member in members where diagnostics.isName(member.key, of: "a source", at: member.keyMark) {
      let what = "source '\(member.key)'"
      let value = try evaluator.resolve(member.value, in: Scope(namespaces: ["params"]))
      guard let fields = diagnostics.fields(of: value, called: what, known: ["path", "license"]) else { continue }
      let license = fields["license"].flatMap { text($0.value, of: "the license of \(what)") }
      guard let field = fields["path"] else {
        diagnostics.report("missing", "\(what) has no 'path'", at: member.keyMark)
        continue
      }
      guard let written = text(field.value, of: "the path of \(what)"),
        let path = diagnostics.path(written, isSource: true, at: field.value.mark)
      else { continue }
      let position = diagnostics.text.position(of: member.keyMark)
      sources.append(
        (Source(name: member.key, path: path, license: license, position: position), field.value.mark))
    }
    return sources
  }

  private func text(_ node: Node, of what: String) -> String? {
    if case .scalar(.string(let text), _) = node.content { return text }
    if !node.isFaulty { diagnostics.report("wrong-type", "\(what) must be a text, not \(node.words)", at: node.mark) }
    return nil
  }

  func stages(_ node: Node) throws -> [StageDeclaration] {
    guard let members = diagnostics.members(of: node, called: "'stages'") else { return [] }
    if members.isEmpty { diagnostics.report("missing", "the pipeline has no stages", at: node.mark) }
    var stages: [StageDeclaration] = []
    var total = 0
    for member in members where diagnostics.isName(member.key, of: "a stage", at: member.keyMark) {
      let stage = try self.stage(member)
      total += stage.matrix?.count ?? 1
      if total > Matrix.stageLimit {
        throw Failure(
          .user, "too-large", "the pipeline has more than \(Matrix.stageLimit) stages with this one",
          at: diagnostics.text.position(of: member.keyMark))
      }
      stages.append(stage)
    }
    return stages
  }

  private static let everyKey =
    ["uses", "with", "run", "env", "tools", "in", "out", "matrix", "resources"] + Expansion.policyKeys

  private func stage(_ member: Node.Member) throws -> StageDeclaration {
    let what = "stage '\(member.key)'"
    var stage = StageDeclaration(name: member.key, mark: member.keyMark)
    let node = withoutNeeds(member.value)
    guard let fields = diagnostics.fields(of: node, called: what, known: Self.everyKey) else {
      stage.matrix = nil
      return stage
    }
    stage.work = work(node, fields, of: what, at: member.keyMark)
    if let node = fields["in"]?.value { stage.inputs = named(node, "an input", of: "the inputs of '\(member.key)'") }
    if let node = fields["out"]?.value {
      stage.outputs = named(node, "an output", of: "the outputs of '\(member.key)'")
    }
    if let node = fields["env"]?.value {
      stage.environment = diagnostics.members(of: node, called: "the environment of '\(member.key)'") ?? []
    }
    stage.tools = fields["tools"]?.value
    stage.resources = fields["resources"]?.value
    for key in Expansion.policyKeys { stage.policy[key] = fields[key]?.value }
    if let node = fields["matrix"]?.value { stage.matrix = try evaluator.matrix(node, of: member.key) }
    return stage
  }

  private func named(_ node: Node, _ thing: String, of what: String) -> [Node.Member] {
    (diagnostics.members(of: node, called: what) ?? [])
      .filter { diagnostics.isName($0.key, of: thing, at: $0.keyMark) }
  }

  /// `needs` is what people know from other tools; here it follows from the inputs.
  private func withoutNeeds(_ node: Node) -> Node {
    guard case .mapping(let members) = node.content, let needs = members.first(where: { $0.key == "needs" }) else {
      return node
    }
    diagnostics.report(
      "needs", "'needs' is not written: a stage needs the stages that its inputs name", at: needs.keyMark,
      hint: "write in: { name: ${stages.other.output} }")
    return Node(.mapping(members.filter { $0.key != "needs" }), at: node.mark)
  }

  private func work(
    _ node: Node, _ fields: [String: Node.Member], of what: String, at mark: Mark
  ) -> StageDeclaration.Work? {
    switch (fields["uses"], fields["run"]) {
    case (nil, nil):
      guard case .mapping(let members) = node.content else { return nil }
      let isSlip = members.contains {
        $0.key == Node.mergeKey || ["uses", "run"].contains(nearest(to: $0.key, among: Self.everyKey))
      }
      if !isSlip { diagnostics.report("missing", "\(what) has neither 'uses' nor 'run'", at: mark) }
      return nil
    case (_?, let run?):
      diagnostics.report("contradiction", "\(what) has both 'uses' and 'run'", at: run.keyMark)
      return nil
    case (nil, let run?):
      if let with = fields["with"] {
        diagnostics.report(
          "misplaced-key", "'with' belongs to stages with 'uses'", at: with.keyMark,
          hint: "a command takes its configuration as words of 'run'")
      }
      return .command(run.value)
    case (let uses?, nil):
      for key in ["env", "tools"] {
        guard let field = fields[key] else { continue }
        diagnostics.report("misplaced-key", "'\(key)' belongs to stages with 'run'", at: field.keyMark)
      }
      guard let name = text(uses.value, of: "'uses'") else { return nil }
      guard let kind = catalogue[name] else {
        diagnostics.report(
          "unknown-kind", "there is no stage kind \(quoted(name))", at: uses.value.mark,
          hint: suggestion(for: name, among: catalogue.kinds.map(\.name), called: "stage kinds"))
        return nil
      }
      return .builtin(kind, with: fields["with"]?.value)
    }
  }
}
