import LemmaBasics
import LemmaTestSupport
import Testing

@Suite("Bad data is refused with its line, and nothing of it is kept as a result")
struct BadData {
  private static func text(_ text: String) -> [UInt8] { Array(text.utf8) }
  private static let deep = String(repeating: "[", count: 100_000)

  /// A name, a metrics file, what is told.
  static let metrics: [(String, [UInt8], [String])] = [
    ("nothing", [], ["a value should stand"]),
    ("spaces", text("  \n"), ["a value should stand"]),
    ("a list", text("[1]"), ["are a list, not a mapping"]),
    ("a number", text("0.5"), ["are a integer, not a mapping"].map { $0.replacing("a integer", with: "a number") }),
    ("a text", text("\"accuracy\""), ["are a string, not a mapping"]),
    ("null", text("null"), ["not a mapping"]),
    ("NaN", text("{\"a\": NaN}"), [":1:7"]),
    ("-NaN", text("{\"a\": -NaN}"), [":1:"]),
    ("Infinity", text("{\"a\": Infinity}"), [":1:7"]),
    ("-Infinity", text("{\"a\": -Infinity}"), [":1:"]),
    ("beyond a double", text("{\"a\": 1e400}"), ["beyond what a double holds"]),
    ("far beyond", text("{\"a\": 1" + String(repeating: "0", count: 5000) + "}"), ["beyond what a double holds"]),
    ("a key twice", text("{\"a\": 1, \"a\": 2}"), ["the key 'a' stands twice"]),
    ("a key twice, escaped", text("{\"a\": 1, \"\\u0061\": 2}"), ["the key 'a' stands twice"]),
    ("a number twice by its path", text("{\"a.b\": 1, \"a\": {\"b\": 2}}"), ["name 'a.b' twice"]),
    ("a leading zero", text("{\"a\": 01}"), ["cannot begin with 0"]),
    ("a plus", text("{\"a\": +1}"), [":1:7"]),
    ("a point first", text("{\"a\": .5}"), [":1:7"]),
    ("a point last", text("{\"a\": 5.}"), ["a digit must follow"]),
    ("hexadecimal", text("{\"a\": 0x1}"), [":1:"]),
    ("an empty exponent", text("{\"a\": 1e}"), ["an exponent needs a digit"]),
    ("single quotes", text("{'a': 1}"), ["a key in quotes"]),
    ("no quotes", text("{a: 1}"), ["a key in quotes"]),
    ("a comma too many", text("{\"a\": 1,}"), ["a key in quotes"]),
    ("a comma too few", text("{\"a\": 1 \"b\": 2}"), ["expected ',' or '}'"]),
    ("a comment", text("{\"a\": 1} // fine"), ["text after the end"]),
    ("two values", text("{\"a\": 1}{\"a\": 2}"), ["text after the end"]),
    ("cut", text("{\"a\": 1"), ["expected ',' or '}'"]),
    ("a cut text", text("{\"a\": \"x"), ["the string does not end"]),
    ("a raw line break", text("{\"a\": \"x\ny\"}"), ["must be escaped"]),
    ("an unknown escape", text("{\"a\": \"\\x41\"}"), ["an unknown escape"]),
    ("a lone surrogate", text("{\"a\": \"\\ud800\"}"), ["a lone surrogate"]),
    ("a lone low surrogate", text("{\"a\": \"\\udc00\"}"), ["a lone surrogate"]),
    ("a cut escape", text("{\"a\": \"\\u00"), ["four hexadecimal digits"]),
    ("not UTF-8", text("{\"a\": \"") + [0xFF] + text("\"}"), ["not valid UTF-8"]),
    ("a byte order mark", [0xEF, 0xBB, 0xBF] + text("{\"a\": 1}"), [":1:1"]),
    ("NUL", text("{\"a\": 1}") + [0], ["text after the end"]),
    ("deep lists", text("{\"a\": " + deep), ["nested deeper"]),
    ("deep mappings", text(String(repeating: "{\"a\":", count: 100_000)), ["nested deeper"]),
    ("ESC", text("{\"\u{1B}[31m\": 1}"), ["must be escaped"]),
    ("HTML", text("<html>502 Bad Gateway</html>"), [":1:1"]),
    ("Python", text("{'a': True}"), [":1:2"]),
  ]

