import LemmaBasics
import LemmaTestSupport
import Testing

@testable import LemmaModel

/// The same texts as `transformers` makes with Jinja, where Python has both.
@Suite struct ChatTemplatePeerTests {
  private struct Case {
    var source: String
    var messages: [ChatMessage]
    var addsPrompt = false
    var variables: [String: JSON] = [:]

    var json: JSON {
      var all = variables
      all["bos_token"] = "<s>"
      all["eos_token"] = "</s>"
      return [
        "template": .string(source), "add_generation_prompt": .bool(addsPrompt), "variables": .object(all),
        "messages": .array(messages.map { ["role": .string($0.role), "content": .string($0.content)] }),
      ]
    }

    func render() throws -> String {
      try ChatTemplate(source: source, bos: "<s>", eos: "</s>", file: "t").render(
        messages, addGenerationPrompt: addsPrompt, variables: variables)
    }
  }

  /// What Jinja makes of a case.
  private struct Expectation {
    /// Nil where it fails.
    var text: String?
    var error: String

    var words: String { text?.debugDescription ?? error }
  }

  private func peer(_ cases: [Case]) throws -> [Expectation] {
    let space = TestSpace()
    let script = "\(Files.parent(Files.parent(#filePath)))/Peers/render_chat.py"
    try Files.write(JSON.array(cases.map(\.json)).canonicalBytes, to: space.file("cases.json"))
    let (status, output) = try Python.run([script, space.file("cases.json"), space.file("results.json")])
    try #require(status == 0, "\(output)")
    let results = try JSON(parsing: try Files.read(space.file("results.json")), file: "results.json").array ?? []
    try #require(results.count == cases.count)
    return results.map { Expectation(text: $0.string, error: $0["error"]?.string ?? "") }
  }

  private static let conversations: [[ChatMessage]] = [
    [.user("Hi")], [.user("  2 + 2?\n\n"), .assistant("\n4 ")], [.system(" Be brief. "), .user("é\u{301} 日本 🎉")],
    [.system("S"), .user("a"), .assistant("b"), .user("<|im_end|>{{ x }}{% if %}"), .assistant("d")],
    [.user("a"), .assistant("<think>\nx\n</think>\n\nb"), .user("c"), .assistant("<think>y</think>d")],
    [.assistant("first")], [.user("a"), .user("b")], [.user(""), .assistant("")],
    [.user("a"), .system("late"), ChatMessage(role: "tool", content: "{\"x\": 1}")],
    [.system(""), .user("\u{1C}\u{85}\u{A0}x\u{2028}\u{3000}")],
  ]

  private static let isThere = Python.has("transformers.utils.chat_template_utils, jinja2")

  @Test(.enabled(if: isThere, "python3 cannot import transformers and jinja2"))
  func familiesAndSnippetsAreRenderedAsJinjaDoes() throws {
    let tools: JSON = [["function": ["description": "é <b>", "name": "f"], "type": "function"]]
    var cases: [Case] = []
    for (_, source) in ChatFamilies.all {
      for messages in Self.conversations {
        for variables: [String: JSON] in [[:], ["tools": tools, "enable_thinking": false]] {
          for addsPrompt in [false, true] {
            cases.append(Case(source: source, messages: messages, addsPrompt: addsPrompt, variables: variables))
          }
        }
      }
    }
    let families = cases.count
    cases += ChatSnippet.all.map {
      Case(source: $0.source, messages: ChatSnippet.messages, variables: ChatSnippet.variables)
    }
    for (index, (one, expected)) in zip(cases, try peer(cases)).enumerated() {
      let found = try? one.render()
      if index >= families, case .isRefused = ChatSnippet.all[index - families].outcome {
        #expect(found == nil && expected.text != nil, "\(one.source)")
      } else {
        let isSame = found.map { Array($0.utf8) } == expected.text.map { Array($0.utf8) }
        #expect(isSame, "\(one.source) of \(one.messages): \(found ?? "nothing"), not \(expected.words)")
      }
    }
  }

