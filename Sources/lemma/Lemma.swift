import ArgumentParser
import LemmaBasics
import LemmaEngine

@main
struct Lemma: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lemma",
    abstract: "Rebuild, explain and defend a model's number.",
    discussion: """
      Declare a pipeline in YAML; 'lemma run' rebuilds only the stages whose inputs changed; 'lemma audit' proves \
      where a number came from.

      EXAMPLES
        lemma init                               start a project here
        lemma run                                run ./lemma.yaml
        lemma run pipelines/quickstart.yaml --param seed=2
        lemma why train                          what changed since the last time
        lemma audit 'evaluate[size=8000].accuracy'
        lemma --generate-completion-script bash  shell completion (also zsh, fish)

      EXIT CODES
        0 done   1 a stage failed, or an audit, a verification or a reproduction found a fault
        2 a mistake in the pipeline file or the request
        3 the store, the index or the ledger failed   64 a mistake in the arguments   70 a defect of lemma itself
        130 interrupted
      """,
    version: lemmaVersion,
    subcommands: [
      InitCommand.self, CheckCommand.self, PlanCommand.self, RunCommand.self, StatusCommand.self, WhyCommand.self,
      LogCommand.self, ShowCommand.self, DiffCommand.self, TagCommand.self, AuditCommand.self, ReproduceCommand.self,
      VerifyCommand.self,
      DoctorCommand.self, CollectCommand.self, GraphCommand.self, KindsCommand.self, SchemaCommand.self,
    ])
}

extension Lemma {
  /// Reads the arguments and runs the command they name. What they hold is told like everything from
  /// outside: escaped, and as JSON to a program that asked for it.
  static func main() {
    HiddenEntries.enter()
    let words = Array(CommandLine.arguments.dropFirst())
    if let failure = unknownCommand(words) { refuse(failure, words) }
    do {
      var command = try parseAsRoot(words)
      try command.run()
    } catch {
      let code = exitCode(for: error)
      guard code == .validationFailure else { exit(withError: error) }
      let name = words.first.flatMap { names.contains($0) ? " \($0)" : nil } ?? ""
      refuse(Failure(.user, "arguments", message(for: error), hint: "see 'lemma\(name) --help'"), words)
    }
  }

  private static func refuse(_ failure: Failure, _ words: [String]) -> Never {
    Terminal.error([failure], asJSON: words.contains("--json"))
    exit(withError: ExitCode.validationFailure)
  }

  private static var names: [String] { configuration.subcommands.compactMap { $0.configuration.commandName } }

  /// The parser would call a misspelt command an unexpected argument.
  private static func unknownCommand(_ words: [String]) -> Failure? {
    guard let word = words.first, !word.hasPrefix("-") else { return nil }
    if word == "help" || names.contains(word) { return nil }
    return Failure(
      .user, "unknown-command", "there is no command '\(word)'",
      hint: nearest(to: word, among: names).map { "did you mean 'lemma \($0)'?" }
        ?? "commands: \(names.joined(separator: ", "))")
  }
}

extension ExitCode {
  static let faulty = ExitCode(1)
  static let user = ExitCode(2)
  static let store = ExitCode(3)
  static let `internal` = ExitCode(70)
  static let interrupted = ExitCode(130)

  init(_ failure: Failure) {
    switch failure.kind {
    case .user: self = .user
    case .store: self = .store
    case .internal: self = .internal
    }
  }
}