  @Test("metrics files")
  func metrics() throws {
    let pipeline = """
      pipeline: bad
      stages: { m: { run: [cp, m.json, "${out.metrics}"], out: { metrics: results/metrics.json } } }

      """
    try HostileProject.expectClearErrors(
      BadData.metrics.map { name, bytes, tells in
        BadInput(
          name: name, files: ["bad.yaml": BadData.text(pipeline), "m.json": bytes], words: ["run", "bad.yaml"],
          status: 1,
          tells: ["metrics of stage"] + tells)
      })
  }

  @Test("a metrics file beyond all measure is refused unread")
  func largeMetrics() throws {
    let project = HostileProject()
    try project.write(
      "lemma.yaml",
      "pipeline: p\nstages: { m: { run: 'truncate -s 200M ${out.metrics}', out: { metrics: m.json } } }\n")
    let output = try project.lemma(["run"])
    expectClear(output, "large", status: 1, tells: ["more than 16 MiB", "another name than 'metrics'"])
  }

  private static let row = #"{"answer":"3","problem":"1 + 2?","response":"The answer is 3"}"#

  /// A name, a file of rows, what is told.
  static let rows: [(String, [UInt8], [String])] = [
    ("not JSON", text("\(row)\nhello\n"), ["bad.jsonl:2:1: not valid JSON"]),
    ("cut", text("\(row)\n{\"problem\": \"x"), ["bad.jsonl:2:", "the string does not end"]),
    ("a list for a row", text("[1]\n"), ["a row must be a mapping, and this is a list"]),
    ("a text for a row", text("\"x\"\n"), ["a row must be a mapping"]),
    ("null for a row", text("null\n"), ["a row must be a mapping"]),
    ("an array of rows", text("[\(row)]\n"), ["a row must be a mapping, and this is a list"]),
    ("no problem", text("{\"answer\":\"3\",\"response\":\"x\"}\n"), ["a row needs 'problem'"]),
    ("no answer", text("{\"problem\":\"3\",\"response\":\"x\"}\n"), ["a row needs 'answer'"]),
    (
      "a slip", text("{\"problm\":\"3\",\"answer\":\"3\",\"response\":\"x\"}\n"),
      ["a row needs 'problem'", "is 'problm' meant?"]
    ),
    (
      "a number for a text", text("{\"problem\":3,\"answer\":\"3\",\"response\":\"x\"}\n"),
      ["'problem' of a row must be text"]
    ),
    ("a list for a text", text("{\"problem\":[\"x\"],\"answer\":\"3\",\"response\":\"x\"}\n"), ["must be text"]),
    (
      "NUL in a text", text("{\"problem\":\"a\\u0000b\",\"answer\":\"3\",\"response\":\"x\"}\n"),
      ["holds a NUL character"]
    ),
    ("NUL in the file", text(row) + [0x0A, 0x00, 0x0A], ["bad.jsonl:2:1: a NUL byte"]),
    (
      "not UTF-8", text("\(row)\n{\"problem\":\"") + [0xC3, 0x28] + text("\"}\n"),
      ["bad.jsonl:2:13: the text is not valid UTF-8"]
    ),
    ("UTF-16", [0xFF, 0xFE, 0x7B, 0x00], ["bad.jsonl:1:"]),
    ("gzip", [0x1F, 0x8B, 0x08, 0x00], ["this is a compressed file", "unpack it"]),
    ("zstd", [0x28, 0xB5, 0x2F, 0xFD, 0x00], ["this is a compressed file"]),
    ("a key twice", text("{\"problem\":\"a\",\"problem\":\"b\"}\n"), ["stands twice"]),
    (
      "another id", text("{\"id\":\"0000\",\"answer\":\"3\",\"problem\":\"a\",\"response\":\"x\"}\n"),
      ["the row's id is 0000", "leave its 'id' out"]
    ),
    (
      "a number for an id", text("{\"id\":7,\"answer\":\"3\",\"problem\":\"a\",\"response\":\"x\"}\n"),
      ["'id' of a row must be text"]
    ),
    (
      "a negative depth", text("{\"depth\":-1,\"answer\":\"3\",\"problem\":\"a\",\"response\":\"x\"}\n"),
      ["a whole number from 0"]
    ),
    (
      "a broken depth", text("{\"depth\":1.5,\"answer\":\"3\",\"problem\":\"a\",\"response\":\"x\"}\n"),
      ["a whole number from 0"]
    ),
    (
      "an unknown verdict",
      text(
        "{\"checks\":[{\"kind\":\"steps\",\"verdict\":\"maybe\"}],\"answer\":\"3\",\"problem\":\"a\",\"response\":\"x\"}\n"
      ), ["cannot be"]
    ),
    (
      "checks of another type", text("{\"checks\":7,\"answer\":\"3\",\"problem\":\"a\",\"response\":\"x\"}\n"),
      ["must be a list"]
    ),
    (
      "a source of another type",
      text("{\"source\":\"gsm8k\",\"answer\":\"3\",\"problem\":\"a\",\"response\":\"x\"}\n"),
      ["'source' must be a mapping"]
    ),
    (
      "another method",
      text("{\"operator\":\"seed\",\"method\":\"evol\",\"answer\":\"3\",\"problem\":\"a\",\"response\":\"x\"}\n"),
      ["is not that of the operator"]
    ),
    ("deep", text("{\"problem\":" + deep + "\n"), ["nested deeper"]),
    ("CSV", text("problem,answer\n1+2,3\n"), ["bad.jsonl:1:1: not valid JSON"]),
    ("a web page", text("<!doctype html>\n"), ["bad.jsonl:1:1"]),
    ("a key's shape", text("{\"problem\":3,\"answer\":\"sk-Abcdefghijklmnopqrstuvwx0\"}\n"), ["bad.jsonl:1"]),
    (
      "ESC in a word",
      text(
        "{\"checks\":[{\"kind\":\"\\u001b[31m\",\"verdict\":\"x\"}],\"answer\":\"3\",\"problem\":\"a\",\"response\":\"x\"}\n"
      ), ["\\u{1b}[31m"]
    ),
    (
      "a change of direction in a word",
      text("{\"operator\":\"seed\",\"method\":\"\u{202E}x\",\"answer\":\"3\",\"problem\":\"a\",\"response\":\"x\"}\n"),
      ["\\u{202e}"]
    ),
  ]

