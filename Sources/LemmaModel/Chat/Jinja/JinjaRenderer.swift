import LemmaBasics

/// Renders one template once: its names, its output, and how much work it has done so far.
final class JinjaRenderer {
  let syntax: JinjaSyntax
  private(set) var output: Scalars = []
  /// Where what is being done stands, for failures.
  var place = 0
  private var work: Int
  private var depth = 0
  private let outermost: JinjaScope
  var scope: JinjaScope

  /// Of a rendered text, in code points.
  static let outputLimit = 1 << 24
  /// Of one evaluation inside of another: expressions, statements and macros together.
  static let depthLimit = 200
  /// Of values inside of values.
  static let valueDepthLimit = 40
  /// Steps that a template may take before its input counts.
  static let workLimit = 4_000_000

  /// - Parameter inputSize: of all texts among `names`, in code points: a longer conversation may take more steps.
  init(_ syntax: JinjaSyntax, names: [String: JinjaValue], inputSize: Int) {
    self.syntax = syntax
    work = Self.workLimit + 16 * min(inputSize, 1 << 32)
    outermost = JinjaScope(names: names, parent: nil)
    scope = outermost
  }

  /// The template's text.
  func render() throws -> Scalars {
    _ = try run(syntax.statements)
    return output
  }

  // MARK: Failures and limits

  func failure(_ fault: JinjaFault, _ message: String, hint: String? = nil) -> Failure {
    syntax.source.failure(fault, message, at: place, hint: hint)
  }

  func wrong(_ message: String) -> Failure { failure(.value, message) }

  /// Counts work: a step, or so many values or code points.
  func charge(_ steps: Int = 1) throws {
    guard (0...work).contains(steps) else { throw failure(.limit, "the template takes too many steps") }
    work -= steps
  }

  /// Counts the work on a text of that many code points, before it is made.
  func charge(text count: Int) throws {
    guard count <= Self.outputLimit else {
      throw failure(.limit, "the text is longer than \(Self.outputLimit) characters")
    }
    try charge(1 + count / 16)
  }

  /// Counts the work of writing so many code points behind a text of that length.
  func charge(_ count: Int, behind length: Int) throws {
    guard count <= Self.outputLimit - length else {
      throw failure(.limit, "the text is longer than \(Self.outputLimit) characters")
    }
    try charge(1 + count / 16)
  }

  /// The value under a key, if there is one.
  func value(of key: Scalars, in mapping: JinjaMapping) throws -> JinjaValue? {
    try charge(text: mapping.keys.count + key.count)
    return mapping[key]
  }

  /// Runs `body` one level deeper.
  func nested<T>(_ body: () throws -> T) throws -> T {
    guard depth < Self.depthLimit else { throw failure(.limit, "the template calls itself too deeply") }
    depth += 1
    defer { depth -= 1 }
    return try body()
  }

  /// A value that holds others.
  func checked(_ value: JinjaValue) throws -> JinjaValue {
    guard value.depth <= Self.valueDepthLimit else { throw failure(.limit, "the value is nested too deeply") }
    return value
  }

  // MARK: Statements

  enum Flow { case on, breakLoop, continueLoop }

  private func run(_ statements: [JinjaStatement]) throws -> Flow {
    try nested {
      for statement in statements {
        place = statement.offset
        try charge()
        let flow = try run(statement)
        if flow != .on { return flow }
      }
      return .on
    }
  }

  private func run(_ statement: JinjaStatement) throws -> Flow {
    switch statement.kind {
    case .data(let data): try write(data)
    case .output(let expression): try write(text(of: try evaluate(expression)))
    case .choice(let branches, let otherwise): return try choose(branches, otherwise)
    case .loop(let loop): return try run(loop)
    case .set(let target, let expression): try set(target, to: try evaluate(expression), at: statement.offset)
    case .setBlock(let target, let body):
      try set(target, to: .text(try captured { try inScope { try run(body) } }), at: statement.offset)
    case .macro(let number): scope.names[syntax.macros[number].name] = .macro(number)
    case .generation(let body): _ = try inScope { try run(body) }
    case .breakLoop: return .breakLoop
    case .continueLoop: return .continueLoop
    }
    return .on
  }

