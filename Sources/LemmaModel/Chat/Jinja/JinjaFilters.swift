import LemmaBasics

/// What `|` gives a value to. Reference: https://jinja.palletsprojects.com/en/stable/templates/#list-of-builtin-filters;
/// `tojson` is that of `transformers`, which does not escape for HTML.
enum JinjaFilters {
  static let names: Set<String> = [
    "abs", "attr", "capitalize", "count", "d", "default", "first", "float", "int", "items", "join", "last", "length",
    "list", "lower", "map", "reject", "rejectattr", "replace", "reverse", "safe", "select", "selectattr", "string",
    "title", "tojson", "trim", "upper",
  ]

  static func apply(
    _ name: String, to value: JinjaValue, _ arguments: JinjaArguments, _ renderer: JinjaRenderer
  ) throws -> JinjaValue {
    try renderer.charge()
    let reader = JinjaArgumentReader(name: name, arguments: arguments, renderer: renderer)
    switch name {
    case "d", "default":
      let values = try arguments.bind(["default_value", "boolean"], of: "'\(name)'", renderer)
      if case .undefined = value { return values[0] ?? .text([]) }
      return values[1]?.isTrue == true && !value.isTrue ? values[0] ?? .text([]) : value
    case "safe": throw renderer.failure(.unsupported, "'safe' is supported only at the end of what is printed")
    case "capitalize", "lower", "replace", "string", "title", "trim", "upper":
      return .text(try text(name, try renderer.text(of: value), reader))
    case "first", "last", "length", "count", "list", "reverse", "items", "join", "attr":
      return try sequence(name, value, reader)
    case "map": return try map(value, arguments, renderer)
    case "select", "reject", "selectattr", "rejectattr": return try select(name, value, arguments, renderer)
    case "tojson": return try JinjaJSON.filter(value, reader)
    default: return try number(name, value, reader)
    }
  }

  private static func text(_ name: String, _ text: Scalars, _ reader: JinjaArgumentReader) throws -> Scalars {
    try reader.renderer.charge(text: text.count)
    switch name {
    case "trim": return text.stripped(try reader.optionalText(0, of: ["chars"]))
    case "replace":
      let parameters = ["old", "new", "count"]
      let renderer = reader.renderer
      return try renderer.replacing(
        try renderer.text(of: try reader.value(0, of: parameters)),
        with: try renderer.text(of: try reader.value(1, of: parameters)), in: text,
        atMost: try reader.integer(2, of: parameters))
    default: try reader.none()
    }
    switch name {
    case "upper": return text.upper()
    case "lower": return text.lower()
    case "capitalize": return text.capitalized()
    case "title": return text.titleWords()
    default: return text
    }
  }

  private static func sequence(_ name: String, _ value: JinjaValue, _ reader: JinjaArgumentReader) throws -> JinjaValue
  {
    let renderer = reader.renderer
    switch name {
    case "join": return try join(value, reader)
    case "attr":
      let attribute = String(try reader.text(0, of: ["name"]))
      if case .mapping = value { return .undefined("the mapping has no '\(attribute.prefix(100))'") }
      return try renderer.attribute(attribute, of: value)
    default: try reader.none()
    }
    switch name {
    case "length", "count": return .integer(try length(value, renderer))
    case "list": return .list(try renderer.elements(of: value))
    case "first":
      if case .iterator(let iterator) = value { return iterator.takeFirst() ?? .undefined("there is no first item") }
      return try renderer.elements(of: value).first ?? .undefined("there is no first item")
    case "last":
      if case .iterator = value { throw renderer.wrong("an iterator has no last item: make it a list first") }
      return try renderer.elements(of: value).last ?? .undefined("there is no last item")
    case "reverse":
      if case .text(let text) = value { return .text(text.reversed()) }
      return .iterator(JinjaIterator(try renderer.elements(of: value).reversed()))
    default:
      if case .undefined = value { return .iterator(JinjaIterator([])) }
      guard case .mapping(let mapping) = value else { throw renderer.wrong("a \(value.typeName) has no items") }
      try renderer.charge(mapping.keys.count)
      return .iterator(JinjaIterator(mapping.items))
    }
  }

