import LemmaBasics
import LemmaHash
import LemmaPipeline

/// A command with every name in it resolved to a place in its execution root.
struct ResolvedCommand: Sendable {
  struct Tool: Sendable {
    /// Where it was found on this machine; only its content enters the document.
    var path: String
    var artifact: Artifact
  }

  static let secretPrefix = "env:"

  /// What is run: paths are relative to the execution root.
  var words: [String]
  /// Files of the project named by a word of the command, by relative path.
  var files: [String: Artifact] = [:]
  var tools: [String: Tool] = [:]
  /// Declared variables; a secret stands as `{"secret": NAME}` and its value nowhere.
  var environment: [String: JSON] = [:]
}

extension CommandWord {
  /// The word's text when it refers to no input or output.
  var plainText: String? {
    var text = ""
    for piece in pieces {
      guard case .text(let part) = piece else { return nil }
      text += part
    }
    return text
  }

  /// The words that this one becomes: a word that is nothing but a list becomes one word for each
  /// member; within a text the members stand side by side, as a shell reads them.
  func expand(inputs: [String: [String]], outputs: [String: String]) -> [String] {
    if pieces.count == 1, case .input(let name) = pieces[0] { return inputs[name] ?? [] }
    let parts = pieces.map { piece in
      switch piece {
      case .text(let text): text
      case .output(let name): outputs[name] ?? ""
      case .input(let name): (inputs[name] ?? []).joined(separator: " ")
      }
    }
    return [parts.joined()]
  }
}