  /// What Lemma renders, Jinja renders to the same text; what Lemma calls wrong is wrong in Jinja as well. It may
  /// only refuse more, as unsupported or beyond a limit.
  @Test(.enabled(if: isThere, "python3 cannot import transformers and jinja2"))
  func randomTemplatesAreRenderedAsJinjaDoesOrRefused() throws {
    var maker = RandomTemplates(seed: 20)
    let cases = (0..<2500).map { _ in
      Case(source: maker.template(), messages: ChatSnippet.messages, variables: ChatSnippet.variables)
    }
    var rendered = 0
    var differences: [String] = []
    for (one, expected) in zip(cases, try peer(cases)) {
      do {
        let found = try one.render()
        rendered += 1
        if expected.text.map({ isSame($0, found) }) != true {
          differences.append(
            "\(one.source)\n  gives \(found.debugDescription), not \(expected.words)")
        }
      } catch {
        let failure = try #require(error as? Failure)
        if expected.text != nil, !["chat-template-unsupported", "chat-template-limit"].contains(failure.code) {
          differences.append("\(one.source)\n  fails with \(failure), but gives \(expected.words)")
        }
      }
    }
    #expect(
      differences.isEmpty,
      "\(differences.count):\n\(differences.sorted { $0.count < $1.count }.prefix(20).joined(separator: "\n"))")
    #expect(rendered > 300)
  }
}

/// Templates of random expressions and statements, of which many mean something. What filters give is made a list:
/// Jinja looks at the elements when they are asked for, Lemma at once, so that it finds mistakes in what nobody asks for.
private struct RandomTemplates {
  private var generator: SeededGenerator

  init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

  private mutating func one<T>(_ choices: [T]) -> T { choices[Int.random(in: 0..<choices.count, using: &generator)] }

