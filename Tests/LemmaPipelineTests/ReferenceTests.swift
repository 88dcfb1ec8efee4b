import LemmaBasics
import LemmaPipeline
import Testing

@Suite("References: ${...} in every place YAML has for a text")
struct ReferenceTests {
  /// The value of the parameter `note` or `take` of one `sft` stage.
  private func value(_ key: String, _ written: String, params: String) throws -> JSON? {
    let stage = try one("{ uses: sft, in: { rows: r.jsonl }, with: { \(key): \(written) } }", params: params)
    guard case .builtin(_, let with) = stage.work else { return nil }
    return with[key]
  }

  @Test(
    "a reference that is the whole value takes the parameter's type, quoted or not",
    arguments: ["${params.n}", "\"${params.n}\"", "'${params.n}'", "${ params.n }"])
  func whole(written: String) throws {
    #expect(try value("take", written, params: "{ n: 42 }") == 42)
  }

  @Test(
    "a reference inside a text is its text",
    arguments: [
      ("a${params.n}b", "a42b"), ("${params.n}${params.s}", "42x y"), ("\"${params.n} \"", "42 "),
      ("$${params.n}", "${params.n}"), ("$$${params.n}", "$${params.n}"), ("cost $5", "cost $5"), ("$", "$"),
      ("${params.f}%", "0.5%"), ("${params.b}!", "true!"), ("${params.deep.er}-", "7-"),
    ])
  func inside(written: String, text: String) throws {
    let params = "{ n: 42, s: x y, f: 0.50, b: true, deep: { er: 7 } }"
    #expect(try value("note", written, params: params) == .string(text))
  }

  @Test("flow context takes references unquoted, with exact places after them")
  func flow() throws {
    let text = """
      pipeline: p
      params: { l: [1, 2], é: 1 }
      stages: { a: { matrix: { k: ${params.l}, j: [${params.l}] }, run: [make, ${matrix.k}] } }
      """
    #expect(
      mistakes(text.replacing("é: 1", with: "e: 1"))
        == """
        p.yaml:3:46: the values of the matrix key 'j' must be texts, numbers or booleans, not a list
        """)
    let fine = text.replacing("é: 1", with: "e: 1").replacing(", j: [${params.l}]", with: "")
    #expect(try pipeline(fine).stages.map(\.id) == ["a[k=1]", "a[k=2]"])
  }

  @Test("places stay exact after references and letters of several bytes on one line")
  func places() {
    let text = "pipeline: p\nstages: { a: { run: [echo, größe, ${params.x}, $${ü}, ${params.y}] } }\n"
    #expect(
      mistakes(text) == """
        p.yaml:2:37: there is no parameter 'x'
          hint: there are no parameters
        p.yaml:2:58: there is no parameter 'y'
          hint: there are no parameters
        """)
  }

  @Test("block context, block scalars and folded lines take references too")
  func block() throws {
    let text = """
      pipeline: p
      params: { n: 3 }
      stages:
        a:
          in: { x: x.txt }
          out:
            o: out-${params.n}.txt
          run: |
            n=${params.n}
            head -n $n ${in.x} > ${out.o}   # $${n} stays
      """
    let stage = try #require(try pipeline(text).stages.first)
    #expect(stage.outputs.map(\.path) == ["out-3.txt"])
    #expect(
      stage.work
        == .command([
          CommandWord([.text("/bin/sh")]), CommandWord([.text("-ec")]),
          CommandWord([
            .text("n=3\nhead -n $n "), .input("x"), .text(" > "), .output("o"), .text("   # ${n} stays"),
          ]),
        ]))
  }

  @Test("comments may hold anything that looks like a reference")
  func comments() throws {
    #expect(throws: Never.self) {
      try pipeline("# ${ {{ }\npipeline: p # ${params.x}\nstages: { a: { run: [make] } }\n")
    }
  }

  @Test("a value is never read twice: a parameter's text cannot become a reference")
  func once() throws {
    #expect(try value("note", "${params.a}", params: "{ a: \"$${params.b}\", b: 1 }") == "${params.b}")
    #expect(try value("note", "x${params.a}", params: "{ a: \"$${params.b}\", b: 1 }") == "x${params.b}")
  }

  @Test("a source may lie outside the project, since it is only read")
  func outside() throws {
    for (written, path) in [
      ("../data/./x.jsonl", "../data/x.jsonl"), ("/mnt//cache/x", "/mnt/cache/x"), ("../../cache", "../../cache"),
      ("/srv/d.jsonl", "/srv/d.jsonl"),
    ] {
      let text = "pipeline: p\nsources: { s: { path: \(written) } }\nstages:\n  a: { run: [make], out: { o: o.txt } }\n"
      #expect(try pipeline(text).sources.map(\.path) == [path])
    }
  }

  @Test("a path may be made of parameters and matrix values")
  func paths() throws {
    let text = """
      pipeline: p
      params: { base: data, files: [a.txt, b.txt] }
      sources: { s: { path: "${params.base}/seeds.jsonl" } }
      stages:
        a: { matrix: { k: [x] }, run: [make], in: { i: "${params.base}/${matrix.k}.txt", l: ${params.files} } }
      """
    let pipeline = try pipeline(text)
    #expect(pipeline.sources.map(\.path) == ["data/seeds.jsonl"])
    #expect(pipeline.stages[0].inputs[0].refs == [Reference(.path("data/x.txt"))])
    #expect(pipeline.stages[0].inputs[1].refs == [Reference(.path("a.txt")), Reference(.path("b.txt"))])
    #expect(pipeline.stages[0].inputs[1].isList)
  }

  @Test("text that the file quotes is text, whatever it looks like")
  func quotedScalars() throws {
    #expect(try value("note", "\"no\"", params: "{}") == "no")
    #expect(try value("note", "'017'", params: "{}") == "017")
    #expect(try value("note", "\"null\"", params: "{}") == "null")
  }

  @Test(
    "plain scalars are what they look like in JSON, else text",
    arguments: [
      ("7", JSON.integer(7)), ("-7", -7), ("+7", 7), ("0", 0), ("1.0", 1), ("1e3", 1000), ("-0.25", -0.25),
      ("true", true), ("null", .null), ("2024-01-01", "2024-01-01"), ("1.2.3", "1.2.3"), ("10:30am", "10:30am"),
      ("http://x:1", "http://x:1"), ("-", "-"), ("yesterday", "yesterday"), ("4G", "4G"), ("0day", "0day"),
      ("1e", "1e"), ("9223372036854775807", .integer(.max)),
      ("9223372036854775808", .number(9_223_372_036_854_775_808)),
    ] as [(String, JSON)])
  func plain(written: String, value: JSON) throws {
    let text = "pipeline: p\nparams:\n  a: \(written == "-" ? "\"-\"" : written)\nstages: { s: { run: [make] } }\n"
    #expect(try pipeline(text).parameters["a"] == value)
  }

  @Test("names may be words that other readers take for booleans")
  func names() throws {
    let text = "pipeline: p\nparams: { n: 5, y: 6, on: 7 }\nstages: { s: { run: [echo, ${params.n}, ${params.on}] } }\n"
    #expect(try pipeline(text).parameters == ["n": 5, "y": 6, "on": 7])
  }
}

