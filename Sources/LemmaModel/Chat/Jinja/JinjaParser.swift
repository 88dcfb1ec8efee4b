import LemmaBasics

/// Statements: what stands between `{%` and `%}`.
struct JinjaParser {
  private var words: JinjaWords
  private var macros: [JinjaMacro] = []
  private var loops = 0
  /// Blocks with names of their own, in which no macro can be defined.
  private var scopes = 0

  /// Parses a template.
  /// - Throws: `Failure` with line and column, for what is wrong and for what is not supported.
  static func parse(_ text: String, file: String) throws -> JinjaSyntax {
    let source = try JinjaSource(text, file: file)
    var parser = JinjaParser(words: try JinjaWords(source))
    let statements = try parser.statements(until: [], of: nil)
    return JinjaSyntax(source: source, statements: statements, macros: parser.macros)
  }

  private init(words: JinjaWords) { self.words = words }

  /// Statements up to a tag that begins with one of `ends`, which is left to be read; of the block `opening`.
  private mutating func statements(
    until ends: Set<String>, of opening: (name: String, offset: Int)?
  ) throws -> [JinjaStatement] {
    var result: [JinjaStatement] = []
    while true {
      let token = words.current
      switch token.kind {
      case .data(let data):
        words.advance()
        result.append(JinjaStatement(kind: .data(data), offset: token.offset))
      case .outputBegin:
        words.advance()
        result.append(JinjaStatement(kind: .output(try words.printed()), offset: token.offset))
        try words.expect(.outputEnd)
      case .blockBegin:
        words.advance()
        guard case .name(let name) = words.current.kind else { throw words.unexpected("the name of a statement") }
        if ends.contains(name) { return result }
        let offset = words.current.offset
        words.advance()
        result.append(JinjaStatement(kind: try statement(name, offset), offset: offset))
      default:
        guard let opening else { return result }
        throw words.source.failure(
          .syntax, "the block '\(opening.name)' has no end '{% end\(opening.name) %}'", at: opening.offset)
      }
    }
  }

  private mutating func statement(_ name: String, _ offset: Int) throws -> JinjaStatement.Kind {
    guard let kind = try simple(name, offset) ?? block(name, offset) else {
      throw name.hasPrefix("end") || name == "else" || name == "elif"
        ? words.source.failure(.syntax, "'\(name)' ends no block that is open here", at: offset)
        : words.unsupported("statement", name, among: Self.names, offset)
    }
    return kind
  }

  private static let names: Set<String> = [
    "if", "for", "set", "macro", "generation", "raw", "break", "continue",
  ]

  private mutating func simple(_ name: String, _ offset: Int) throws -> JinjaStatement.Kind? {
    guard name == "break" || name == "continue" else { return nil }
    guard loops > 0 else { throw words.source.failure(.syntax, "'\(name)' stands in no loop", at: offset) }
    try words.expect(.blockEnd)
    return name == "break" ? .breakLoop : .continueLoop
  }

  private mutating func block(_ name: String, _ offset: Int) throws -> JinjaStatement.Kind? {
    switch name {
    case "if": return try choice(offset)
    case "for": return try loop(offset)
    case "set": return try set(offset)
    case "macro": return try macro(offset)
    case "generation":
      try words.expect(.blockEnd)
      let outer = loops
      loops = 0
      let body = try scoped { try $0.body(["endgeneration"], of: ("generation", offset)) }
      loops = outer
      try end()
      return .generation(body)
    default: return nil
    }
  }

  /// The body of a block, one level deeper.
  private mutating func body(
    _ ends: Set<String>, of opening: (name: String, offset: Int)
  ) throws -> [JinjaStatement] {
    try deeper { try $0.statements(until: ends, of: opening) }
  }

  private mutating func deeper<T>(_ read: (inout JinjaParser) throws -> T) throws -> T {
    guard depth < JinjaWords.depthLimit else { throw words.tooDeep(words.current.offset) }
    depth += 1
    defer { depth -= 1 }
    return try read(&self)
  }

  private var depth = 0

  private mutating func scoped<T>(_ read: (inout JinjaParser) throws -> T) rethrows -> T {
    scopes += 1
    defer { scopes -= 1 }
    return try read(&self)
  }

  /// The name and the end of a closing tag.
  private mutating func end() throws {
    words.advance()
    try words.expect(.blockEnd)
  }

