import LemmaBasics

/// Expressions, from the loosest binding to the tightest.
/// Language: https://jinja.palletsprojects.com/en/stable/templates/#expressions.
extension JinjaWords {
  /// An expression, or several with commas between them, which are a tuple.
  mutating func expressions() throws -> JinjaExpression {
    let offset = current.offset
    let first = try expression()
    guard isMark(",") else { return first }
    var parts = [first]
    while skip(mark: ",") {
      if current.kind == .outputEnd || current.kind == .blockEnd || isMark(")") { break }
      parts.append(try expression())
    }
    return try make(.tuple(parts), offset, parts)
  }

  /// What an output prints. That it is safe, which means HTML, changes nothing there; in a sum Jinja would escape
  /// the other side.
  mutating func printed() throws -> JinjaExpression {
    let value = try expressions()
    if case .filter(let operand, "safe", let arguments) = value.kind, arguments.isEmpty { return operand }
    return value
  }

  /// With the inline `if`.
  mutating func expression() throws -> JinjaExpression {
    try nested { words in
      var value = try words.disjunction()
      while words.isName("if") {
        let offset = words.current.offset
        words.advance()
        let condition = try words.disjunction()
        let otherwise = words.skip(name: "else") ? try words.expression() : nil
        value = try words.make(
          .conditional(condition, then: value, otherwise: otherwise), offset,
          [condition, value] + (otherwise.map { [$0] } ?? []))
      }
      return value
    }
  }

  /// Without it: the condition of `if` and what `for` goes through.
  mutating func disjunction() throws -> JinjaExpression {
    var left = try conjunction()
    while isName("or") {
      let offset = current.offset
      advance()
      let right = try conjunction()
      left = try make(.or(left, right), offset, [left, right])
    }
    return left
  }

  private mutating func conjunction() throws -> JinjaExpression {
    var left = try negation()
    while isName("and") {
      let offset = current.offset
      advance()
      let right = try negation()
      left = try make(.and(left, right), offset, [left, right])
    }
    return left
  }

  private mutating func negation() throws -> JinjaExpression {
    let offset = current.offset
    guard skip(name: "not") else { return try comparison() }
    let operand = try nested { try $0.negation() }
    return try make(.not(operand), offset, [operand])
  }

  private mutating func comparison() throws -> JinjaExpression {
    let left = try binary(0)
    let offset = current.offset
    var rest: [(mark: String, right: JinjaExpression)] = []
    while let mark = comparisonMark() { rest.append((mark, try binary(0))) }
    return rest.isEmpty ? left : try make(.comparison(left, rest), offset, [left] + rest.map(\.right))
  }

  private mutating func comparisonMark() -> String? {
    if case .mark(let mark) = current.kind, ["==", "!=", "<", "<=", ">", ">="].contains(mark) {
      advance()
      return mark
    }
    if skip(name: "in") { return "in" }
    guard isName("not"), next.kind == .name("in") else { return nil }
    advance()
    advance()
    return "not in"
  }

  /// Left-associative operators by how tightly they bind; `**` is one of them in Jinja.
  private static let levels: [[String]] = [["+", "-"], ["~"], ["*", "/", "//", "%"], ["**"]]

  private mutating func binary(_ level: Int) throws -> JinjaExpression {
    guard level < Self.levels.count else { return try unary(withFilters: true) }
    var left = try binary(level + 1)
    var parts = [left]
    let start = current.offset
    while case .mark(let mark) = current.kind, Self.levels[level].contains(mark) {
      let offset = current.offset
      advance()
      let right = try binary(level + 1)
      if mark == "~" {
        parts.append(right)
      } else {
        left = try make(.arithmetic(left, mark, right), offset, [left, right])
      }
    }
    return parts.count > 1 ? try make(.concatenation(parts), start, parts) : left
  }

