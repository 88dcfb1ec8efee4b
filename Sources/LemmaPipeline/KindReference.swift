import LemmaBasics

/// The reference of a stage kind as Markdown: what `lemma kinds` prints and `docs/stage-kinds.md` holds.
extension StageKind {
  public var reference: String {
    var lines = ["## \(name)", "", summary]
    lines += StageKind.table(
      ["input", "", ""],
      inputs.map { input in
        let notes = [input.isRequired ? "" : "optional", input.isList ? "takes several" : ""].filter { !$0.isEmpty }
        return [input.name, notes.joined(separator: ", "), input.summary]
      })
    lines += StageKind.table(
      ["output", "", ""], outputs.map { [$0.name, $0.fileName + ($0.isFolder ? "/" : ""), $0.summary] })
    lines += StageKind.table(
      ["with", "", ""], parameters.flatMap { StageKind.rows(of: $0, prefix: "") })
    return lines.joined(separator: "\n") + "\n"
  }

  private static func rows(of parameter: Parameter, prefix: String) -> [[String]] {
    let name = prefix + parameter.name
    if case .record(let members) = parameter.type {
      return [[name, "", parameter.summary]] + members.flatMap { rows(of: $0, prefix: "\(name).") }
    }
    var about = parameter.type.words
    switch parameter.defaultValue {
    case nil: if case .optional = parameter.type {} else { about += "; required" }
    case .some(.null): break
    case .some(let value): about += "; \(value.canonical)"
    }
    return [[name, about, parameter.summary]]
  }

  private static func table(_ heads: [String], _ rows: [[String]]) -> [String] {
    if rows.isEmpty { return [] }
    func line(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }
    return ["", line(heads), line(heads.map { _ in "---" })]
      + rows.map { line(["`\($0[0])`"] + $0.dropFirst().map { $0.replacing("|", with: "\\|") }) }
  }
}
