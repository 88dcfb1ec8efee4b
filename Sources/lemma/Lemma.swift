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
        0 done   1 a stage failed, or an audit found a fault   2 a mistake in the pipeline file or the request
        3 the store, the index or the ledger failed   64 a mistake in the arguments   70 a defect of lemma itself
        130 interrupted
      """,
    version: lemmaVersion,
    subcommands: [
      InitCommand.self, CheckCommand.self, PlanCommand.self, RunCommand.self, StatusCommand.self, WhyCommand.self,
      LogCommand.self, ShowCommand.self, AuditCommand.self, GraphCommand.self, KindsCommand.self, SchemaCommand.self,
    ])
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
