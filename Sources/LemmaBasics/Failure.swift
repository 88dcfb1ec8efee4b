import Glibc

/// Everything that Lemma refuses or fails at, as data: what, where, and how to mend it.
/// The text of an error is made here and nowhere else; what looks like a key (`KeyShapes`) is struck out
/// before anything can show or keep it.
public struct Failure: Error, Hashable, Sendable {
  /// Whose fault it is, which decides the exit code and the tone.
  public enum Kind: String, Sendable {
    /// The pipeline, the arguments or the data that a person gave.
    case user
    /// The store, the index or the ledger: damage, a full disk, a lock.
    case store
    /// Lemma itself: a broken promise of the code.
    case `internal`
  }

  public var kind: Kind
  /// A short stable word for programs, such as `unknown-key` or `object-altered`.
  public var code: String
  /// What is wrong, in one sentence.
  public var message: String { didSet { message = KeyShapes.redact(message) } }
  /// Where: a file with line and column, or a path, an object, a stage.
  public var position: Position?
  /// How to mend it.
  public var hint: String? { didSet { hint = hint.map(KeyShapes.redact) } }

  public init(
    _ kind: Kind, _ code: String, _ message: String, at position: Position? = nil,
    hint: String? = nil
  ) {
    self.kind = kind
    self.code = code
    self.message = KeyShapes.redact(message)
    self.position = position
    self.hint = hint.map(KeyShapes.redact)
  }

  /// A failure of a system call, with the path it was about.
  public static func system(_ call: String, path: String, errno code: Int32) -> Failure {
    Failure(
      .store, "system", "\(call) failed for '\(path)': \(describe(errno: code))",
      hint: code == ENOSPC ? "free some space and run again: finished work is kept" : nil)
  }
}

/// A place in a text file; line and column count from 1, the column in bytes.
public struct Position: Hashable, Sendable {
  public var file: String
  public var line: Int?
  public var column: Int?

  public init(file: String, line: Int? = nil, column: Int? = nil) {
    self.file = file
    self.line = line
    self.column = column
  }
}

extension Position: CustomStringConvertible {
  public var description: String {
    [file, line.map(String.init), column.map(String.init)].compactMap { $0 }.joined(separator: ":")
  }
}

extension Failure: CustomStringConvertible {
  /// `file:line:column: message` and, on a line of its own, the hint. Control characters are escaped.
  public var description: String {
    var text = position.map { "\($0): " } ?? ""
    text += message
    if let hint { text += "\n  hint: \(hint)" }
    return printable(text)
  }
}

extension Failure {
  /// The form in which programs get it: `kind`, `code`, `message`, and `file`, `line`, `column` and `hint`
  /// where they are known.
  public var json: JSON {
    var members: [String: JSON] = [
      "kind": .string(kind.rawValue), "code": .string(code), "message": .string(message),
    ]
    if let position {
      members["file"] = .string(position.file)
      if let line = position.line { members["line"] = JSON(line) }
      if let column = position.column { members["column"] = JSON(column) }
    }
    if let hint { members["hint"] = .string(hint) }
    return .object(members)
  }
}

/// Several failures found in one pass, such as all the mistakes of a pipeline file.
public struct Failures: Error, Sendable, CustomStringConvertible {
  public var all: [Failure]

  public init(_ all: [Failure]) { self.all = all }

  public var description: String { all.map(\.description).joined(separator: "\n") }
}