  static func length(_ value: JinjaValue, _ renderer: JinjaRenderer) throws -> Int {
    switch value {
    case .undefined: return 0
    case .text(let text): return text.count
    case .sequence(let sequence): return sequence.elements.count
    case .mapping(let mapping): return mapping.keys.count
    case .loop(let loop): return loop.elements.count
    default: throw renderer.wrong("a \(value.typeName) has no length")
    }
  }

  private static func join(_ value: JinjaValue, _ reader: JinjaArgumentReader) throws -> JinjaValue {
    let parameters = ["d", "attribute"]
    let renderer = reader.renderer
    let separator = try reader.optional(0, of: parameters).map { try renderer.text(of: $0) } ?? []
    var parts = try renderer.elements(of: value)
    if let attribute = try reader.optional(1, of: parameters) {
      parts = try parts.map { try renderer.path(attribute, of: $0) }
    }
    return .text(try renderer.join(try parts.map { try renderer.text(of: $0) }, with: separator))
  }

  private static func map(
    _ value: JinjaValue, _ arguments: JinjaArguments, _ renderer: JinjaRenderer
  ) throws -> JinjaValue {
    let elements = value.isTrue ? try renderer.elements(of: value) : []
    if arguments.positional.isEmpty {
      let values = try arguments.bind(["attribute", "default"], of: "'map'", renderer)
      guard let attribute = values[0] else { throw renderer.wrong("'map' needs a filter or an attribute") }
      return .iterator(
        JinjaIterator(
          try elements.map { element in
            let part = try renderer.path(attribute, of: element)
            if case .undefined = part, let fallback = values[1] { return fallback }
            return part
          }))
    }
    let name = try self.name(arguments, "filter", among: names, renderer)
    let rest = JinjaArguments(positional: Array(arguments.positional.dropFirst()), named: arguments.named)
    return .iterator(
      JinjaIterator(
        try elements.map { element in try renderer.nested { try apply(name, to: element, rest, renderer) } }))
  }

  private static func name(
    _ arguments: JinjaArguments, _ what: String, among names: Set<String>, _ renderer: JinjaRenderer
  ) throws -> String {
    guard case .text(let text) = arguments.positional.first else {
      throw renderer.wrong("the name of a \(what) is a text")
    }
    let name = String(text)
    guard names.contains(name) else {
      throw renderer.failure(.unsupported, "the \(what) '\(name)' is not supported")
    }
    return name
  }

  /// `select` and its kin: by a test, of the elements or of one of their attributes.
  private static func select(
    _ name: String, _ value: JinjaValue, _ arguments: JinjaArguments, _ renderer: JinjaRenderer
  ) throws -> JinjaValue {
    let elements = value.isTrue ? try renderer.elements(of: value) : []
    var rest = arguments
    var attribute: JinjaValue?
    if name.hasSuffix("attr") {
      guard !rest.positional.isEmpty else { throw renderer.wrong("'\(name)' needs an attribute") }
      attribute = rest.positional.removeFirst()
    }
    var test: String?
    if !rest.positional.isEmpty {
      test = try self.name(rest, "test", among: JinjaTests.names, renderer)
      rest.positional.removeFirst()
    }
    let wanted = name.hasPrefix("select")
    return .iterator(
      JinjaIterator(
        try elements.filter { element in
          let subject = try attribute.map { try renderer.path($0, of: element) } ?? element
          return try (test.map { try JinjaTests.holds($0, subject, rest, renderer) } ?? subject.isTrue) == wanted
        }))
  }

