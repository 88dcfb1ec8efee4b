import LemmaBasics

/// The inputs of a stage instance: which artifacts each name stands for.
extension Expansion {
  func inputs(of declaration: StageDeclaration, id: String, _ scope: Scope) throws -> [Stage.Input] {
    var inputs: [Stage.Input] = []
    for member in declaration.inputs {
      var isListAllowed = true
      var isListFixed: Bool?
      if case .builtin(let kind, _) = declaration.work {
        guard let input = kind.inputs.first(where: { $0.name == member.key }) else {
          diagnostics.report(
            "unknown-input", "the kind '\(kind.name)' has no input '\(member.key)'", at: member.keyMark,
            hint: suggestion(for: member.key, among: kind.inputs.map(\.name), called: "inputs"))
          continue
        }
        isListAllowed = input.isList
        isListFixed = input.isList
      }
      guard let (refs, isList) = try references(member.value, id: id, scope) else { continue }
      if refs.count > 1, !isListAllowed {
        diagnostics.report(
          "not-a-list", "'\(member.key)' of '\(id)' takes one artifact, and here are \(refs.count)",
          at: member.value.mark, hint: separating(refs, declaration))
        continue
      }
      inputs.append(Stage.Input(name: member.key, refs: refs, isList: isListFixed ?? isList))
    }
    if case .builtin(let kind, _) = declaration.work {
      for input in kind.inputs where input.isRequired && !declaration.inputNames.contains(input.name) {
        diagnostics.missing(
          input.name, among: declaration.inputs.map(\.key), known: kind.inputs.map(\.name),
          "'\(declaration.name)' lacks the input '\(input.name)' that '\(kind.name)' needs",
          at: declaration.mark, hint: input.summary)
      }
    }
    return inputs
  }

  private func separating(_ refs: [Reference], _ declaration: StageDeclaration) -> String? {
    guard let label = refs.first?.label else { return nil }
    let keys = label.split(separator: ",").map { String($0.prefix { $0 != "=" }) }
    return "give '\(declaration.name)' a matrix with the key \(keys.joined(separator: " and "))"
  }

  /// What an input's value names, and whether it is written as several; nil when it is wrong.
  private func references(_ node: Node, id: String, _ scope: Scope) throws -> (refs: [Reference], isList: Bool)? {
    guard case .list(let elements) = node.content else { return try reference(node, id: id, scope) }
    if elements.isEmpty {
      diagnostics.report("missing", "an input cannot be an empty list", at: node.mark)
      return nil
    }
    var all: [Reference] = []
    for element in elements {
      if case .list = element.content {
        diagnostics.report("wrong-type", "an input's list cannot hold a list", at: element.mark)
        return nil
      }
      guard let (refs, _) = try reference(element, id: id, scope) else { return nil }
      all += refs
    }
    return (all, true)
  }

  private func reference(_ node: Node, id: String, _ scope: Scope) throws -> (refs: [Reference], isList: Bool)? {
    if node.isTemplate {
      guard let template = evaluator.template(node) else { return nil }
      if let names = template.wholeToken {
        if names[0] == "sources" { return source(names, at: node.mark).map { ([$0], false) } }
        if names[0] == "stages" { return try stageOutput(names, id: id, scope, at: node.mark) }
      } else if let names = template.tokens.first(where: { $0[0] == "stages" || $0[0] == "sources" }) {
        diagnostics.report(
          "reference", "\(written(names)) stands for an artifact and must be the whole value", at: node.mark)
        return nil
      }
    }
    var inner = scope
    inner.namespaces += ["sources", "stages"]
    let value = try evaluator.resolve(node, in: node.isTemplate ? inner : scope)
    switch value.content {
    case .faulty: return nil
    case .scalar(.string(let text), _):
      return path(text, at: node.mark, stage: scope.stage).map { ([$0], false) }
    case .list(let elements) where node.isTemplate && !elements.isEmpty:
      var refs: [Reference] = []
      for element in elements {
        guard case .scalar(.string(let text), _) = element.content,
          let ref = path(text, at: node.mark, stage: scope.stage)
        else {
          diagnostics.report("wrong-type", "a list of inputs must hold paths, not \(element.words)", at: node.mark)
          return nil
        }
        refs.append(ref)
      }
      return (refs, true)
    default:
      diagnostics.report(
        "wrong-type", "an input must be a reference or a path, not \(value.words)", at: node.mark,
        hint: "write ${sources.name}, ${stages.name.output} or the path of a file")
      return nil
    }
  }

  private func path(_ text: String, at mark: Mark, stage: String) -> Reference? {
    guard let path = diagnostics.path(text, at: mark) else { return nil }
    read.append(Overlaps.Input(path: path, mark: mark, words: "an input of '\(stage)'", isSource: false))
    return Reference(.path(path))
  }

  private func source(_ names: [String], at mark: Mark) -> Reference? {
    if names.count == 2, sourceNames.contains(names[1]) { return Reference(.source(names[1])) }
    let name = names.dropFirst().joined(separator: ".")
    // A source whose declaration is wrong was reported where it stands.
    if !declaredSources.contains(name) {
      diagnostics.report(
        "unknown-source", "there is no source '\(name)'", at: mark,
        hint: suggestion(for: name, among: sources.map(\.name), called: "sources"))
    }
    return nil
  }

  private func stageOutput(
    _ names: [String], id: String, _ scope: Scope, at mark: Mark
  ) throws -> (refs: [Reference], isList: Bool)? {
    guard let index = byName[names[1]] else {
      if !declaredStages.contains(names[1]) {
        diagnostics.report(
          "unknown-stage", "there is no stage '\(names[1])'", at: mark,
          hint: suggestion(for: names[1], among: declarations.map(\.name), called: "stages"))
      }
      return nil
    }
    let producer = declarations[index]
    guard producer.work != nil, let matrix = producer.matrix else { return nil }
    guard names.count == 3, producer.makes(names[2]) else {
      let output = names.dropFirst(2).joined(separator: ".")
      diagnostics.report(
        "unknown-output",
        names.count == 2
          ? "\(written(names)) names no output" : "stage '\(producer.name)' has no output '\(output)'",
        at: mark, hint: suggestion(for: output, among: producer.outputNames, called: "outputs"))
      return nil
    }
    let found = matrix.instances(agreeingWith: scope.matrix)
    if found.isEmpty {
      let shared = scope.matrix.filter { pair in matrix.axes.contains { $0.key == pair.key } }
      let label = shared.map { "\($0.key)=\($0.value.string ?? $0.value.canonical)" }.joined(separator: ",")
      diagnostics.report(
        "no-instance", "no instance of '\(producer.name)' has \(label), which '\(id)' asks for", at: mark)
      return nil
    }
    let refs = found.map { member in
      Reference(.stage(id: self.id(producer, instance: member.instance), output: names[2]), label: member.label)
    }
    return (refs, found.contains { $0.label != nil })
  }
}