  private func write(_ text: Scalars) throws {
    try charge(text: text.count)
    guard text.count <= Self.outputLimit - output.count else {
      throw failure(.limit, "the rendered text is longer than \(Self.outputLimit) characters")
    }
    output += text
  }

  /// What `body` writes.
  private func captured(_ body: () throws -> some Any) throws -> Scalars {
    let outer = output
    output = []
    defer { output = outer }
    _ = try body()
    return output
  }

  private func inScope<T>(_ names: [String: JinjaValue] = [:], of parent: JinjaScope? = nil, _ body: () throws -> T)
    rethrows -> T
  {
    let outer = scope
    scope = JinjaScope(names: names, parent: parent ?? outer)
    defer { scope = outer }
    return try body()
  }

  private func choose(
    _ branches: [(condition: JinjaExpression, body: [JinjaStatement])], _ otherwise: [JinjaStatement]
  ) throws -> Flow {
    for branch in branches where try evaluate(branch.condition).isTrue { return try run(branch.body) }
    return try run(otherwise)
  }

  private func run(_ loop: JinjaLoopSyntax) throws -> Flow {
    let sequence = try evaluate(loop.sequence)
    place = loop.sequence.offset
    var elements = try self.elements(of: sequence)
    if let condition = loop.condition {
      elements = try elements.filter { element in
        try inScope(try bind(loop.target, to: element)) { try evaluate(condition).isTrue }
      }
    }
    let state = JinjaLoop(elements)
    var isAnyComplete = false
    for (index, element) in elements.enumerated() {
      try charge()
      state.index = index
      place = loop.sequence.offset
      var names = try bind(loop.target, to: element)
      names["loop"] = .loop(state)
      let flow = try inScope(names) { try run(loop.body) }
      if flow == .breakLoop { break }
      if flow == .on { isAnyComplete = true }
    }
    // As in Jinja, which counts only bodies that came to their end.
    return isAnyComplete ? .on : try inScope { try run(loop.otherwise) }
  }

  /// The names of `target` with the values that they get.
  private func bind(_ target: JinjaTarget, to value: JinjaValue) throws -> [String: JinjaValue] {
    switch target {
    case .name(let name): return [name: value]
    case .names(let names):
      let parts = try elements(of: value)
      guard parts.count == names.count else {
        throw wrong("\(names.count) names cannot take \(parts.count) values")
      }
      return Dictionary(zip(names, parts)) { $1 }
    case .attribute: return [:]
    }
  }

  private func set(_ target: JinjaTarget, to value: JinjaValue, at offset: Int) throws {
    place = offset
    guard case .attribute(let name, let attribute) = target else {
      return scope.names.merge(try bind(target, to: value)) { $1 }
    }
    guard case .namespace(let namespace) = scope.find(name) else {
      throw wrong("'\(name)' is no namespace, so it has no attributes to set")
    }
    try store(value, as: attribute, in: namespace)
  }

  func store(_ value: JinjaValue, as attribute: String, in namespace: JinjaNamespace) throws {
    guard !attribute.hasPrefix("_") else { throw wrong("a namespace takes no '\(attribute)'") }
    guard value.isPlain else {
      throw failure(.unsupported, "a namespace that holds a \(value.typeName) is not supported")
    }
    namespace.values[attribute] = value
  }

  /// What a macro writes, given its arguments.
  func call(_ number: Int, _ arguments: JinjaArguments) throws -> JinjaValue {
    let macro = syntax.macros[number]
    let values = try arguments.bind(macro.parameters.map(\.name), of: "the macro '\(macro.name)'", self)
    let origin = place
    let text = try inScope(of: outermost) {
      for (parameter, value) in zip(macro.parameters, values) {
        scope.names[parameter.name] =
          try value ?? parameter.fallback.map(evaluate)
          ?? .undefined("the parameter '\(parameter.name)' has no value")
      }
      return try captured { try run(macro.body) }
    }
    place = origin
    return .text(text)
  }
}

/// The names that a block has set, and those around it.
final class JinjaScope {
  var names: [String: JinjaValue]
  private let parent: JinjaScope?

  init(names: [String: JinjaValue], parent: JinjaScope?) {
    self.names = names
    self.parent = parent
  }

  func find(_ name: String) -> JinjaValue? {
    var scope: JinjaScope? = self
    while let here = scope {
      if let value = here.names[name] { return value }
      scope = here.parent
    }
    return nil
  }
}
