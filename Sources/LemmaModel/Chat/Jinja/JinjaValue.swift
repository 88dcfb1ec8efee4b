/// A value while a template is rendered; the types are Python's.
enum JinjaValue {
  /// With what was looked for. It prints as nothing and is an empty sequence; all else that is done with it fails.
  case undefined(String)
  case none
  case bool(Bool)
  case integer(Int)
  case number(Double)
  case text(Scalars)
  case sequence(JinjaSequence)
  case mapping(JinjaMapping)
  /// What some filters give: it can be gone through once.
  case iterator(JinjaIterator)
  case namespace(JinjaNamespace)
  case loop(JinjaLoop)
  /// The macro of that number.
  case macro(Int)
  /// A function or method of that name.
  case function(String)

  init(_ text: String) { self = .text(Array(text.unicodeScalars)) }

  /// A list.
  static func list(_ elements: [JinjaValue]) -> JinjaValue { .sequence(JinjaSequence(elements, .list)) }
  static func tuple(_ elements: [JinjaValue]) -> JinjaValue { .sequence(JinjaSequence(elements, .tuple)) }
}

/// Several values in a row.
struct JinjaSequence {
  enum Kind { case list, tuple, range, view }

  let elements: [JinjaValue]
  let kind: Kind
  /// Of nested values, which bounds the recursion of all who walk them.
  let depth: Int

  init(_ elements: [JinjaValue], _ kind: Kind) {
    self.elements = elements
    self.kind = kind
    depth = 1 + elements.depth
  }
}

/// Values by texts, in the order in which they were given.
struct JinjaMapping {
  let keys: [Scalars]
  let values: [JinjaValue]
  let depth: Int

  /// A key that stands twice keeps its first place and has its last value.
  init(_ pairs: [(key: Scalars, value: JinjaValue)]) {
    var places: [Scalars: Int] = [:]
    var keys: [Scalars] = []
    var values: [JinjaValue] = []
    for (key, value) in pairs {
      if let place = places[key] {
        values[place] = value
      } else {
        places[key] = keys.count
        keys.append(key)
        values.append(value)
      }
    }
    self.keys = keys
    self.values = values
    depth = 1 + values.depth
  }

  subscript(key: Scalars) -> JinjaValue? { keys.firstIndex(of: key).map { values[$0] } }

  var items: [JinjaValue] { zip(keys, values).map { .tuple([.text($0), $1]) } }
}

/// Values that are gone through once, as a generator's are in Python.
final class JinjaIterator {
  private var rest: ArraySlice<JinjaValue>
  let depth: Int

  init(_ elements: [JinjaValue]) {
    rest = elements[...]
    depth = 1 + elements.depth
  }

  func takeAll() -> [JinjaValue] {
    defer { rest = [] }
    return Array(rest)
  }

  func takeFirst() -> JinjaValue? { rest.popFirst() }
}

/// What `namespace()` gives: names that a loop's body can change for those after it.
final class JinjaNamespace {
  var values: [String: JinjaValue] = [:]
}

/// What `loop` is inside of a loop.
final class JinjaLoop {
  let elements: [JinjaValue]
  var index = 0

  init(_ elements: [JinjaValue]) { self.elements = elements }

  /// Nil for a name that it does not have.
  func attribute(_ name: String) -> JinjaValue? {
    switch name {
    case "index": .integer(index + 1)
    case "index0": .integer(index)
    case "revindex": .integer(elements.count - index)
    case "revindex0": .integer(elements.count - index - 1)
    case "first": .bool(index == 0)
    case "last": .bool(index == elements.count - 1)
    case "length": .integer(elements.count)
    // Of recursion, which there is none of.
    case "depth": .integer(1)
    case "depth0": .integer(0)
    case "previtem": index > 0 ? elements[index - 1] : .undefined("there is no previous item")
    case "nextitem": index + 1 < elements.count ? elements[index + 1] : .undefined("there is no next item")
    default: nil
    }
  }
}

extension JinjaValue {
  /// How deeply it is nested.
  var depth: Int {
    switch self {
    case .sequence(let sequence): sequence.depth
    case .mapping(let mapping): mapping.depth
    case .iterator(let iterator): iterator.depth
    default: 0
    }
  }

  /// Whether it can stand inside of another value: what refers to others could refer to itself.
  var isPlain: Bool {
    switch self {
    case .namespace, .loop, .iterator, .macro, .function: false
    default: true
    }
  }

  /// Whether it counts as true.
  var isTrue: Bool {
    switch self {
    case .undefined, .none: false
    case .bool(let value): value
    case .integer(let value): value != 0
    case .number(let value): value != 0
    case .text(let text): !text.isEmpty
    case .sequence(let sequence): !sequence.elements.isEmpty
    case .mapping(let mapping): !mapping.keys.isEmpty
    case .iterator, .namespace, .loop, .macro, .function: true
    }
  }

  /// The word for its type in messages.
  var typeName: String {
    switch self {
    case .undefined: "undefined value"
    case .none: "none"
    case .bool: "boolean"
    case .integer: "integer"
    case .number: "number"
    case .text: "text"
    case .sequence(let sequence): sequence.kind == .tuple ? "tuple" : "list"
    case .mapping: "mapping"
    case .iterator: "iterator"
    case .namespace: "namespace"
    case .loop: "loop"
    case .macro: "macro"
    case .function: "function"
    }
  }
}

extension [JinjaValue] {
  fileprivate var depth: Int { reduce(0) { Swift.max($0, $1.depth) } }
}