@Suite("--param replaces a parameter by a value of its type")
struct OverrideTests {
  static let text = """
    pipeline: p
    params: { seed: 7, rate: 0.5, name: base, sizes: [1, 2], quick: false, any: null, model: { width: 1 } }
    stages: { a: { matrix: { size: ${params.sizes} }, run: [make, ${params.seed}] } }
    """

  @Test(
    "values are read as YAML, a text as it stands",
    arguments: [
      ("seed", "8", JSON.integer(8)), ("rate", "1", 1), ("rate", "1e-3", 0.001), ("seed", "0.5", 0.5),
      ("name", "no", "no"), ("name", "5", "5"), ("name", "${x}", "${x}"), ("name", "", ""), ("sizes", "[3]", [3]),
      ("quick", "true", true), ("any", "[a, {b: 1}]", ["a", ["b": 1]]), ("model", "{ width: 2 }", ["width": 2]),
    ] as [(String, String, JSON)])
  func values(name: String, text: String, value: JSON) throws {
    #expect(try pipeline(Self.text, [name: text]).parameters[name] == value)
  }

  @Test("a matrix follows its parameter")
  func matrix() throws {
    #expect(
      try pipeline(Self.text, ["sizes": "[3, 4, 5]"]).stages.map(\.id) == ["a[size=3]", "a[size=4]", "a[size=5]"])
  }

  @Test(
    "what does not fit is refused with the option's name",
    arguments: [
      ("sed", "8", "--param sed: the pipeline has no parameter 'sed'\n  hint: did you mean 'seed'?"),
      ("seed", "x", "--param seed:1:1: 'seed' is an integer in the file and cannot become the text 'x'"),
      ("quick", "1", "--param quick:1:1: 'quick' is a boolean in the file and cannot become the integer 1"),
      ("sizes", "3", "--param sizes:1:1: 'sizes' is a list in the file and cannot become the integer 3"),
      (
        "quick", "no",
        "--param quick:1:1: YAML readers disagree about 'no' without quotes\n"
          + "  hint: write false, or \"no\" in quotes"
      ),
      (
        "sizes", "[1, ${params.seed}]",
        "--param sizes:1:5: ${params.seed} has no meaning here\n"
          + "  hint: no references here; write $${ for the characters ${"
      ),
      (
        "sizes", "[1,",
        "--param sizes:1:4: not valid YAML: did not find expected node content\n"
          + "  hint: while parsing a flow node that begins in line 1, column 4"
      ),
      ("name", "a\u{1B}[0m", "--param name:1:2: the control character U+001B cannot stand in a pipeline file"),
    ])
  func refused(name: String, text: String, told: String) {
    #expect(mistakes(Self.text, [name: text]) == told)
  }
}
