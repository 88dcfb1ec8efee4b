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

  /// The words that this one becomes: several when it stands for all the members of a list.
  func expand(inputs: [String: [String]], outputs: [String: String]) -> [String] {
    var words = [""]
    for piece in pieces {
      switch piece {
      case .text(let text): words = words.map { $0 + text }
      case .output(let name): words = words.map { $0 + (outputs[name] ?? "") }
      case .input(let name): words = words.flatMap { word in (inputs[name] ?? []).map { word + $0 } }
      }
    }
    return words
  }
}
