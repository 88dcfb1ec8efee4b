import LemmaBasics

/// A value of a YAML document with the place where it stands.
struct Node {
  enum Content {
    /// `text` is the scalar as it was written, without quotes.
    case scalar(JSON, text: String)
    case list([Node])
    case mapping([Member])
    /// Something already reported; whoever meets it keeps silent.
    case faulty
  }

  struct Member {
    var key: String
    var keyMark: Mark
    var value: Node
  }

  var content: Content
  var mark: Mark
  /// Whether it is a string with a `${` in it.
  var isTemplate = false

  /// Kept in a mapping, with a faulty value, so that nothing is called missing that it may have held.
  static let mergeKey = "<<"
  /// `sandbox: off` can mean but one thing, so it needs no quotes.
  static let sandboxKey = "sandbox"

  init(_ content: Content, at mark: Mark, isTemplate: Bool = false) {
    self.content = content
    self.mark = mark
    self.isTemplate = isTemplate
  }

  /// The value of a parameter, standing where it is used.
  init(_ value: JSON, at mark: Mark) {
    self.mark = mark
    switch value {
    case .string(let text): content = .scalar(value, text: text)
    case .array(let elements): content = .list(elements.map { Node($0, at: mark) })
    case .object(let members):
      content = .mapping(
        members.sorted { $0.key < $1.key }
          .map { Member(key: $0.key, keyMark: mark, value: Node($0.value, at: mark)) })
    default: content = .scalar(value, text: value.canonical)
    }
  }

  var isFaulty: Bool { if case .faulty = content { true } else { false } }

  /// What it is, for "must be a list, not ...".
  var words: String {
    switch content {
    case .scalar(.null, _): "nothing"
    case .scalar(.string, let text): "the text \(quoted(text))"
    case .scalar(let value, let text): "the \(value.typeName) \(text)"
    case .list: "a list"
    case .mapping: "a mapping"
    case .faulty: "something else"
    }
  }
}

/// A text from the file in quotes for a message, cut where it is too long to help.
func quoted(_ text: String) -> String {
  text.utf8.count <= 80 ? "'\(text)'" : "'\(text.prefix(60))...'"
}
