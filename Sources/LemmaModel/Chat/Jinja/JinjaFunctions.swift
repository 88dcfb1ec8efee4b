import LemmaBasics

/// The functions that every template has. There is none for the date: the same messages always give the same text.
enum JinjaFunctions {
  static let names: Set<String> = ["range", "namespace", "dict", "raise_exception"]

  /// As in Jinja's sandbox.
  private static let rangeLimit = 100_000

  static func call(_ name: String, _ arguments: JinjaArguments, _ renderer: JinjaRenderer) throws -> JinjaValue {
    let reader = JinjaArgumentReader(name: name, arguments: arguments, renderer: renderer)
    switch name {
    case "raise_exception":
      let message = try reader.optional(0, of: ["message"]).map { try renderer.text(of: $0) } ?? []
      throw renderer.failure(.raised, "the template refuses these messages: \(String(message.prefix(1000)))")
    case "range": return try range(arguments, renderer)
    case "namespace":
      let namespace = JinjaNamespace()
      for (name, value) in try pairs(arguments, of: name, renderer) {
        try renderer.store(value, as: String(name), in: namespace)
      }
      return .namespace(namespace)
    case "dict":
      let pairs = try pairs(arguments, of: name, renderer)
      guard pairs.allSatisfy(\.value.isPlain) else {
        throw renderer.failure(.unsupported, "a mapping of such values is not supported")
      }
      return .mapping(JinjaMapping(pairs))
    default: throw renderer.failure(.unsupported, "a call of '\(name)' by another name is not supported")
    }
  }

  /// A mapping, if one is given, and what is named.
  private static func pairs(
    _ arguments: JinjaArguments, of name: String, _ renderer: JinjaRenderer
  ) throws -> [(key: Scalars, value: JinjaValue)] {
    let named = arguments.named.map { (key: Scalars($0.name), value: $0.value) }
    guard let first = arguments.positional.first else { return named }
    guard arguments.positional.count == 1, case .mapping(let mapping) = first else {
      throw renderer.failure(.unsupported, "'\(name)' of anything but a mapping is not supported")
    }
    for key in mapping.keys { try renderer.charge(text: key.count) }
    return zip(mapping.keys, mapping.values).map { (key: $0, value: $1) } + named
  }

  private static func range(_ arguments: JinjaArguments, _ renderer: JinjaRenderer) throws -> JinjaValue {
    let bounds = try arguments.positional.map { value in
      guard let bound = JinjaNumber(value)?.integer else {
        throw renderer.wrong("'range' takes whole numbers, not a \(value.typeName)")
      }
      return bound
    }
    guard (1...3).contains(bounds.count), arguments.named.isEmpty else {
      throw renderer.wrong("'range' takes one to three numbers")
    }
    let start = bounds.count > 1 ? bounds[0] : 0
    let end = bounds.count > 1 ? bounds[1] : bounds[0]
    let step = bounds.count > 2 ? bounds[2] : 1
    guard step != 0 else { throw renderer.wrong("the step of 'range' is not 0") }
    // In doubles: the difference of two bounds may not fit an integer.
    guard (Double(end) - Double(start)) / Double(step) <= Double(rangeLimit) else {
      throw renderer.failure(.limit, "'range' gives at most \(rangeLimit) numbers")
    }
    let numbers = stride(from: start, to: end, by: step).map { JinjaValue.integer($0) }
    try renderer.charge(numbers.count)
    return .sequence(JinjaSequence(numbers, .range))
  }
}
