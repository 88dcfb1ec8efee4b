import LemmaBasics
import LemmaPipeline
import LemmaTestSupport
import Testing

@Suite("Limits: bombs go out, large pipelines pass")
struct LimitTests {
  private func codes(_ text: String) -> [String] {
    do {
      _ = try pipeline(text)
      return []
    } catch { return (error as? Failures)?.all.map(\.code) ?? ["other"] }
  }

  @Test("nesting ends at 64 levels", arguments: ["[", "{a: ", "- "])
  func depth(opening: String) {
    let text = "pipeline: p\nparams:\n  a: " + (opening == "- " ? "\n    " : "")
    #expect(codes(text + String(repeating: opening, count: 100_000)) == ["too-deep"])
  }

  @Test("a billion laughs are not told")
  func laughs() {
    var text = "pipeline: p\nparams:\n  l0: &l0 [ha, ha, ha]\n"
    for level in 1..<10 {
      text += "  l\(level): &l\(level) [\(Array(repeating: "*l\(level - 1)", count: 10).joined(separator: ", "))]\n"
    }
    let codes = codes(text + "stages: { a: { run: [make, ${params.l9}] } }\n")
    #expect(codes.count { $0 == "anchor" } == 10)
    #expect(codes.count { $0 == "alias" } == 90)
    #expect(codes.count == 100)
  }

  @Test("a file holds at most a million values")
  func values() {
    let list = String(repeating: "1,", count: 1_000_001)
    #expect(codes("pipeline: p\nparams: { l: [\(list)] }\nstages: { a: { run: [make] } }\n") == ["too-large"])
  }

  @Test("a file larger than the limit is refused before it is read")
  func size() throws {
    let space = TestSpace()
    let file = space.file("large.yaml")
    try Files.write([UInt8](repeating: 0x20, count: (64 << 20) + 1), to: file)
    let failures = #expect(throws: Failures.self) { try Pipeline.load(file: file, catalogue: catalogue) }
    #expect(failures?.description == "\(file):1:1: the file is larger than 64 MiB")
  }

  @Test("a long parameter in many places ends at the budget")
  func interpolation() {
    let long = String(repeating: "x", count: 1 << 20)
    let word = String(repeating: "${params.a}", count: 300)
    #expect(codes("pipeline: p\nparams: { a: \(long) }\nstages: { a: { run: [\"\(word)\"] } }\n") == ["too-large"])
  }

  @Test("a fan-in of everything by everything ends at the budget")
  func fanIn() {
    let values = (0..<300).map(String.init).joined(separator: ",")
    let text = """
      pipeline: p
      params: { l: [\(values)] }
      stages:
        a: { matrix: { i: ${params.l}, j: ${params.l} }, run: [make], out: { o: "a/${matrix.i}/${matrix.j}" } }
        b: { matrix: { k: ${params.l} }, run: [make], in: { x: ${stages.a.o} } }
      """
    #expect(codes(text) == ["too-large"])
  }

  @Test("only the first hundred mistakes are told, and how many more there are")
  func manyMistakes() {
    let words = (0..<1000).map { "\"${params.p\($0)}\"" }.joined(separator: ", ")
    let told = mistakes("pipeline: p\nstages: { a: { run: [\(words)] } }\n").split(separator: "\n")
    #expect(told.last == "p.yaml: and 900 more like these")
  }

  @Test("ten thousand stages in a chain come out in order")
  func chain() throws {
    var text = "pipeline: p\nstages:\n"
    for index in (0..<10_000).reversed() {
      let needs = index == 0 ? "" : "in: { x: ${stages.s\(index - 1).o} }, "
      text += "  s\(index): { run: [make, \"${out.o}\"], \(needs)out: { o: out/\(index).txt } }\n"
    }
    let stages = try pipeline(text).stages
    #expect(stages.map(\.id) == (0..<10_000).map { "s\($0)" })
    #expect(stages.last?.dependencies == ["s9998"])
  }

  @Test("one stage may gather ten thousand others by name")
  func gathering() throws {
    var text = "pipeline: p\nstages:\n"
    for index in 0..<10_000 { text += "  s\(index): { run: [make], out: { o: out/\(index).txt } }\n" }
    text += "  all:\n    run:\n      - cat\n"
    for index in 0..<10_000 { text += "      - ${in.i\(index)}\n" }
    text += "    in:\n"
    for index in 0..<10_000 { text += "      i\(index): ${stages.s\(index).o}\n" }
    let all = try #require(try pipeline(text).stages.last)
    #expect(all.dependencies.count == 10_000)
    #expect(all.inputs.count == 10_000)
  }

  @Test("a circle of ten thousand is told in one line")
  func circle() {
    var text = "pipeline: p\nstages:\n"
    for index in 0..<10_000 {
      text += "  s\(index): { run: [make], in: { x: ${stages.s\((index + 1) % 10_000).o} }, out: { o: o/\(index) } }\n"
    }
    #expect(
      mistakes(text)
        == "p.yaml:10002:34: the stages need each other in a circle: "
        + "s0 -> s1 -> s2 -> s3 -> s4 -> s5 -> ... 9989 more ... -> "
        + "s9995 -> s9996 -> s9997 -> s9998 -> s9999 -> s0")
  }
}