  private mutating func choice(_ offset: Int) throws -> JinjaStatement.Kind {
    var branches: [(condition: JinjaExpression, body: [JinjaStatement])] = []
    var otherwise: [JinjaStatement] = []
    repeat {
      let condition = try words.disjunction()
      try words.expect(.blockEnd)
      branches.append((condition, try body(["elif", "else", "endif"], of: ("if", offset))))
    } while words.skip(name: "elif")
    if words.skip(name: "else") {
      try words.expect(.blockEnd)
      otherwise = try body(["endif"], of: ("if", offset))
    }
    try end()
    return .choice(branches, otherwise: otherwise)
  }

  private mutating func loop(_ offset: Int) throws -> JinjaStatement.Kind {
    var names = [try words.name("the name of a variable")]
    var isList = false
    while words.skip(mark: ",") {
      isList = true
      if words.isName("in") { break }
      names.append(try words.name("the name of a variable"))
    }
    try checkNames(names, offset)
    try words.expect(.name("in"))
    let sequence = try words.disjunction()
    if words.isMark(",") {
      throw words.source.failure(
        .unsupported, "a loop over values without brackets is not supported", at: words.current.offset)
    }
    let condition = words.skip(name: "if") ? try words.expression() : nil
    if words.isName("recursive") {
      throw words.source.failure(.unsupported, "'recursive' loops are not supported", at: words.current.offset)
    }
    try words.expect(.blockEnd)
    loops += 1
    let body = try scoped { try $0.body(["else", "endfor"], of: ("for", offset)) }
    loops -= 1
    var otherwise: [JinjaStatement] = []
    if words.skip(name: "else") {
      try words.expect(.blockEnd)
      otherwise = try scoped { try $0.body(["endfor"], of: ("for", offset)) }
    }
    try end()
    return .loop(
      JinjaLoopSyntax(
        target: isList ? .names(names) : .name(names[0]), sequence: sequence, condition: condition, body: body,
        otherwise: otherwise))
  }

  private func checkNames(_ names: [String], _ offset: Int) throws {
    guard !names.contains("loop") else {
      throw words.source.failure(.syntax, "'loop' is the loop's own name", at: offset)
    }
  }

  private mutating func set(_ offset: Int) throws -> JinjaStatement.Kind {
    let first = try words.name("the name of a variable")
    var target = JinjaTarget.name(first)
    if words.skip(mark: ".") {
      target = .attribute(first, try words.name("the name of an attribute"))
    } else if words.isMark(",") {
      var names = [first]
      while words.skip(mark: ",") { names.append(try words.name("the name of a variable")) }
      target = .names(names)
    }
    if words.skip(mark: "=") {
      let value = try words.expressions()
      try words.expect(.blockEnd)
      return .set(target, value)
    }
    if words.isMark("|") {
      throw words.source.failure(
        .unsupported, "filters on a block of 'set' are not supported", at: words.current.offset)
    }
    try words.expect(.blockEnd)
    let outer = loops
    loops = 0
    let body = try scoped { try $0.body(["endset"], of: ("set", offset)) }
    loops = outer
    try end()
    return .setBlock(target, body)
  }

  private mutating func macro(_ offset: Int) throws -> JinjaStatement.Kind {
    guard scopes == 0 else {
      throw words.source.failure(.unsupported, "a macro inside of a loop or macro is not supported", at: offset)
    }
    let name = try words.name("the name of the macro")
    try words.expect(mark: "(")
    var parameters: [(name: String, fallback: JinjaExpression?)] = []
    while !words.skip(mark: ")") {
      if !parameters.isEmpty {
        try words.expect(mark: ",")
        if words.skip(mark: ")") { break }
      }
      let start = words.current.offset
      let parameter = try words.name("the name of a parameter")
      guard !parameters.contains(where: { $0.name == parameter }) else {
        throw words.source.failure(.syntax, "the parameter '\(parameter)' stands twice", at: start)
      }
      let fallback = words.skip(mark: "=") ? try words.expression() : nil
      guard fallback != nil || parameters.last?.fallback == nil else {
        throw words.source.failure(.syntax, "'\(parameter)' needs a default, as the one before it has one", at: start)
      }
      parameters.append((parameter, fallback))
    }
    try words.expect(.blockEnd)
    let outer = loops
    loops = 0
    let body = try scoped { try $0.body(["endmacro"], of: ("macro", offset)) }
    loops = outer
    try end()
    macros.append(JinjaMacro(name: name, parameters: parameters, body: body))
    return .macro(macros.count - 1)
  }
}