  private mutating func unary(withFilters: Bool) throws -> JinjaExpression {
    let offset = current.offset
    var value: JinjaExpression
    if skip(mark: "-") {
      let operand = try nested { try $0.unary(withFilters: false) }
      value = try make(.negative(operand), offset, [operand])
    } else if skip(mark: "+") {
      let operand = try nested { try $0.unary(withFilters: false) }
      value = try make(.positive(operand), offset, [operand])
    } else {
      value = try primary()
    }
    value = try postfix(value)
    return withFilters ? try filters(value) : value
  }

  private mutating func primary() throws -> JinjaExpression {
    let token = current
    switch token.kind {
    case .name(let name):
      let constants: [String: JinjaExpression.Kind] = [
        "true": .bool(true), "True": .bool(true), "false": .bool(false), "False": .bool(false), "none": .none,
        "None": .none,
      ]
      if let constant = constants[name] {
        advance()
        return try make(constant, token.offset)
      }
      return try make(.name(try self.name("a value")), token.offset)
    case .text(var text):
      advance()
      // Texts side by side are one, as in Python.
      while case .text(let more) = current.kind {
        text += more
        advance()
      }
      return try make(.text(text), token.offset)
    case .integer(let value):
      advance()
      return try make(.integer(value), token.offset)
    case .number(let value):
      advance()
      return try make(.number(value), token.offset)
    case .mark("("):
      advance()
      if skip(mark: ")") { return try make(.tuple([]), token.offset) }
      let value = try nested { try $0.expressions() }
      try expect(mark: ")")
      return value
    case .mark("["):
      advance()
      let parts = try list(until: "]") { try $0.expression() }
      return try make(.list(parts), token.offset, parts)
    case .mark("{"):
      advance()
      let pairs = try list(until: "}") { words in
        let key = try words.expression()
        try words.expect(mark: ":")
        return (key: key, value: try words.expression())
      }
      return try make(.mapping(pairs), token.offset, pairs.flatMap { [$0.key, $0.value] })
    default: throw unexpected("a value")
    }
  }

  /// Elements with commas between them, and one behind the last if need be.
  private mutating func list<T>(until mark: String, _ element: (inout JinjaWords) throws -> T) throws -> [T] {
    var elements: [T] = []
    while !skip(mark: mark) {
      if !elements.isEmpty {
        try expect(mark: ",")
        if skip(mark: mark) { break }
      }
      elements.append(try nested(element))
    }
    return elements
  }

  /// Attributes, items, slices and calls.
  mutating func postfix(_ start: JinjaExpression) throws -> JinjaExpression {
    var value = start
    while true {
      let offset = current.offset
      if skip(mark: ".") {
        value = try attribute(of: value)
      } else if skip(mark: "[") {
        value = try subscripted(value, offset)
      } else if isMark("(") {
        let arguments = try arguments()
        value = try make(.call(value, arguments), value.offset, [value], arguments)
      } else {
        return value
      }
    }
  }

  private mutating func attribute(of value: JinjaExpression) throws -> JinjaExpression {
    let token = current
    if case .integer(let index) = token.kind {
      advance()
      return try make(.item(value, try make(.integer(index), token.offset)), token.offset, [value])
    }
    guard case .name(let name) = token.kind else { throw unexpected("a name") }
    advance()
    return try make(.attribute(value, name), token.offset, [value])
  }

  private mutating func subscripted(_ value: JinjaExpression, _ offset: Int) throws -> JinjaExpression {
    var parts: [JinjaExpression?] = []
    var isSlice = false
    for position in 0..<3 {
      parts.append(isMark(":") || isMark("]") ? nil : try nested { try $0.expression() })
      guard position < 2, skip(mark: ":") else { break }
      isSlice = true
    }
    if isMark(",") {
      throw source.failure(.unsupported, "several items at once are not supported", at: current.offset)
    }
    try expect(mark: "]")
    let given = parts.compactMap { $0 }
    if isSlice {
      while parts.count < 3 { parts.append(nil) }
      return try make(.slice(value, start: parts[0], stop: parts[1], step: parts[2]), offset, [value] + given)
    }
    guard let index = given.first else { throw source.failure(.syntax, "an item has a key", at: offset) }
    return try make(.item(value, index), offset, [value, index])
  }

