/// An expression of a template, with the offset of the word that a failure points to.
struct JinjaExpression: Sendable {
  indirect enum Kind: Sendable {
    case none
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case text(Scalars)
    case name(String)
    case list([JinjaExpression])
    case tuple([JinjaExpression])
    case mapping([(key: JinjaExpression, value: JinjaExpression)])
    case attribute(JinjaExpression, String)
    case item(JinjaExpression, JinjaExpression)
    case slice(JinjaExpression, start: JinjaExpression?, stop: JinjaExpression?, step: JinjaExpression?)
    case call(JinjaExpression, JinjaCallArguments)
    case filter(JinjaExpression, String, JinjaCallArguments)
    case test(JinjaExpression, String, JinjaCallArguments)
    case negative(JinjaExpression)
    case positive(JinjaExpression)
    case not(JinjaExpression)
    case arithmetic(JinjaExpression, String, JinjaExpression)
    case concatenation([JinjaExpression])
    case comparison(JinjaExpression, [(mark: String, right: JinjaExpression)])
    case and(JinjaExpression, JinjaExpression)
    case or(JinjaExpression, JinjaExpression)
    case conditional(JinjaExpression, then: JinjaExpression, otherwise: JinjaExpression?)
  }

  let kind: Kind
  let offset: Int
  /// Of the tree, which bounds the recursion of all who walk it.
  let height: Int
}

/// The arguments of a call, a filter or a test, as written.
struct JinjaCallArguments: Sendable {
  var positional: [JinjaExpression] = []
  var named: [(name: String, value: JinjaExpression)] = []

  var isEmpty: Bool { positional.isEmpty && named.isEmpty }
  var height: Int { max(positional.map(\.height).max() ?? 0, named.map(\.value.height).max() ?? 0) }
}

/// What a value is given to.
enum JinjaTarget: Sendable {
  case name(String)
  case names([String])
  /// Of a namespace.
  case attribute(String, String)
}

/// A statement of a template, with the offset of its tag.
struct JinjaStatement: Sendable {
  indirect enum Kind: Sendable {
    case data(Scalars)
    case output(JinjaExpression)
    case choice([(condition: JinjaExpression, body: [JinjaStatement])], otherwise: [JinjaStatement])
    case loop(JinjaLoopSyntax)
    case set(JinjaTarget, JinjaExpression)
    case setBlock(JinjaTarget, [JinjaStatement])
    /// The definition of the macro of that number.
    case macro(Int)
    case generation([JinjaStatement])
    case breakLoop
    case continueLoop
  }

  let kind: Kind
  let offset: Int
}

/// `for`, with all its parts.
struct JinjaLoopSyntax: Sendable {
  let target: JinjaTarget
  let sequence: JinjaExpression
  let condition: JinjaExpression?
  let body: [JinjaStatement]
  let otherwise: [JinjaStatement]
}

/// A macro; it sees the template's outermost names.
struct JinjaMacro: Sendable {
  let name: String
  let parameters: [(name: String, fallback: JinjaExpression?)]
  let body: [JinjaStatement]
}

/// A whole template.
struct JinjaSyntax: Sendable {
  let source: JinjaSource
  let statements: [JinjaStatement]
  let macros: [JinjaMacro]
}
