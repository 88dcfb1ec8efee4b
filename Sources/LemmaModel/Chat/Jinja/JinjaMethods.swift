import LemmaBasics

/// The methods of texts, mappings and loops.
enum JinjaMethods {
  private static let ofText: Set<String> = [
    "strip", "lstrip", "rstrip", "split", "rsplit", "splitlines", "startswith", "endswith", "upper", "lower", "title",
    "capitalize", "replace", "find", "rfind", "count", "join", "removeprefix", "removesuffix", "isdigit", "isspace",
    "isupper", "islower",
  ]
  private static let ofMapping: Set<String> = ["get", "items", "keys", "values"]
  /// Python has them as well: to call them undefined would be wrong.
  private static let unknownOfText: Set<String> = [
    "casefold", "center", "encode", "expandtabs", "format", "format_map", "index", "isalnum", "isalpha", "isascii",
    "isdecimal", "isidentifier", "isnumeric", "isprintable", "istitle", "ljust", "maketrans", "partition", "rindex",
    "rjust", "rpartition", "swapcase", "translate", "zfill",
  ]
  private static let unknownOfMapping: Set<String> = [
    "clear", "copy", "fromkeys", "pop", "popitem", "setdefault", "update",
  ]
  private static let unknownOfList: Set<String> = [
    "append", "clear", "copy", "count", "extend", "index", "insert", "pop", "remove", "reverse", "sort",
  ]

  /// Those that can be called, and those that Python has besides.
  static func names(of value: JinjaValue) -> (supported: Set<String>, known: Set<String>) {
    switch value {
    case .text: (ofText, unknownOfText)
    case .mapping: (ofMapping, unknownOfMapping)
    case .sequence: ([], unknownOfList)
    default: ([], [])
    }
  }

  static func call(
    _ name: String, of receiver: JinjaValue, _ arguments: JinjaArguments, _ renderer: JinjaRenderer
  ) throws -> JinjaValue {
    switch receiver {
    case .text(let text):
      try renderer.charge(text: text.count)
      return try call(name, of: text, arguments, renderer)
    case .mapping(let mapping): return try call(name, of: mapping, arguments, renderer)
    case .loop(let loop) where name == "cycle":
      guard !arguments.positional.isEmpty else { throw renderer.wrong("'cycle' needs values") }
      return arguments.positional[loop.index % arguments.positional.count]
    default:
      throw renderer.failure(.unsupported, "the method '\(name)' of a \(receiver.typeName) is not supported")
    }
  }

  private static func call(
    _ name: String, of mapping: JinjaMapping, _ arguments: JinjaArguments, _ renderer: JinjaRenderer
  ) throws -> JinjaValue {
    let values = try arguments.bind(name == "get" ? ["key", "default"] : [], of: "'\(name)'", renderer)
    if name != "get" { try renderer.charge(1 + mapping.keys.count) }
    switch name {
    case "get":
      guard let key = values[0] else { throw renderer.wrong("'get' needs a key") }
      let fallback = values[1] ?? .none
      guard let key = try renderer.key(key) else { return fallback }
      return try renderer.value(of: key, in: mapping) ?? fallback
    case "keys": return .sequence(JinjaSequence(mapping.keys.map { .text($0) }, .view))
    case "values": return .sequence(JinjaSequence(mapping.values, .view))
    default: return .sequence(JinjaSequence(mapping.items, .view))
    }
  }

  private static func call(
    _ name: String, of text: Scalars, _ arguments: JinjaArguments, _ renderer: JinjaRenderer
  ) throws -> JinjaValue {
    let reader = JinjaArgumentReader(name: name, arguments: arguments, renderer: renderer)
    switch name {
    case "strip", "lstrip", "rstrip":
      let characters = try reader.optionalText(0, of: ["chars"])
      return .text(text.stripped(characters, start: name != "rstrip", end: name != "lstrip"))
    case "split", "rsplit": return try split(text, reader, fromEnd: name == "rsplit")
    case "splitlines":
      try reader.none()
      try renderer.charge(text.count)
      return .list(text.lines().map { .text($0) })
    case "startswith", "endswith":
      let parts = try reader.textOrTexts(0, of: ["prefix"])
      return .bool(parts.contains { name == "startswith" ? text.starts(with: $0) : text.ends(with: $0) })
    case "removeprefix":
      let part = try reader.text(0, of: ["prefix"])
      return .text(text.starts(with: part) ? Array(text.dropFirst(part.count)) : text)
    case "removesuffix":
      let part = try reader.text(0, of: ["suffix"])
      return .text(text.ends(with: part) ? Array(text.dropLast(part.count)) : text)
    case "replace":
      let parameters = ["old", "new", "count"]
      return .text(
        try renderer.replacing(
          try reader.text(0, of: parameters), with: try reader.text(1, of: parameters), in: text,
          atMost: try reader.integer(2, of: parameters)))
    case "find", "rfind", "count": return try search(name, text, try reader.text(0, of: ["sub"]), renderer)
    case "join":
      let parts = try renderer.elements(of: try reader.value(0, of: ["iterable"])).map { part in
        guard case .text(let part) = part else { throw renderer.wrong("'join' takes texts, not a \(part.typeName)") }
        return part
      }
      return .text(try renderer.join(parts, with: text))
    default:
      try reader.none()
      return plain(name, text)
    }
  }

