import LemmaBasics

/// The words of a command line, with places left for the paths of inputs and outputs.
extension Expansion {
  func words(_ run: Node, of declaration: StageDeclaration, _ scope: Scope) throws -> [CommandWord] {
    switch run.content {
    case .faulty: return []
    case .scalar(.string(let text), _):
      if text.utf8.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D }) { break }
      guard let script = try pieces(run, of: declaration, scope) else { return [] }
      return ["/bin/sh", "-ec"].map { CommandWord([.text($0)]) } + [CommandWord(script)]
    case .list(let elements) where !elements.isEmpty:
      let words = try elements.flatMap { try self.words($0, declaration, scope) }
      if words.first?.pieces == [.text("")] {
        diagnostics.report("empty", "the first word of 'run' names no program", at: elements[0].mark)
      }
      return words
    case .list: break
    default:
      diagnostics.report(
        "wrong-type", "'run' must be a list of words or a script, not \(run.words)", at: run.mark)
      return []
    }
    diagnostics.report("empty", "'run' is empty", at: run.mark)
    return []
  }

  /// One word, or several when it is a reference to a list.
  private func words(_ node: Node, _ declaration: StageDeclaration, _ scope: Scope) throws -> [CommandWord] {
    guard node.isTemplate else {
      return word(node, of: "a word of 'run'").map { [CommandWord([.text($0)])] } ?? []
    }
    if let names = evaluator.template(node)?.wholeToken, names[0] == "params" {
      let value = try evaluator.resolve(node, in: commandScope(scope))
      guard case .list(let elements) = value.content else {
        return word(value, of: "a word of 'run'").map { [CommandWord([.text($0)])] } ?? []
      }
      return elements.compactMap { word($0, of: "a word of 'run'").map { CommandWord([.text($0)]) } }
    }
    return try pieces(node, of: declaration, scope).map { [CommandWord($0)] } ?? []
  }

  private func commandScope(_ scope: Scope) -> Scope {
    var scope = scope
    scope.namespaces = ["params", "matrix", "in", "out"]
    return scope
  }

  private func pieces(
    _ node: Node, of declaration: StageDeclaration, _ scope: Scope
  ) throws -> [CommandWord.Piece]? {
    guard let template = evaluator.template(node), case .scalar(_, let written) = node.content else { return nil }
    try evaluator.spend(Evaluator.valueCost + written.utf8.count, at: node.mark)
    let scope = commandScope(scope)
    var pieces: [CommandWord.Piece] = []
    var text = ""
    func place(_ piece: CommandWord.Piece) {
      if !text.isEmpty { pieces.append(.text(text)) }
      text = ""
      pieces.append(piece)
    }
    for piece in template.pieces {
      switch piece {
      case .text(let literal): text += literal
      case .token(let names) where names[0] == "in" || names[0] == "out":
        let isInput = names[0] == "in"
        let name = names.dropFirst().joined(separator: ".")
        guard isInput ? declaration.inputNames.contains(name) : declaration.makes(name) else {
          let known = isInput ? declaration.inputs.map(\.key) : declaration.outputNames
          diagnostics.report(
            isInput ? "unknown-input" : "unknown-output",
            "stage '\(declaration.name)' has no \(isInput ? "input" : "output") '\(name)'", at: node.mark,
            hint: suggestion(for: name, among: known, called: isInput ? "inputs" : "outputs"))
          return nil
        }
        place(isInput ? .input(name) : .output(name))
      case .token(let names):
        guard let value = try evaluator.text(of: names, in: scope, at: node.mark) else { return nil }
        text += value
        try evaluator.checkLength(text, at: node.mark)
      }
    }
    if !text.isEmpty || pieces.isEmpty { pieces.append(.text(text)) }
    return pieces
  }
}
