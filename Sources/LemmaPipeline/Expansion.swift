import LemmaBasics

/// Turns declared stages into instances: parameters and matrix values in their places, references
/// resolved to other instances, everything held against the catalogue.
final class Expansion {
  let diagnostics: Diagnostics
  let evaluator: Evaluator
  let declarations: [StageDeclaration]
  let sources: [Source]
  private(set) var claims: [Overlaps.Output] = []
  var read: [Overlaps.Input] = []
  /// What stages are run under that do not say.
  var defaultSandbox = SandboxMode.auto
  let byName: [String: Int]
  let sourceNames: Set<String>
  /// Every name that stands in the file, those of wrong declarations too: what is reported where it
  /// is declared is not reported again where it is used.
  var declaredSources: Set<String> = []
  var declaredStages: Set<String> = []

  init(_ evaluator: Evaluator, _ declarations: [StageDeclaration], sources: [Source]) {
    self.evaluator = evaluator
    diagnostics = evaluator.diagnostics
    self.declarations = declarations
    self.sources = sources
    byName = Dictionary(declarations.enumerated().map { ($1.name, $0) }) { first, _ in first }
    sourceNames = Set(sources.map(\.name))
  }

  /// Which declared stages each one's inputs name.
  /// - Throws: `Failure` when all the references together are beyond the budget.
  func edges() throws -> [[StageOrder.Edge]] {
    try declarations.map { declaration in
      var edges: [StageOrder.Edge] = []
      var seen: Set<Int> = []
      for (stage, mark) in declaration.inputs.flatMap({ references(in: $0.value) }) {
        try spend(on: stage, by: declaration, at: mark)
        if seen.insert(stage).inserted { edges.append(StageOrder.Edge(to: stage, mark: mark)) }
      }
      return edges
    }
  }

  private func references(in node: Node) -> [(stage: Int, mark: Mark)] {
    if case .list(let elements) = node.content { return elements.flatMap(references) }
    guard node.isTemplate, case .scalar(_, let text) = node.content, let template = try? Template(text) else {
      return []
    }
    return template.tokens.compactMap { names in
      names[0] == "stages" ? byName[names[1]].map { ($0, node.mark) } : nil
    }
  }

  /// What one reference costs, in all instances of the stage that makes it.
  private func spend(on producer: Int, by consumer: StageDeclaration, at mark: Mark) throws {
    guard let matrix = declarations[producer].matrix, let own = consumer.matrix, let count = own.count else { return }
    let (total, overflow) = matrix.fanIn(from: own.axes.map(\.key)).multipliedReportingOverflow(by: count)
    try evaluator.spend(overflow ? Evaluator.budgetLimit + 1 : min(total, Evaluator.budgetLimit) * 512, at: mark)
  }

  /// All instances of a declared stage in matrix order. What is wrong is reported and left out.
  func instances(of index: Int) throws -> [Stage] {
    let declaration = declarations[index]
    guard let matrix = declaration.matrix, let count = matrix.count else { return [] }
    var stages: [Stage] = []
    stages.reserveCapacity(count)
    for instance in 0..<count {
      if let stage = try stage(index, instance: instance, matrix) { stages.append(stage) }
    }
    return stages
  }

  func id(_ declaration: StageDeclaration, instance: Int) -> String {
    guard let matrix = declaration.matrix, !matrix.axes.isEmpty else { return declaration.name }
    return "\(declaration.name)[\(matrix.label(of: instance))]"
  }

  private func stage(_ index: Int, instance: Int, _ matrix: Matrix) throws -> Stage? {
    let declaration = declarations[index]
    guard let work = declaration.work else { return nil }
    var scope = Scope(namespaces: ["params", "matrix"], stage: declaration.name)
    scope.matrix = matrix.values(of: instance)
    let id = id(declaration, instance: instance)
    try evaluator.spend(Evaluator.valueCost + id.utf8.count, at: declaration.mark)
    var stage = Stage(
      id: id, name: declaration.name, matrix: scope.matrix, work: .command([]),
      position: diagnostics.text.position(of: declaration.mark))
    stage.inputs = try inputs(of: declaration, id: id, scope)
    let dependencies = stage.inputs.flatMap(\.refs).compactMap { reference in
      if case .stage(let id, _) = reference.origin { id } else { nil }
    }
    stage.dependencies = Set(dependencies).sorted()
    stage.resources = try resources(of: declaration, scope)
    stage.policy = try policy(of: declaration, scope)
    switch work {
    case .builtin(let kind, let with):
      stage.outputs = try outputs(of: kind, declaration, label: matrix.label(of: instance), scope)
      stage.work = .builtin(kind: kind.name, with: try configuration(with, of: kind, declaration, scope))
    case .command(let run):
      stage.outputs = try outputs(of: declaration, scope)
      stage.work = .command(try words(run, of: declaration, scope))
      stage.environment = try environment(of: declaration, scope)
      stage.tools = try tools(of: declaration, scope)
    }
    claim(stage, index, matrix)
    return stage
  }

  private func configuration(
    _ with: Node?, of kind: StageKind, _ declaration: StageDeclaration, _ scope: Scope
  ) throws -> [String: JSON] {
    var members: [Node.Member] = []
    let mark = with?.mark ?? declaration.mark
    if let with {
      let node = try evaluator.resolve(with, in: scope)
      guard let found = diagnostics.members(of: node, called: "'with'") else { return [:] }
      members = found
    }
    guard let configuration = diagnostics.record(members, kind.parameters, called: "", at: mark) else { return [:] }
    for mistake in kind.mistakes(configuration, declaration.inputNames) {
      let member = members.first { $0.key == mistake.parameter }
      diagnostics.report(
        mistake.failure.code, mistake.failure.message, at: member?.value.mark ?? mark, hint: mistake.failure.hint)
    }
    return configuration
  }

  private func claim(_ stage: Stage, _ index: Int, _ matrix: Matrix) {
    let declaration = declarations[index]
    for output in stage.outputs {
      let mark = declaration.outputMarks[output.name] ?? declaration.mark
      claims.append(
        Overlaps.Output(
          path: output.path, mark: mark, stage: stage.id, declaration: index, name: output.name,
          reference: "${stages.\(stage.name).\(output.name)}", matrixKeys: matrix.axes.map(\.key)))
    }
  }
}
