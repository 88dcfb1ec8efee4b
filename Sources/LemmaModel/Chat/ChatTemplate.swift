import LemmaBasics

/// How a model wants a conversation written: a template in the part of Jinja that such templates use, and the spellings
/// of the special tokens that it names. The same messages always give the same text.
/// Convention: https://huggingface.co/docs/transformers/chat_templating.
public struct ChatTemplate: Sendable {
  /// The template itself.
  public let source: String
  /// What messages about it name.
  public let file: String
  /// The spellings of special tokens by the names that templates know them by, such as `bos_token`.
  public let tokens: [String: String]
  private let syntax: JinjaSyntax

  /// A template from its text.
  /// - Parameter bos: the token that begins a text, where the model has one; `eos` the one that ends it.
  /// - Throws: `Failure` with line and column for a mistake, and for what Lemma does not interpret.
  public init(source: String, bos: String? = nil, eos: String? = nil, file: String) throws {
    var tokens: [String: String] = [:]
    tokens["bos_token"] = bos
    tokens["eos_token"] = eos
    try self.init(source: source, tokens: tokens, file: file)
  }

  /// A template from its text, with all special tokens that the model names.
  /// - Throws: `Failure` with line and column for a mistake, and for what Lemma does not interpret.
  public init(source: String, tokens: [String: String], file: String) throws {
    self.source = source
    self.file = file
    self.tokens = tokens
    syntax = try JinjaParser.parse(source, file: file)
  }

  /// The text of a conversation.
  /// - Parameters:
  ///   - addGenerationPrompt: ends the text where the assistant's next turn begins.
  ///   - variables: what the template may ask for besides, such as `enable_thinking`.
  /// - Throws: `Failure` when the template refuses the messages, does what Lemma does not interpret, or has no end.
  public func render(
    _ messages: [ChatMessage], addGenerationPrompt: Bool = false, variables: [String: JSON] = [:]
  ) throws -> String {
    var names: [String: JinjaValue] = ["tools": .none, "documents": .none]
    for (name, spelling) in tokens { names[name] = JinjaValue(spelling) }
    for (name, value) in variables { names[name] = JinjaValue(value) }
    var size = 0
    names["messages"] = .list(
      messages.map { message in
        let content = Scalars(message.content)
        size += content.count
        return .mapping(
          JinjaMapping([(Scalars("role"), JinjaValue(message.role)), (Scalars("content"), .text(content))]))
      })
    names["add_generation_prompt"] = .bool(addGenerationPrompt)
    return String(try JinjaRenderer(syntax, names: names, inputSize: size).render())
  }
}

extension JinjaValue {
  /// Mappings with sorted keys: JSON's have no order.
  fileprivate init(_ json: JSON) {
    switch json {
    case .null: self = .none
    case .bool(let value): self = .bool(value)
    case .integer(let value): self = .integer(Int(value))
    case .number(let value): self = .number(value)
    case .string(let text): self = .text(Scalars(text))
    case .array(let elements): self = .list(elements.map { JinjaValue($0) })
    case .object(let members):
      let pairs = members.map { (key: Scalars($0.key), value: JinjaValue($0.value)) }
      self = .mapping(JinjaMapping(pairs.sorted { $0.key.lexicographicallyPrecedes($1.key) }))
    }
  }
}
