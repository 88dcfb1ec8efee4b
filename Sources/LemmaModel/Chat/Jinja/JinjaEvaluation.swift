import LemmaBasics

/// What expressions come to.
extension JinjaRenderer {
  func evaluate(_ expression: JinjaExpression) throws -> JinjaValue {
    place = expression.offset
    try charge()
    return try nested {
      switch expression.kind {
      case .none: .none
      case .bool(let value): .bool(value)
      case .integer(let value): .integer(value)
      case .number(let value): .number(value)
      case .text(let text): .text(text)
      case .name(let name): try value(of: name)
      case .not(let operand): .bool(!(try evaluate(operand).isTrue))
      case .and, .or, .conditional, .comparison: try logical(expression)
      case .list, .tuple, .mapping: try collection(expression)
      case .attribute, .item, .slice, .call: try access(expression)
      default: try operation(expression)
      }
    }
  }

  private func value(of name: String) throws -> JinjaValue {
    if let value = scope.find(name) { return value }
    if JinjaFunctions.names.contains(name) { return .function(name) }
    guard !["lipsum", "cycler", "joiner", "self", "caller", "varargs", "kwargs"].contains(name) else {
      throw failure(.unsupported, "'\(name)' is not supported")
    }
    return .undefined("'\(name)' is undefined")
  }

  private func logical(_ expression: JinjaExpression) throws -> JinjaValue {
    switch expression.kind {
    case .and(let left, let right):
      let value = try evaluate(left)
      return value.isTrue ? try evaluate(right) : value
    case .or(let left, let right):
      let value = try evaluate(left)
      return value.isTrue ? value : try evaluate(right)
    case .conditional(let condition, let then, let otherwise):
      if try evaluate(condition).isTrue { return try evaluate(then) }
      return try otherwise.map(evaluate) ?? .undefined("the inline 'if' has no 'else'")
    case .comparison(let first, let rest):
      var left = try evaluate(first)
      for (mark, expression) in rest {
        let right = try evaluate(expression)
        place = expression.offset
        guard try compare(left, mark, right) else { return .bool(false) }
        left = right
      }
      return .bool(true)
    default: return .none
    }
  }

  private func collection(_ expression: JinjaExpression) throws -> JinjaValue {
    func part(_ expression: JinjaExpression) throws -> JinjaValue {
      let value = try evaluate(expression)
      guard value.isPlain else {
        place = expression.offset
        throw failure(.unsupported, "a list that holds a \(value.typeName) is not supported")
      }
      return value
    }
    switch expression.kind {
    case .list(let parts): return try checked(.list(try parts.map(part)))
    case .tuple(let parts): return try checked(.tuple(try parts.map(part)))
    case .mapping(let pairs):
      let values = try pairs.map { pair in
        guard case .text(let key) = try evaluate(pair.key) else {
          place = pair.key.offset
          throw failure(.unsupported, "keys other than texts are not supported")
        }
        try charge(text: key.count)
        return (key: key, value: try part(pair.value))
      }
      return try checked(.mapping(JinjaMapping(values)))
    default: return .none
    }
  }

  private func access(_ expression: JinjaExpression) throws -> JinjaValue {
    switch expression.kind {
    case .attribute(let base, let name):
      let value = try evaluate(base)
      place = expression.offset
      return try attribute(name, of: value)
    case .item(let base, let index):
      let value = try evaluate(base)
      let key = try evaluate(index)
      place = expression.offset
      return try item(key, of: value)
    case .slice(let base, let start, let stop, let step):
      let value = try evaluate(base)
      let bounds = try [start, stop, step].map { try bound($0) }
      place = expression.offset
      return try slice(value, bounds[0], bounds[1], bounds[2])
    case .call(let callee, let arguments): return try call(callee, arguments, expression.offset)
    default: return .none
    }
  }

  private func bound(_ expression: JinjaExpression?) throws -> Int? {
    guard let expression else { return nil }
    switch try evaluate(expression) {
    case .none: return nil
    case .integer(let value): return value
    case .bool(let value): return value ? 1 : 0
    case let value:
      place = expression.offset
      throw wrong("a slice has whole numbers, not a \(value.typeName)")
    }
  }