  private static func number(_ name: String, _ value: JinjaValue, _ reader: JinjaArgumentReader) throws -> JinjaValue {
    let renderer = reader.renderer
    if case .undefined(let what) = value { throw renderer.wrong(what) }
    switch name {
    case "abs":
      try reader.none()
      guard let number = JinjaNumber(value) else { throw renderer.wrong("a \(value.typeName) has no absolute value") }
      return try renderer.signed(value, isNegative: number.double < 0)
    case "int":
      let fallback = try reader.optional(0, of: ["default"]) ?? .integer(0)
      return try whole(value, renderer).map { .integer($0) } ?? fallback
    default:
      let fallback = try reader.optional(0, of: ["default"]) ?? .number(0)
      if let number = JinjaNumber(value) { return .number(number.double) }
      guard case .text(let text) = value, let number = try decimal(text, renderer) else { return fallback }
      return .number(number)
    }
  }

  private static func whole(_ value: JinjaValue, _ renderer: JinjaRenderer) throws -> Int? {
    if let integer = JinjaNumber(value)?.integer { return integer }
    var number = JinjaNumber(value)?.double
    if case .text(let text) = value {
      if let integer = Int(String(text.stripped())) { return integer }
      number = try decimal(text, renderer)
    }
    guard let number else { return nil }
    guard let integer = Int(exactly: number.rounded(.towardZero)) else { throw renderer.tooLarge() }
    return integer
  }

  /// Nil for what is no number to Python. The other ways to write one that Python takes are refused.
  private static func decimal(_ text: Scalars, _ renderer: JinjaRenderer) throws -> Double? {
    let text = String(text.stripped())
    if text.utf8.allSatisfy({ "0123456789+-.eE".utf8.contains($0) }) {
      return Double(text.hasSuffix(".") ? text + "0" : text)
    }
    let isNumber = text.unicodeScalars.allSatisfy {
      "+-.eE_".unicodeScalars.contains($0) || $0.properties.numericType == .decimal
    }
    guard !isNumber, !["inf", "infinity", "nan"].contains(text.lowercased().drop { "+-".contains($0) }) else {
      throw renderer.failure(.unsupported, "'\(text.prefix(40))' is no decimal number")
    }
    return nil
  }
}

extension JinjaRenderer {
  /// The part of `value` that `path` names, such as `a.b`.
  func path(_ path: JinjaValue, of value: JinjaValue) throws -> JinjaValue {
    guard case .text(let text) = path else { return try item(path, of: value) }
    return try text.split(at: ["."]).reduce(value) { value, part in
      let number = part.allSatisfy(\.isDigit) ? Int(String(part)) : nil
      return try item(number.map { .integer($0) } ?? .text(part), of: value)
    }
  }

  func join(_ parts: [Scalars], with separator: Scalars) throws -> Scalars {
    try charge(text: parts.reduce(0) { $0 + $1.count + separator.count })
    return Array(parts.joined(separator: separator))
  }

  /// All of `old`, or the first `limit` of them, become `new`.
  func replacing(_ old: Scalars, with new: Scalars, in text: Scalars, atMost limit: Int?) throws -> Scalars {
    let limit = limit.flatMap { $0 < 0 ? nil : $0 } ?? .max
    try charge(text: text.count + old.count)
    if old.isEmpty {
      // Between all characters, and at both ends.
      let count = min(limit, text.count + 1)
      try charge(text: text.count + Int(min(Double(count) * Double(new.count), 1e15)))
      var result: Scalars = []
      for index in 0...text.count {
        if index < count { result += new }
        if index < text.count { result.append(text[index]) }
      }
      return result
    }
    let places = text.places(of: old, atMost: limit)
    try charge(text: text.count + Int(min(Double(places.count) * Double(new.count), 1e15)))
    var result: Scalars = []
    var start = 0
    for place in places {
      result += text[start..<place]
      result += new
      start = place + old.count
    }
    return result + text[start...]
  }
}