  private static func plain(_ name: String, _ text: Scalars) -> JinjaValue {
    switch name {
    case "upper": .text(text.upper())
    case "lower": .text(text.lower())
    case "title": .text(text.title())
    case "capitalize": .text(text.capitalized())
    case "isspace": .bool(!text.isEmpty && text.allSatisfy(\.isPythonSpace))
    case "isdigit":
      .bool(
        !text.isEmpty
          && text.allSatisfy { $0.properties.numericType == .decimal || $0.properties.numericType == .digit })
    case "isupper": .bool(text.isCased(upper: true))
    default: .bool(text.isCased(upper: false))
    }
  }

  private static func split(_ text: Scalars, _ reader: JinjaArgumentReader, fromEnd: Bool) throws -> JinjaValue {
    let parameters = ["sep", "maxsplit"]
    let separator = try reader.optionalText(0, of: parameters)
    let count = try reader.integer(1, of: parameters) ?? -1
    let limit = count < 0 ? Int.max : count
    try reader.renderer.charge(text.count / 4)
    guard separator != [] else { throw reader.renderer.wrong("'\(reader.name)' takes no empty separator") }
    guard fromEnd else {
      let parts = separator.map { text.split(at: $0, atMost: limit) } ?? text.words(atMost: limit)
      return .list(parts.map { .text($0) })
    }
    // From the end: the same on the mirrored text.
    let mirrored: Scalars = text.reversed()
    let parts = separator.map { mirrored.split(at: $0.reversed(), atMost: limit) } ?? mirrored.words(atMost: limit)
    return .list(parts.reversed().map { .text($0.reversed()) })
  }

  private static func search(
    _ name: String, _ text: Scalars, _ part: Scalars, _ renderer: JinjaRenderer
  ) throws -> JinjaValue {
    try renderer.charge(text: part.count)
    switch name {
    case "find": return .integer(part.isEmpty ? 0 : text.places(of: part, atMost: 1).first ?? -1)
    case "count": return .integer(part.isEmpty ? text.count + 1 : text.places(of: part).count)
    default:
      guard !part.isEmpty else { return .integer(text.count) }
      let place = Scalars(text.reversed()).places(of: part.reversed(), atMost: 1).first
      return .integer(place.map { text.count - $0 - part.count } ?? -1)
    }
  }
}

extension [Unicode.Scalar] {
  fileprivate func ends(with part: Scalars) -> Bool { suffix(part.count).elementsEqual(part) }
}

/// Reads the arguments of one call by place or name, with their types.
struct JinjaArgumentReader {
  let name: String
  let arguments: JinjaArguments
  let renderer: JinjaRenderer

  /// Nil where it was not given.
  func optional(_ index: Int, of parameters: [String]) throws -> JinjaValue? {
    try arguments.bind(parameters, of: "'\(name)'", renderer)[index]
  }

  func value(_ index: Int, of parameters: [String]) throws -> JinjaValue {
    guard let value = try optional(index, of: parameters) else {
      throw renderer.wrong("'\(name)' needs '\(parameters[index])'")
    }
    if case .undefined(let what) = value { throw renderer.wrong(what) }
    return value
  }

  func text(_ index: Int, of parameters: [String]) throws -> Scalars {
    let value = try value(index, of: parameters)
    guard case .text(let text) = value else { throw wrongType(value, parameters[index], "a text") }
    return text
  }

  /// Nil where it was not given, or is none.
  func optionalText(_ index: Int, of parameters: [String]) throws -> Scalars? {
    guard let value = try optional(index, of: parameters) else { return nil }
    if case .none = value { return nil }
    return try text(index, of: parameters)
  }

  func textOrTexts(_ index: Int, of parameters: [String]) throws -> [Scalars] {
    let value = try value(index, of: parameters)
    guard case .sequence(let sequence) = value, sequence.kind == .tuple else {
      return [try text(index, of: parameters)]
    }
    return try sequence.elements.map { element in
      guard case .text(let text) = element else { throw wrongType(element, parameters[index], "a tuple of texts") }
      try renderer.charge(text: text.count)
      return text
    }
  }

  func integer(_ index: Int, of parameters: [String]) throws -> Int? {
    guard let value = try optional(index, of: parameters) else { return nil }
    guard let integer = JinjaNumber(value)?.integer else {
      throw wrongType(value, parameters[index], "a whole number")
    }
    return integer
  }

  func none() throws { _ = try arguments.bind([], of: "'\(name)'", renderer) }

  private func wrongType(_ value: JinjaValue, _ parameter: String, _ wanted: String) -> Failure {
    if case .undefined(let what) = value { return renderer.wrong(what) }
    return renderer.wrong("'\(parameter)' of '\(name)' is \(wanted), not a \(value.typeName)")
  }
}
