import LemmaBasics

/// The templates for models that bring none.
extension ChatTemplate {
  /// The names of the built-in templates, sorted.
  public static let builtInNames = ["chatml", "plain"]

  /// A built-in template by its name: `chatml`, with `<|im_start|>` and `<|im_end|>` around each turn and its role, or
  /// `plain`, all contents one after the other with nothing between them.
  /// - Throws: `Failure` for another name.
  public static func builtIn(_ name: String, bos: String? = nil, eos: String? = nil) throws -> ChatTemplate {
    guard let source = sources[name] else {
      throw Failure(
        .user, "unknown-chat-template", "there is no built-in chat template '\(name)'",
        hint: "there are \(builtInNames.joined(separator: " and "))")
    }
    return try ChatTemplate(source: source, bos: bos, eos: eos, file: name)
  }

  private static let sources = [
    "chatml": """
    {%- for message in messages %}
      {{- '<|im_start|>' ~ message.role ~ '\\n' ~ message.content ~ '<|im_end|>\\n' }}
    {%- endfor %}
    {%- if add_generation_prompt %}
      {{- '<|im_start|>assistant\\n' }}
    {%- endif %}
    """,
    "plain": """
    {%- for message in messages %}
      {{- message.content }}
    {%- endfor %}
    """,
  ]
}
