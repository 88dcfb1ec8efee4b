import LemmaBasics

/// A text as Python counts it: code points, compared one by one. Two ways to write an accent are two texts.
typealias Scalars = [Unicode.Scalar]

/// The text of one template with its places, from which every failure is made.
struct JinjaSource: Sendable {
  /// Line ends are all `\n`; one at the very end is not part of the template.
  let scalars: Scalars
  let file: String

  /// Templates are some kilobytes long; this much is no template.
  static let limit = 1 << 20

  init(_ text: String, file: String) throws {
    self.file = file
    guard text.utf8.count <= Self.limit else {
      throw Failure(
        .user, "chat-template-limit", "the chat template is longer than \(Self.limit) bytes", at: Position(file: file))
    }
    var scalars: Scalars = []
    var afterReturn = false
    for scalar in text.unicodeScalars {
      if scalar != "\n" || !afterReturn { scalars.append(scalar == "\r" ? "\n" : scalar) }
      afterReturn = scalar == "\r"
    }
    if scalars.last == "\n" { scalars.removeLast() }
    self.scalars = scalars
  }

  /// The line and column of the code point at `offset`, the column in bytes.
  func position(_ offset: Int) -> Position {
    var line = 1
    var column = 1
    for scalar in scalars.prefix(offset) {
      if scalar == "\n" {
        line += 1
        column = 1
      } else {
        column += UTF8.width(scalar)
      }
    }
    return Position(file: file, line: line, column: column)
  }

  func failure(_ fault: JinjaFault, _ message: String, at offset: Int, hint: String? = nil) -> Failure {
    Failure(.user, fault.rawValue, message, at: position(offset), hint: hint)
  }
}

/// What may be wrong with a template, as the code of its `Failure`.
enum JinjaFault: String {
  case syntax = "chat-template-syntax"
  /// Jinja, but not of the part that Lemma interprets.
  case unsupported = "chat-template-unsupported"
  /// Something that only shows when the template meets its messages.
  case value = "chat-template-value"
  /// The template itself refuses these messages, with `raise_exception`.
  case raised = "chat-template-raised"
  case limit = "chat-template-limit"
}