  @Test("rows")
  func rows() throws {
    let pipeline = """
      pipeline: bad
      stages: { s: { uses: tokenizer, in: { rows: data/bad.jsonl } } }

      """
    try HostileProject.expectClearErrors(
      BadData.rows.map { name, bytes, tells in
        BadInput(
          name: name, files: ["bad.yaml": BadData.text(pipeline), "data/bad.jsonl": bytes], words: ["run", "bad.yaml"],
          status: 1, tells: tells)
      })
  }

  /// A name, a file of GSM8K's form, what is told.
  static let problems: [(String, String, [String])] = [
    ("no answer's end", #####"{"question":"x","answer":"3"}"#####, ["does not end in '#### N'", "data/bad.jsonl:1"]),
    ("an empty answer", #####"{"question":"x","answer":"#### "}"#####, ["does not end in '#### N'"]),
    ("no question", #####"{"answer":"#### 3"}"#####, ["needs 'question'"]),
    ("a question of another type", #####"{"question":7,"answer":"#### 3"}"#####, ["must be text"]),
    ("a slip", #####"{"qestion":"x","answer":"#### 3"}"#####, ["is 'qestion' meant?"]),
    ("a list", "[]", ["must be a mapping"]),
  ]

  @Test("problems of GSM8K's form")
  func problems() throws {
    let pipeline = "pipeline: bad\nstages: { s: { uses: gsm8k, in: { file: data/bad.jsonl } } }\n"
    try HostileProject.expectClearErrors(
      BadData.problems.map { name, line, tells in
        BadInput(
          name: name, files: ["bad.yaml": BadData.text(pipeline), "data/bad.jsonl": BadData.text(line + "\n")],
          words: ["run", "bad.yaml"], status: 1, tells: tells)
      })
  }
}
