import ArgumentParser
import LemmaBasics
import LemmaEngine
import LemmaPipeline

struct GraphCommand: LemmaCommand {
  static let configuration = CommandConfiguration(
    commandName: "graph",
    abstract: "Print the pipeline's graph.",
    discussion: """
      EXAMPLES
        lemma graph
        lemma graph --format dot | dot -Tsvg > graph.svg
        lemma graph --format mermaid
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable { case text, dot, mermaid, json }

  @Argument(help: "The pipeline file.", completion: .file(extensions: ["yaml", "yml"]))
  var file = "lemma.yaml"
  @OptionGroup var parameters: ParameterOptions
  @Option(help: "How to draw it.") var format = Format.text

  var json: Bool { format == .json }

  func execute() throws {
    let pipeline = try parameters.load(file)
    switch format {
    case .text: for line in GraphText.text(pipeline) { Terminal.out(line) }
    case .dot: Terminal.out(GraphText.dot(pipeline))
    case .mermaid: Terminal.out(GraphText.mermaid(pipeline))
    case .json: Terminal.json(GraphText.json(pipeline))
    }
  }
}

/// A pipeline's graph in the notations of other tools.
enum GraphText {
  /// One line a stage: what it is, and what it reads.
  static func text(_ pipeline: Pipeline) -> [String] {
    Columns.lines(
      pipeline.stages.map { stage in
        let origins = stage.inputs.flatMap(\.refs).map { name($0.origin) }
        return [stage.id, kind(stage), origins.isEmpty ? "" : "<- " + unique(origins).joined(separator: ", ")]
      })
  }

  static func dot(_ pipeline: Pipeline) -> String {
    func quote(_ text: String) -> String {
      "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
    var lines = ["digraph \(quote(pipeline.name)) {", "  rankdir=TB;"]
    lines += pipeline.sources.map { "  \(quote("source \($0.name)")) [shape=cylinder];" }
    lines += pipeline.stages.map { "  \(quote($0.id)) [shape=box];" }
    lines += edges(pipeline).map { "  \(quote($0.from)) -> \(quote($0.to));" }
    return (lines + ["}"]).joined(separator: "\n")
  }

  static func mermaid(_ pipeline: Pipeline) -> String {
    var numbers: [String: Int] = [:]
    for name in pipeline.sources.map({ "source \($0.name)" }) + pipeline.stages.map(\.id) {
      numbers[name] = numbers.count
    }
    // Mermaid draws HTML: what a matrix value holds of it must stay text.
    func label(_ text: String) -> String {
      [("&", "#38;"), ("\"", "#34;"), ("<", "#60;"), (">", "#62;"), ("`", "#96;")]
        .reduce(text.replacing("#", with: "#35;")) { $0.replacing($1.0, with: $1.1) }
    }
    var lines = ["flowchart TD"]
    for (name, number) in numbers.sorted(by: { $0.value < $1.value }) {
      lines.append("  n\(number)[\"\(label(name))\"]")
    }
    for edge in edges(pipeline) {
      if let from = numbers[edge.from], let to = numbers[edge.to] { lines.append("  n\(from) --> n\(to)") }
    }
    return lines.joined(separator: "\n")
  }

  static func json(_ pipeline: Pipeline) -> JSON {
    [
      "stages": .array(pipeline.stages.map { ["id": .string($0.id), "kind": .string(kind($0))] }),
      "sources": .array(pipeline.sources.map { ["name": .string($0.name), "path": .string($0.path)] }),
      "edges": .array(edges(pipeline).map { ["from": .string($0.from), "to": .string($0.to)] }),
    ]
  }

  private static func edges(_ pipeline: Pipeline) -> [(from: String, to: String)] {
    pipeline.stages.flatMap { stage in
      unique(
        stage.inputs.flatMap(\.refs).compactMap { reference -> String? in
          switch reference.origin {
          case .stage(let id, _): id
          case .source(let name): "source \(name)"
          case .path: nil
          }
        }
      ).map { (from: $0, to: stage.id) }
    }
  }

  private static func kind(_ stage: Stage) -> String {
    switch stage.work {
    case .builtin(let kind, _): kind
    case .command: "run"
    }
  }

  private static func name(_ origin: Reference.Origin) -> String {
    switch origin {
    case .stage(let id, let output): "\(id).\(output)"
    case .source(let name): "source \(name)"
    case .path(let path): path
    }
  }

  private static func unique(_ names: [String]) -> [String] {
    var seen: Set<String> = []
    return names.filter { seen.insert($0).inserted }
  }
}