  private func call(_ callee: JinjaExpression, _ written: JinjaCallArguments, _ offset: Int) throws -> JinjaValue {
    if case .attribute(let base, let name) = callee.kind {
      let receiver = try evaluate(base)
      place = callee.offset
      // Fails for what is undefined before its arguments are looked at.
      let method = try attribute(name, of: receiver)
      guard case .function = method else { throw notCallable(method, "'\(name)'") }
      let arguments = try evaluate(written)
      place = callee.offset
      return try checked(try JinjaMethods.call(name, of: receiver, arguments, self))
    }
    let function = try evaluate(callee)
    let arguments = try evaluate(written)
    place = offset
    switch function {
    case .macro(let number): return try call(number, arguments)
    case .function(let name): return try checked(try JinjaFunctions.call(name, arguments, self))
    default:
      if case .name(let name) = callee.kind {
        if case .undefined = function, name == "strftime_now" {
          throw failure(
            .unsupported, "the template asks for today's date, so that its text would change by the day",
            hint: "give the date in the message, or use a template that has none")
        }
        throw notCallable(function, "'\(name)'")
      }
      throw notCallable(function, "this value")
    }
  }

  private func notCallable(_ value: JinjaValue, _ name: String) -> Failure {
    if case .undefined(let what) = value { return wrong(what) }
    return wrong("\(name) is a \(value.typeName), not a function")
  }

  func evaluate(_ written: JinjaCallArguments) throws -> JinjaArguments {
    JinjaArguments(
      positional: try written.positional.map(evaluate),
      named: try written.named.map { (name: $0.name, value: try evaluate($0.value)) })
  }

  private func operation(_ expression: JinjaExpression) throws -> JinjaValue {
    switch expression.kind {
    case .negative(let operand), .positive(let operand):
      let value = try evaluate(operand)
      place = expression.offset
      if case .positive = expression.kind { return try signed(value, isNegative: false) }
      return try signed(value, isNegative: true)
    case .arithmetic(let left, let mark, let right):
      let first = try evaluate(left)
      let second = try evaluate(right)
      place = expression.offset
      return try checked(try arithmetic(first, mark, second))
    case .concatenation(let parts):
      var result: Scalars = []
      for part in parts {
        let text = try text(of: try evaluate(part))
        place = expression.offset
        try charge(text.count, behind: result.count)
        result += text
      }
      return .text(result)
    case .filter(let operand, let name, let written):
      let value = try evaluate(operand)
      let arguments = try evaluate(written)
      place = expression.offset
      return try checked(try JinjaFilters.apply(name, to: value, arguments, self))
    case .test(let operand, let name, let written):
      let value = try evaluate(operand)
      let arguments = try evaluate(written)
      place = expression.offset
      return .bool(try JinjaTests.holds(name, value, arguments, self))
    default: return .none
    }
  }
}

/// The arguments of a call, a filter or a test, as values.
struct JinjaArguments {
  var positional: [JinjaValue] = []
  var named: [(name: String, value: JinjaValue)] = []

  /// The values by the parameters' order; nil where one was not given.
  /// - Throws: `Failure` when there are too many, or one that `what` does not have.
  func bind(_ parameters: [String], of what: String, _ renderer: JinjaRenderer) throws -> [JinjaValue?] {
    guard positional.count <= parameters.count else {
      throw renderer.wrong("\(what) takes at most \(parameters.count) arguments, not \(positional.count)")
    }
    var values: [JinjaValue?] = positional.map { $0 }
    values += [JinjaValue?](repeating: nil, count: parameters.count - values.count)
    for (name, value) in named {
      guard let index = parameters.firstIndex(of: name) else {
        throw renderer.wrong("\(what) takes no argument '\(name)'")
      }
      guard values[index] == nil else { throw renderer.wrong("\(what) takes '\(name)' once") }
      values[index] = value
    }
    return values
  }
}
