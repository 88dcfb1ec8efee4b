import LemmaBasics

/// A conversation as supervised fine-tuning needs it: what the model is given, and what it learns to write.
public struct ChatExample: Hashable, Sendable {
  /// Up to where the assistant's last turn begins.
  public let prompt: String
  /// The assistant's last message and what ends its turn.
  public let response: String
}

extension ChatTemplate {
  /// Splits a conversation that ends with the assistant's message into what comes before that message's text, which is
  /// what the model sees when it is asked, and the rest.
  /// - Throws: `Failure` when the last message is not the assistant's, when the template renders what comes before it
  ///   in another way once there is an answer, and what `render` throws.
  public func split(_ messages: [ChatMessage], variables: [String: JSON] = [:]) throws -> ChatExample {
    guard let last = messages.last, last.role == "assistant" else {
      throw Failure(
        .user, "chat-split", "the last message of a conversation to learn from is the assistant's", at: place)
    }
    let prompt = try render(messages.dropLast(), addGenerationPrompt: true, variables: variables)
    let whole = try render(messages, variables: variables)
    guard whole.utf8.starts(with: prompt.utf8) else {
      throw Failure(
        .user, "chat-split",
        "the template writes the prompt in two ways: with the answer behind it, it does not begin with what the model"
          + " sees when it is asked (\(differing(prompt, whole)))", at: place,
        hint: "use a template that writes the earlier messages the same way, whatever follows them")
    }
    return ChatExample(
      prompt: prompt, response: String(decoding: whole.utf8.dropFirst(prompt.utf8.count), as: UTF8.self))
  }

  /// The same of one question and its answer.
  public func split(user: String, assistant: String, system: String? = nil) throws -> ChatExample {
    try split((system.map { [.system($0)] } ?? []) + [.user(user), .assistant(assistant)])
  }

  /// What the model is given to answer one question.
  public func prompt(user: String, system: String? = nil) throws -> String {
    try render((system.map { [.system($0)] } ?? []) + [.user(user)], addGenerationPrompt: true)
  }

  private var place: Position { Position(file: file) }

  private func render(
    _ messages: ArraySlice<ChatMessage>, addGenerationPrompt: Bool, variables: [String: JSON]
  ) throws -> String {
    try render(Array(messages), addGenerationPrompt: addGenerationPrompt, variables: variables)
  }

  /// The first place where two texts differ, for people.
  private func differing(_ prompt: String, _ whole: String) -> String {
    let prompt = Scalars(prompt)
    let whole = Scalars(whole)
    let place = zip(prompt, whole).enumerated().first { $1.0 != $1.1 }?.offset ?? min(prompt.count, whole.count)
    func part(_ text: Scalars) -> String { "'\(String(text.dropFirst(place).prefix(24)))'" }
    return "at character \(place + 1): \(part(prompt)) when asked, \(part(whole)) with the answer"
  }
}
