import ArgumentParser
import LemmaBasics
import LemmaEngine
import LemmaPipeline

struct KindsCommand: LemmaCommand {
  static let configuration = CommandConfiguration(
    commandName: "kinds",
    abstract: "List the built-in stage kinds, or describe one: inputs, outputs, parameters, defaults.",
    discussion: """
      EXAMPLES
        lemma kinds
        lemma kinds sft
      """)

  @Argument(help: "A kind. Default: a line for each.") var name: String?

  func execute() throws {
    let catalogue = Registry.standard.catalogue
    guard let name else {
      for line in Columns.lines(catalogue.kinds.map { [$0.name, $0.summary] }) { Terminal.out(line) }
      return
    }
    guard let kind = catalogue[name] else {
      throw Failure(
        .user, "unknown-kind", "there is no stage kind '\(name)'",
        hint: nearest(to: name, among: catalogue.kinds.map(\.name)).map { "did you mean '\($0)'?" })
    }
    Terminal.write(kind.reference, to: 1)
  }
}
