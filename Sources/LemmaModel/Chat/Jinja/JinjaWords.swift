import LemmaBasics

/// The tokens of a template, read one after the other.
struct JinjaWords {
  let source: JinjaSource
  private let tokens: [JinjaToken]
  private var index = 0
  private var depth = 0

  /// How deeply blocks and brackets may be nested, and the height of an expression's tree.
  static let depthLimit = 60

  init(_ source: JinjaSource) throws {
    self.source = source
    tokens = try JinjaLexer.tokens(of: source)
  }

  /// The last token is always `end`, and nothing goes behind it.
  var current: JinjaToken { tokens[index] }
  var next: JinjaToken { tokens[min(index + 1, tokens.count - 1)] }

  mutating func advance() { index = min(index + 1, tokens.count - 1) }

  func isMark(_ mark: String) -> Bool { current.kind == .mark(mark) }
  func isName(_ name: String) -> Bool { current.kind == .name(name) }

  mutating func skip(_ kind: JinjaToken.Kind) -> Bool {
    guard current.kind == kind else { return false }
    advance()
    return true
  }

  mutating func skip(mark: String) -> Bool { skip(.mark(mark)) }
  mutating func skip(name: String) -> Bool { skip(.name(name)) }

  mutating func expect(_ kind: JinjaToken.Kind) throws {
    guard skip(kind) else { throw unexpected(kind.words) }
  }

  mutating func expect(mark: String) throws { try expect(.mark(mark)) }

  /// A name that is no word of the language.
  mutating func name(_ what: String) throws -> String {
    guard case .name(let name) = current.kind, !Self.reserved.contains(name) else { throw unexpected(what) }
    advance()
    return name
  }

  func unexpected(_ expected: String) -> Failure {
    source.failure(.syntax, "\(expected) was expected, not \(current.kind.words)", at: current.offset)
  }

  /// Runs `body` one level deeper.
  mutating func nested<T>(_ body: (inout JinjaWords) throws -> T) throws -> T {
    guard depth < Self.depthLimit else { throw tooDeep(current.offset) }
    depth += 1
    defer { depth -= 1 }
    return try body(&self)
  }

  func tooDeep(_ offset: Int) -> Failure {
    source.failure(.limit, "the template is nested more than \(Self.depthLimit) deep", at: offset)
  }

  static let reserved: Set<String> = [
    "and", "or", "not", "in", "is", "if", "else", "elif", "for", "true", "True", "false", "False", "none", "None",
  ]
}

extension JinjaToken.Kind {
  /// For messages.
  var words: String {
    switch self {
    case .data: "text"
    case .outputBegin: "'{{'"
    case .outputEnd: "'}}'"
    case .blockBegin: "'{%'"
    case .blockEnd: "'%}'"
    case .name(let name): "'\(name)'"
    case .text: "a quoted text"
    case .integer(let value): "\(value)"
    case .number(let value): "\(value)"
    case .mark(let mark): "'\(mark)'"
    case .end: "the end of the template"
    }
  }
}
