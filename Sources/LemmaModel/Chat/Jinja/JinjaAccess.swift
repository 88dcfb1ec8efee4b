import LemmaBasics

/// Parts of values: their elements, items, attributes and slices.
extension JinjaRenderer {
  /// What a loop goes through.
  func elements(of value: JinjaValue) throws -> [JinjaValue] {
    let elements: [JinjaValue]
    switch value {
    case .undefined: elements = []
    case .sequence(let sequence): elements = sequence.elements
    case .mapping(let mapping): elements = mapping.keys.map { .text($0) }
    case .iterator(let iterator): elements = iterator.takeAll()
    case .text(let text):
      try charge(text.count)
      elements = text.map { .text([$0]) }
    case .loop: throw failure(.unsupported, "to go through 'loop' is not supported")
    default: throw wrong("a \(value.typeName) has no elements")
    }
    try charge(elements.count / 8)
    return elements
  }

  func attribute(_ name: String, of value: JinjaValue) throws -> JinjaValue {
    if case .undefined(let what) = value { throw wrong(what) }
    try charge(text: name.utf8.count / 4)
    switch value {
    case .namespace(let namespace):
      if let value = namespace.values[name] { return value }
    case .loop(let loop):
      if let value = loop.attribute(name) { return value }
      if ["cycle", "changed"].contains(name) { return .function(name) }
    default:
      let methods = JinjaMethods.names(of: value)
      if methods.supported.contains(name) { return .function(name) }
      if methods.known.contains(name) || name.hasPrefix("__") {
        throw failure(
          .unsupported, "the method '\(name)' of a \(value.typeName) is not supported",
          hint: nearest(to: name, among: methods.supported.sorted()).map { "did you mean '\($0)'?" })
      }
      if case .mapping(let mapping) = value, let value = try self.value(of: Array(name), in: mapping) { return value }
    }
    return .undefined("the \(value.typeName) has no '\(name.prefix(100))'")
  }

  /// The text of a key; nil for what no mapping has as a key.
  func key(_ value: JinjaValue) throws -> Scalars? {
    switch value {
    case .text(let text): return text
    case .sequence, .mapping: throw failure(.unsupported, "a \(value.typeName) as a key is not supported")
    default: return nil
    }
  }

  func item(_ key: JinjaValue, of value: JinjaValue) throws -> JinjaValue {
    switch (value, key) {
    case (.undefined(let what), _): throw wrong(what)
    case (.mapping(let mapping), .text(let name)):
      if let value = try self.value(of: name, in: mapping) { return value }
    case (.sequence(let sequence), .integer(let index)) where sequence.kind != .view:
      if let place = place(index, of: sequence.elements.count) { return sequence.elements[place] }
      return .undefined("the list has no item \(index)")
    case (.text(let text), .integer(let index)):
      if let place = place(index, of: text.count) { return .text([text[place]]) }
      return .undefined("the text has no character \(index)")
    case (_, .bool(let flag)): return try item(.integer(flag ? 1 : 0), of: value)
    default: break
    }
    if case .text(let name) = key { return try attribute(String(name), of: value) }
    return .undefined("the \(value.typeName) has no item of that key")
  }

  private func place(_ index: Int, of count: Int) -> Int? {
    let place = index < 0 ? index + count : index
    return (0..<count).contains(place) ? place : nil
  }

  func slice(_ value: JinjaValue, _ start: Int?, _ stop: Int?, _ step: Int?) throws -> JinjaValue {
    if case .undefined(let what) = value { throw wrong(what) }
    guard step != 0 else { throw wrong("the step of a slice is not 0") }
    switch value {
    case .text(let text):
      let places = Self.places(start, stop, step ?? 1, of: text.count)
      try charge(text: places.count)
      return .text(places.map { text[$0] })
    case .sequence(let sequence) where sequence.kind != .view:
      let places = Self.places(start, stop, step ?? 1, of: sequence.elements.count)
      try charge(places.count)
      return .sequence(JinjaSequence(places.map { sequence.elements[$0] }, sequence.kind))
    default: throw failure(.unsupported, "slices of a \(value.typeName) are not supported")
    }
  }

  /// The places that a slice of Python names, in order.
  private static func places(_ start: Int?, _ stop: Int?, _ step: Int, of count: Int) -> [Int] {
    let least = step > 0 ? 0 : -1
    let most = step > 0 ? count : count - 1
    func clamp(_ bound: Int) -> Int {
      if bound < 0 { return bound < -count ? least : max(bound + count, least) }
      return min(bound, most)
    }
    let first = start.map(clamp) ?? (step > 0 ? 0 : count - 1)
    let last = stop.map(clamp) ?? (step > 0 ? count : -1)
    // A step beyond the whole length takes one element, as any longer one does.
    return Array(stride(from: first, to: last, by: max(-count - 1, min(step, count + 1))))
  }
}