  /// In parentheses.
  private mutating func arguments() throws -> JinjaCallArguments {
    try expect(mark: "(")
    var result = JinjaCallArguments()
    _ = try list(until: ")") { words in
      if words.isMark("*") || words.isMark("**") {
        throw words.source.failure(
          .unsupported, "arguments that are unpacked with '*' are not supported", at: words.current.offset)
      }
      if case .name(let name) = words.current.kind, words.next.kind == .mark("=") {
        guard !result.named.contains(where: { $0.name == name }) else {
          throw words.source.failure(.syntax, "the argument '\(name)' stands twice", at: words.current.offset)
        }
        words.advance()
        words.advance()
        result.named.append((name, try words.expression()))
      } else {
        guard result.named.isEmpty else { throw words.unexpected("the name of an argument") }
        result.positional.append(try words.expression())
      }
    }
    return result
  }

  private mutating func filters(_ start: JinjaExpression) throws -> JinjaExpression {
    var value = start
    while true {
      let offset = current.offset
      if skip(mark: "|") {
        value = try filter(value)
      } else if skip(name: "is") {
        value = try test(value, offset)
      } else if isMark("(") {
        value = try postfix(value)
      } else {
        return value
      }
    }
  }

  private mutating func filter(_ value: JinjaExpression) throws -> JinjaExpression {
    let offset = current.offset
    let name = try name("the name of a filter")
    guard JinjaFilters.names.contains(name), !isMark(".") else {
      throw unsupported("filter", name, among: JinjaFilters.names, offset)
    }
    let arguments = isMark("(") ? try arguments() : JinjaCallArguments()
    return try make(.filter(value, name, arguments), offset, [value], arguments)
  }

  private mutating func test(_ value: JinjaExpression, _ start: Int) throws -> JinjaExpression {
    let isNegated = skip(name: "not")
    let offset = current.offset
    guard case .name(let name) = current.kind else { throw unexpected("the name of a test") }
    advance()
    guard JinjaTests.names.contains(name), !isMark(".") else {
      throw unsupported("test", name, among: JinjaTests.names, offset)
    }
    var arguments = JinjaCallArguments()
    if isMark("(") {
      arguments = try self.arguments()
    } else if beginsArgument() {
      let argument = try nested { words in try words.postfix(try words.primary()) }
      arguments.positional = [argument]
    }
    let test = try make(.test(value, name, arguments), offset, [value], arguments)
    return isNegated ? try make(.not(test), start, [test]) : test
  }

  /// Whether a test's one argument stands here, without parentheses: words such as `is` and `if` begin one, and no
  /// value begins with them.
  private func beginsArgument() -> Bool {
    switch current.kind {
    case .name(let name): !["else", "or", "and"].contains(name)
    case .text, .integer, .number, .mark("["), .mark("{"): true
    default: false
    }
  }

  func unsupported(_ what: String, _ name: String, among names: Set<String>, _ offset: Int) -> Failure {
    source.failure(
      .unsupported, "the \(what) '\(name)' is not supported", at: offset,
      hint: nearest(to: name, among: names.sorted()).map { "did you mean '\($0)'?" })
  }

  private func make(
    _ kind: JinjaExpression.Kind, _ offset: Int, _ parts: [JinjaExpression] = [],
    _ arguments: JinjaCallArguments = JinjaCallArguments()
  ) throws -> JinjaExpression {
    let height = 1 + max(parts.map(\.height).max() ?? 0, arguments.height)
    guard height <= Self.depthLimit else { throw tooDeep(offset) }
    return JinjaExpression(kind: kind, offset: offset, height: height)
  }
}
