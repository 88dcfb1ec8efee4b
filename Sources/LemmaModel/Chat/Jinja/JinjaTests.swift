import LemmaBasics

/// What stands behind `is`. Reference: https://jinja.palletsprojects.com/en/stable/templates/#list-of-builtin-tests.
enum JinjaTests {
  static let names: Set<String> = [
    "boolean", "callable", "defined", "divisibleby", "eq", "equalto", "even", "false", "float", "ge", "gt", "in",
    "integer", "iterable", "le", "lower", "lt", "mapping", "ne", "none", "number", "odd", "sequence", "string", "true",
    "undefined", "upper",
  ]

  static func holds(
    _ name: String, _ value: JinjaValue, _ arguments: JinjaArguments, _ renderer: JinjaRenderer
  ) throws -> Bool {
    let reader = JinjaArgumentReader(name: name, arguments: arguments, renderer: renderer)
    let marks = [
      "eq": "==", "equalto": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "in": "in",
    ]
    if let mark = marks[name] {
      guard let other = try reader.optional(0, of: ["other"]) else {
        throw renderer.wrong("'\(name)' needs a value to compare with")
      }
      return try renderer.compare(value, mark, other)
    }
    if ["odd", "even", "divisibleby"].contains(name) { return try divides(name, value, reader) }
    try reader.none()
    guard name == "upper" || name == "lower" else { return isOfType(name, value) }
    let text = try renderer.text(of: value)
    try renderer.charge(text: text.count)
    return text.isCased(upper: name == "upper")
  }

  private static func isOfType(_ name: String, _ value: JinjaValue) -> Bool {
    switch (name, value) {
    case ("defined", .undefined): false
    case ("defined", _): true
    case ("undefined", .undefined), ("none", .none), ("string", .text), ("mapping", .mapping), ("boolean", .bool),
      ("integer", .integer), ("float", .number), ("number", .bool), ("number", .integer), ("number", .number),
      ("callable", .function), ("callable", .macro), ("callable", .undefined):
      true
    case ("callable", .loop): true
    case ("true", .bool(let value)): value
    case ("false", .bool(let value)): !value
    case ("iterable", .undefined), ("iterable", .text), ("iterable", .sequence), ("iterable", .mapping),
      ("iterable", .iterator), ("iterable", .loop):
      true
    case ("sequence", .undefined), ("sequence", .text), ("sequence", .mapping): true
    case ("sequence", .sequence(let sequence)): sequence.kind != .view
    default: false
    }
  }

  private static func divides(_ name: String, _ value: JinjaValue, _ reader: JinjaArgumentReader) throws -> Bool {
    var divisor = JinjaValue.integer(2)
    if name == "divisibleby" { divisor = try reader.value(0, of: ["num"]) } else { try reader.none() }
    guard JinjaNumber(value) != nil, JinjaNumber(divisor) != nil else {
      throw reader.renderer.wrong("'\(name)' is asked of numbers, not of a \(value.typeName)")
    }
    let remainder = try reader.renderer.arithmetic(value, "%", divisor)
    return try reader.renderer.isEqual(remainder, .integer(name == "odd" ? 1 : 0))
  }
}
