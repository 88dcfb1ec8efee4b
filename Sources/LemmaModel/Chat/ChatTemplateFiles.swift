import LemmaBasics

/// Chat templates as model folders keep them.
extension ChatTemplate {
  /// A template in a file of its own, which counts more than the other place.
  public static let fileName = "chat_template.jinja"
  /// Where the special tokens are spelled, and a template may stand as well.
  public static let configurationName = "tokenizer_config.json"
  /// Where a GGUF file has its template in its metadata.
  public static let ggufKey = "tokenizer.chat_template"

  /// The template of a model's folder; of several, the one called `default`.
  /// - Returns: nil where the folder has none.
  /// - Throws: `Failure` for files that are not in order, and for a template that Lemma does not interpret.
  public static func read(folder: String) throws -> ChatTemplate? {
    let configuration = "\(folder)/\(configurationName)"
    let json = try configurationJSON(configuration)
    let tokens = try specialTokens(json, configuration)
    let own = "\(folder)/\(fileName)"
    if Files.exists(own) { return try ChatTemplate(source: try Files.readText(own), tokens: tokens, file: own) }
    guard let value = json["chat_template"], !value.isNull else { return nil }
    let source = try templateText(value, configuration)
    // Its lines are those of the text, not of the file around it.
    return try ChatTemplate(source: source, tokens: tokens, file: "\(configuration)#chat_template")
  }

  /// The spellings of a model's special tokens by their names, such as `eos_token`.
  /// - Throws: `Failure` for a file that is not in order.
  static func specialTokens(folder: String) throws -> [String: String] {
    let configuration = "\(folder)/\(configurationName)"
    return try specialTokens(configurationJSON(configuration), configuration)
  }

  private static func configurationJSON(_ file: String) throws -> JSON {
    let json = Files.exists(file) ? try JSON(parsing: try Files.read(file), file: file) : .object([:])
    guard json.object != nil else { throw refusal("it is a mapping, not a \(json.typeName)", file) }
    return json
  }

  private static func refusal(_ message: String, _ file: String) -> Failure {
    Failure(.user, "tokenizer-config", message, at: Position(file: file))
  }

  private static func templateText(_ value: JSON, _ file: String) throws -> String {
    if let text = value.string { return text }
    guard let list = value.array else {
      throw refusal("'chat_template' is a text or a list, not a \(value.typeName)", file)
    }
    let templates = try list.map { entry in
      guard let name = entry["name"]?.string, let text = entry["template"]?.string else {
        throw refusal("each 'chat_template' has a 'name' and a 'template'", file)
      }
      return (name: name, text: text)
    }
    guard let template = templates.last(where: { isSame($0.name, "default") }) else {
      throw refusal("none of its chat templates is called 'default'", file)
    }
    return template.text
  }

  private static func specialTokens(_ json: JSON, _ file: String) throws -> [String: String] {
    var tokens: [String: String] = [:]
    for kind in ["bos", "eos", "unk", "sep", "pad", "cls", "mask"] {
      guard let value = json["\(kind)_token"], !value.isNull else { continue }
      guard let spelling = value.string ?? value["content"]?.string else {
        throw refusal("'\(kind)_token' is a text, or a mapping with its 'content'", file)
      }
      tokens["\(kind)_token"] = spelling
    }
    return tokens
  }
}

extension ChatTemplate {
  /// The template of a GGUF file, with the spellings of its special tokens.
  /// - Returns: nil where the file has none.
  /// - Throws: `Failure` for a template that Lemma does not interpret, or a token that is not in the vocabulary.
  public static func read(gguf: GGUF) throws -> ChatTemplate? {
    guard let source = gguf.metadata[ggufKey]?.string else { return nil }
    return try ChatTemplate(
      source: source, tokens: try GGUFVocabulary(gguf).specialTokens, file: "\(gguf.path)#\(ggufKey)")
  }
}
