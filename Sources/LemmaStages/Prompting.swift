import LemmaBasics
import LemmaCorpus
import LemmaModel
import LemmaPipeline

/// How the stages put problems to a model: fine-tuning and evaluation must do it the same way.
extension Row {
  /// What the model is given: in a conversation the problem is the user's whole message.
  func prompt(_ form: PromptForm) -> String {
    switch form {
    case .plain: PromptTemplate.zeroShot.prompt(for: problem)
    case .chat: problem
    }
  }

  func example(_ form: PromptForm) -> Example { Example(prompt: prompt(form), response: response) }
}

extension StageKind.Parameter {
  static let template = StageKind.Parameter(
    name: "template", summary: "How problems are put to the model: by Lemma's plain prompt, or by its chat template.",
    type: .choice(PromptForm.allCases.map(\.rawValue)), defaultValue: .string(PromptForm.plain.rawValue))
}

extension PromptTemplate {
  /// What a digest of a stage that puts problems to a model must cover.
  var json: JSON { ["name": .string(name), "version": JSON(version)] }
}
