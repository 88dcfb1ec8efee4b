import LemmaBasics

/// How a question and its answer are put to a model.
public enum PromptForm: String, CaseIterable, Sendable {
  /// As they are, behind the token that begins a text where the model has one.
  case plain
  /// As a conversation of a user and the assistant, by the model's own chat template.
  case chat
}

extension Model {
  /// The tokens that each prompt puts to the model.
  /// - Throws: `Failure` when the model has no chat template, or a prompt spells one of its special tokens.
  func encode(prompts: [String], as form: PromptForm) throws -> [[Int32]] {
    switch form {
    case .plain: return tokenizer.encode(prompts).map { tokenizer.beginning + $0 }
    case .chat:
      let template = try chatTemplate()
      return tokenizer.encode(
        try prompts.enumerated().map { try template.prompt(user: try plainText($1, index: $0)) },
        allowingSpecial: true)
    }
  }

  /// The tokens of prompts and of responses with what ends them, encoded apart, as they are when the model is asked.
  /// - Throws: as for prompts.
  func encode(examples: [Example], as form: PromptForm) throws -> [(prompt: [Int32], response: [Int32])] {
    switch form {
    case .plain:
      let ids = tokenizer.encode(examples.flatMap { [$0.prompt, $0.response] })
      return examples.indices.map {
        (tokenizer.beginning + ids[2 * $0], ids[2 * $0 + 1] + [conventions.ends[0]])
      }
    case .chat:
      let template = try chatTemplate()
      let texts = try examples.enumerated().flatMap { index, example in
        let parts = try template.split(
          user: try plainText(example.prompt, index: index), assistant: try plainText(example.response, index: index))
        return [parts.prompt, parts.response]
      }
      let ids = tokenizer.encode(texts, allowingSpecial: true)
      return examples.indices.map { (ids[2 * $0], ended(ids[2 * $0 + 1])) }
    }
  }

  /// Up to the first token that ends an answer: what a template writes behind it is never asked of the model.
  private func ended(_ response: [Int32]) -> [Int32] {
    guard let end = response.firstIndex(where: conventions.ends.contains) else {
      return response + [conventions.ends[0]]
    }
    return Array(response[...end])
  }

  private func chatTemplate() throws -> ChatTemplate {
    if let template = conventions.chat { return template }
    throw Failure(
      .user, "no-chat-template", "the model has no chat template",
      hint: "put a 'chat_template.jinja' into its folder, or take 'template: plain'")
  }

  /// A text must not end its own turn and speak for somebody else.
  private func plainText(_ text: String, index: Int) throws -> String {
    guard let spelling = tokenizer.specialToken(in: text) else { return text }
    throw Failure(
      .user, "special-token",
      "text \(index + 1) has the special token '\(spelling)' in it, which would be taken for one",
      hint: "leave such rows out, or take 'template: plain', where it is ordinary text")
  }
}