  private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &generator) < percent }

  private mutating func atom() -> String {
    one([
      "n", "half", "list", "names", "flag", "nothing", "map", "people", "messages", "missing", "bos_token", "x", "y",
      "loop", "ns", "ns.v", "loop.index", "loop.last", "x.name", "map.b", "messages[1].content", "people[0]", "0", "1",
      "2",
      "7", "-3", "1.5", "2.0", "1e16", "'a'", "'ab c'", "''", "' é\\n'", "\"it's\"", "'12'", "'ΑΣ-b'", "true", "False",
      "none", "[]", "[1, 'a']", "(1,)", "(1, 2)", "{}", "{'a': 1}", "range(3)", "namespace(v=1)", "dict(a=2)", "f(1)",
      "map.items()", "list[0]", "'ǆ'", "'ß ﬁ'",
    ])
  }

  private mutating func arguments(_ count: ClosedRange<Int>, _ depth: Int) -> String {
    (0..<Int.random(in: count, using: &generator)).map { _ in expression(depth) }.joined(separator: ", ")
  }

  mutating func expression(_ depth: Int) -> String {
    if depth <= 0 || chance(20) { return atom() }
    switch Int.random(in: 0..<13, using: &generator) {
    case 0, 1:
      let mark = one([
        "+", "-", "*", "/", "//", "%", "**", "~", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "and", "or",
      ])
      // Jinja takes an 'in' or 'if' behind a test for its argument, and a 'not' behind an operator for a name.
      let left = mark.hasSuffix("in") ? "(\(expression(depth - 1)))" : expression(depth - 1)
      let right = expression(depth - 1)
      return "\(left) \(mark) \(right.hasPrefix("not") ? "(\(right))" : right)"
    case 2: return "(\(expression(depth - 1)))"
    case 3:
      let operand = expression(depth - 1)
      return one(["not ", "-", "+"]) + (operand.hasPrefix("not") ? "(\(operand))" : operand)
    case 4, 5:
      let filter = one([
        "trim", "upper", "lower", "title", "capitalize", "length", "list", "first", "last", "reverse | list", "string",
        "int",
        "float", "abs", "tojson", "items | list", "join", "join('-')", "default('d')", "default('d', true)", "safe",
        "count",
        "map('upper') | list", "map(attribute='name') | list", "select | list", "reject('none') | list",
        "selectattr('age') | list", "join(', ', 'name')",
        "selectattr('age', 'gt', 2) | list", "rejectattr('role', 'equalto', 'user') | list", "replace('a', 'b')",
        "tojson(indent=1)",
        "attr('name')", "map('length') | list", "map(attribute=0) | list", "select('odd') | list",
        "tojson(sort_keys=true)", "trim('a')",
        "replace('', '-')", "map('default', 'd') | list", "map(attribute='age', default=1) | list", "first | upper",
        "list | length",
      ])
      return "\(expression(depth - 1)) | \(filter)"
    case 6:
      let test = one([
        "defined", "undefined", "none", "string", "mapping", "iterable", "sequence", "number", "integer", "float",
        "boolean", "true", "false", "odd", "even", "divisibleby 2", "divisibleby(3)", "eq 1", "ne('a')", "in [1, 2]",
        "lt 2", "ge(1)", "callable", "upper", "lower", "equalto 'a'",
      ])
      return "\(expression(depth - 1)) is \(one(["", "not "]))\(test)"
    case 7:
      return "\(expression(depth - 1))[\(one(["0", "-1", "1:", ":2", "::-1", "1:9:2", ":", "'a'", "-5:", "::2", "n"]))]"
    case 8:
      let method = one([
        "strip()", "lstrip('a')", "rstrip()", "split()", "split('a')", "split(' ', 1)", "rsplit(none, 1)", "upper()",
        "lower()", "title()", "capitalize()", "startswith('a')", "endswith(('a', 'c'))", "replace('a', 'bb')",
        "items()",
        "find('b')", "rfind('')", "count('a')", "join(names)", "isdigit()", "isspace()", "isupper()", "islower()",
        "get('a')",
        "get('z', 1)", "keys()", "values()", "splitlines()", "removeprefix('a')", "removesuffix('c')",
        "replace('', '-', 2)",
        "name", "role", "v", "index", "a", "b", "strip(none)", "append(1)", "cycle(1, 2)", "length",
      ])
      return "\(one([atom(), "(\(expression(depth - 1)))"])).\(method)"
    case 9:
      let other = chance(70) ? " else \(expression(depth - 1))" : ""
      return "(\(expression(depth - 1))) if (\(expression(depth - 1)))\(other)"
    case 10: return one(["[\(arguments(0...3, depth - 1))]", "(\(arguments(2...3, depth - 1)))"])
    case 11: return "{'a': \(expression(depth - 1)), '\(one(["a", "b"]))': \(expression(depth - 1))}"
    default:
      return one([
        "range(\(arguments(1...3, 0)))", "f(\(arguments(0...2, depth - 1)))", "f(b=\(expression(depth - 1)))",
        "dict(a=\(expression(depth - 1)))", "namespace(v=\(expression(depth - 1))).v", "dict(map)",
      ])
    }
  }

  private mutating func tag(_ content: String) -> String {
    "{%\(one(["", "", "-", "+"])) \(content) \(one(["", "", "-"]))%}"
  }

  private mutating func statements(_ depth: Int, inLoop: Bool = false) -> String {
    (0..<Int.random(in: 1...3, using: &generator)).map { _ in statement(depth, inLoop) }.joined()
  }

  private mutating func statement(_ depth: Int, _ inLoop: Bool) -> String {
    let space = one(["", " ", "\n", " \n  ", "a", "\n\tb "])
    if depth <= 0 || chance(40) { return "\(space){{\(one(["", "-"])) \(expression(2)) \(one(["", "-"]))}}" }
    switch Int.random(in: 0..<8, using: &generator) {
    case 0:
      let other = chance(50) ? tag("else") + statements(depth - 1, inLoop: inLoop) : ""
      return space + tag("if \(expression(2))") + statements(depth - 1, inLoop: inLoop) + other + tag("endif")
    case 1, 2:
      let found = one([
        "list", "names", "map", "messages", "people", "range(2)", "map.items()", "'ab'", expression(1), expression(2),
      ])
      let sequence = found.contains(" is ") ? "(\(found))" : found
      let names = sequence.hasSuffix("items()") ? "x, y" : "x"
      let condition = chance(20) ? " if \(expression(1))" : ""
      let other = chance(20) ? tag("else") + statements(depth - 1) : ""
      return space + tag("for \(names) in \(sequence)\(condition)") + statements(depth - 1, inLoop: true) + other
        + tag("endfor")
    case 3: return space + tag("set \(one(["x", "y", "n", "x, y", "ns", "ns.v"])) = \(expression(2))")
    case 4: return space + tag("set \(one(["x", "ns.v"]))") + statements(depth - 1) + tag("endset")
    case 5:
      return inLoop
        ? space + tag("if \(expression(1))") + tag(one(["break", "continue"])) + tag("endif") : space + "{# c -#} "
    case 6: return space + tag("set ns = namespace(v=\(expression(1)))") + statements(depth - 1, inLoop: inLoop)
    default: return space + tag("generation") + statements(depth - 1) + tag("endgeneration")
    }
  }

  mutating func template() -> String {
    let macro = chance(40) ? "{% macro f(a, b=2) %}\(statements(1)){{ a }}{{ b }}{% endmacro %}" : ""
    return macro + statements(2) + one(["", "\n", "\n\n"])
  }
}
