import LemmaBasics
import LemmaCorpus
import LemmaTestSupport
import Testing

@Suite("JSONL")
struct JSONLTests {
  let space = TestSpace()

  func read(_ bytes: [UInt8]) throws -> [JSON] {
    let path = space.file("in.jsonl")
    try Files.write(bytes, to: path)
    var values: [JSON] = []
    try JSONLReader.forEach(path) { value, _ in values.append(value) }
    return values
  }

  func read(_ text: String) throws -> [JSON] { try read(Array(text.utf8)) }

  @Test(
    "is read with any line end, a byte order mark, blank lines, and no newline at the end",
    arguments: [
      "{\"a\":1}\n{\"a\":2}\n", "{\"a\":1}\r\n{\"a\":2}\r\n", "\u{FEFF}{\"a\":1}\n{\"a\":2}",
      "\n\n{\"a\":1}\n  \t\n{\"a\":2}\n\n",
    ])
  func tolerant(text: String) throws { #expect(try read(text) == [["a": 1], ["a": 2]]) }

  @Test("may be empty", arguments: ["", "\n", "\u{FEFF}"])
  func empty(text: String) throws { #expect(try read(text) == []) }

  @Test("is read in order when lines are longer than any buffer")
  func longLines() throws {
    let values: [JSON] = (0..<5).map { .string(String(repeating: "ab\($0)", count: 200_000)) }
    #expect(try read(values.map { $0.canonical + "\n" }.joined()) == values)
  }

  @Test(
    "is refused with line and column when it is not JSON",
    arguments: [
      ("{\"a\":1}\n{\"a\":}\n", 2, 6, "json"), ("{\"a\":1}\n\n{\"a\":1} x\n", 3, 9, "json"),
      ("{\"a\":1,\"a\":2}", 1, 8, "json"), ("[1,\n2]", 1, 4, "json"),
    ])
  func positions(text: String, line: Int, column: Int, code: String) throws {
    let failure = try #require(throws: Failure.self) { try read(text) }
    #expect(failure.code == code)
    #expect(failure.kind == .user)
    #expect(failure.position == Position(file: space.file("in.jsonl"), line: line, column: column))
  }

  @Test(
    "is refused where bytes are not text",
    arguments: [
      ([0x31, 0x0A, 0x22, 0x00, 0x22], 2, 2, "nul-byte"), ([0x22, 0xC3, 0xA9, 0xFF, 0x22], 1, 4, "not-utf8"),
      ([0x22, 0xE2, 0x82], 1, 2, "not-utf8"), ([0x1F, 0x8B, 0x08], 1, 1, "compressed"),
    ] as [([UInt8], Int, Int, String)])
  func binary(bytes: [UInt8], line: Int, column: Int, code: String) throws {
    let failure = try #require(throws: Failure.self) { try read(bytes) }
    #expect(failure.code == code)
    #expect(failure.position == Position(file: space.file("in.jsonl"), line: line, column: column))
  }

  @Test("that is not there, or is a folder, is a plain failure")
  func missing() {
    #expect(throws: Failure.self) { try JSONLReader(path: space.file("none.jsonl")) }
    #expect(throws: Failure.self) { try JSONLReader(path: space.path).next() }
  }

  @Test("appears under its name only when it is finished")
  func atomic() throws {
    let path = space.file("out.jsonl")
    do {
      let writer = try JSONLWriter(path: path)
      try writer.write(["b": 1, "a": "ä"])
      #expect(!Files.exists(path))
    }
    #expect(try Files.list(space.path) == [])
    let writer = try JSONLWriter(path: path)
    try writer.write(["b": 1, "a": "ä"])
    try writer.finish()
    #expect(try Files.readText(path) == "{\"a\":\"ä\",\"b\":1}\n")
  }
}
