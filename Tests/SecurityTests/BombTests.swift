import Glibc
import LemmaBasics
import LemmaTestSupport
import Testing

/// Small files that other readers take for ever over, or all the memory there is.
@Suite("Bombs are refused in little time and memory")
struct BombTests {
  /// KiB of data that a command may hold: what refuses a bomb needs less, whatever the file is worth.
  static let dataKiB = 50 << 10

  static let bombs: [(name: String, file: String, told: String)] = [
    ("a billion laughs", laughs(levels: 12, fan: 10), "anchors (&name) are not read here"),
    (
      "a quadratic blow-up",
      "pipeline: p\nparams:\n  a: &a \(String(repeating: "x", count: 100_000))\n  b: [\(list("*a", 20_000))]\n",
      "anchors"
    ),
    ("an alias of itself", "pipeline: p\nparams: &p\n  a: *p\n", "anchors"),
    (
      "aliases without end", "pipeline: p\nparams:\n  a: [\(list("*a", 90_000))]\n", "aliases (*name) are not read here"
    ),
    ("merge keys", "pipeline: p\nparams:\n  a: { <<: [\(list("*a", 10_000))] }\n", "merge keys (<<) are not read here"),
    ("deep lists", "pipeline: p\nparams: { a: \(String(repeating: "[", count: 2_000_000))", "deeper than 64 levels"),
    ("deep mappings", "pipeline: p\nparams: \(String(repeating: "{a: ", count: 500_000))", "deeper than 64 levels"),
    (
      "deep blocks", "pipeline: p\nparams:\n  a:\n    \(String(repeating: "- ", count: 500_000))1\n",
      "deeper than 64 levels"
    ),
    ("deep keys", "pipeline: p\nparams:\n  \(String(repeating: "? ", count: 100_000))a\n", "deeper than 64 levels"),
    ("a long list", "pipeline: p\nparams: { a: [\(list("1", 5_000_000))] }\n", "more than 100000 values"),
    (
      "a long mapping", "pipeline: p\nparams:\n" + (0..<200_000).map { "  k\($0): 1\n" }.joined(),
      "more than 100000 values"
    ),
    ("tag directives", (0..<300_000).map { "%TAG !a\($0)! tag:\($0)\n" }.joined() + "---\npipeline: p\n", "directives"),
    ("a matrix of everything", matrix(keys: 16, values: 1000), "more than 100000 stages"),
    ("too many keys", matrix(keys: 17, values: 1), "more than 16 keys"),
    ("a parameter of parameters", doubling(), "the text has more than 1 MiB"),
    ("a list of lists", listing(), "references expand to more than 32 MiB"),
    ("everything from everything", fanIn(), "expands to more than 256 MiB"),
  ]

  private static func list(_ element: String, _ count: Int) -> String {
    String(repeating: element + ", ", count: count - 1) + element
  }

  private static func laughs(levels: Int, fan: Int) -> String {
    var text = "pipeline: p\nparams:\n  l0: &l0 [ha, ha]\n"
    for level in 1..<levels { text += "  l\(level): &l\(level) [\(list("*l\(level - 1)", fan))]\n" }
    return text + "stages: { a: { run: [make] } }\n"
  }

  private static func matrix(keys: Int, values: Int) -> String {
    let values = (0..<values).map(String.init).joined(separator: ",")
    let axes = (0..<keys).map { "k\($0): [\(values)]" }.joined(separator: ", ")
    return "pipeline: p\nstages: { a: { run: [make], matrix: { \(axes) } } }\n"
  }

  /// A long text, named in many words of many stages.
  private static func doubling() -> String {
    let word = String(repeating: "${params.a}", count: 1000)
    return "pipeline: p\nparams: { a: \(String(repeating: "x", count: 300_000)) }\n"
      + "stages: { a: { run: [make, \"\(word)\"] } }\n"
  }

  /// A long list, named in many places.
  private static func listing() -> String {
    "pipeline: p\nparams: { l: [\(list("1", 90_000))] }\n"
      + "stages: { a: { run: [make, \(list("\"${params.l}\"", 100))] } }\n"
  }

  private static func fanIn() -> String {
    let values = (0..<300).map(String.init).joined(separator: ",")
    return """
      pipeline: p
      params: { l: [\(values)] }
      stages:
        a: { matrix: { i: ${params.l}, j: ${params.l} }, run: [make], out: { o: "a/${matrix.i}/${matrix.j}" } }
        b: { matrix: { k: ${params.l} }, run: [make], in: { x: ${stages.a.o} } }

      """
  }

  @Test("bombs", arguments: bombs.indices)
  func bomb(index: Int) throws {
    let bomb = BombTests.bombs[index]
    let project = HostileProject()
    try project.write("bad.yaml", bomb.file)
    // A file is held whole, in a few forms; what references bring in is held up to its limit.
    let isListing = bomb.told.hasPrefix("references expand")
    let limit = BombTests.dataKiB + bomb.file.utf8.count * 6 / 1024 + (isListing ? 150 << 10 : 0)
    let output = try project.lemma(["check", "bad.yaml"], dataKiB: limit)
    expectClear(output, bomb.name, status: 2, tells: [bomb.told])
    #expect(output.error.utf8.count < 100_000, "\(bomb.name)")
  }

  @Test(
    "a pipeline of a hundred thousand stages, fifteen megabytes of it, is no bomb",
    .enabled(if: getenv("LEMMA_PROGRAM") != nil, "takes half a minute unless LEMMA_PROGRAM names a release build"))
  func large() throws {
    let project = HostileProject()
    var text = "pipeline: p\nstages:\n"
    for number in 0..<100_000 {
      text += "  stage_by_number_\(number):\n    run: [sh, -c, \"cat ${in.a} > ${out.o}\"]\n"
      text +=
        "    in: { a: \"\(number < 100 ? "data/\(number).txt" : "${stages.stage_by_number_\(number - 100).o}")\" }\n"
      text += "    out: { o: out/\(number % 1000)/\(number).txt }\n"
    }
    #expect(text.utf8.count > 15_000_000)
    try project.write("large.yaml", text)
    let output = try project.shell("exec \"$@\"", [lemmaProgram, "check", "large.yaml"])
    #expect(output.out.contains("100000 stages"), "\(output.error)")
  }
}
