import LemmaBasics
import LemmaTestSupport
import Testing

@Suite("JSON: strict reading, one canonical form")
struct JSONTests {
  @Test(
    "numbers are printed as ECMAScript prints them",
    arguments: [
      (1e21, "1e+21"), (1e20, "100000000000000000000"), (0.1, "0.1"), (1e-6, "0.000001"), (1e-7, "1e-7"),
      (123.456, "123.456"), (-0.0, "0"), (.leastNonzeroMagnitude, "5e-324"),
      (1.7976931348623157e308, "1.7976931348623157e+308"),
      (1.5e-9, "1.5e-9"), (100.5, "100.5"), (4.35e22, "4.35e+22"),
    ])
  func numbers(value: Double, text: String) {
    #expect(JSON.number(value).canonical == text)
  }

  @Test("one member of a document is what the whole document has there")
  func member() throws {
    let text = #"""
      { "s": "a\"}]", "o": { "deep": [1, {"x": "{"}], "key\u0041": {"reason": "ran, \\", "n": -1.5e3} , "e":{}},
        "l": [[], {}], "last" : null }
      """#
    let bytes = Array(text.utf8)
    let whole = try JSON(parsing: bytes, file: "t")
    for path in [["s"], ["o"], ["o", "deep"], ["o", "keyA"], ["o", "keyA", "n"], ["o", "e"], ["l"], ["last"], []] {
      #expect(try JSON.member(path, of: bytes, file: "t") == path.reduce(whole) { $0?[$1] }, "\(path)")
    }
    for path in [["x"], ["o", "x"], ["o", "e", "x"], ["l", "x"], ["s", "a"], ["o", "deep", "x"]] {
      #expect(try JSON.member(path, of: bytes, file: "t") == nil, "\(path)")
    }
    for end in 1..<bytes.count - 12 {
      #expect(throws: Failure.self) { try JSON.member(["last"], of: Array(bytes[..<end]), file: "t") }
    }
  }

  @Test("keys are sorted by UTF-16, strings escaped as little as may be")
  func canonicalForm() throws {
    let text = #"{"b":[1.0,2.50,true,null],"a":"é\u0007\n/","\ud83d\ude00":1,"ﬀ":2}"#
    let value = try JSON(parsing: text.utf8, file: "t")
    #expect(value.canonical == #"{"a":"é\u0007\n/","b":[1,2.5,true,null],"😀":1,"ﬀ":2}"#)
    #expect(try JSON(parsing: value.pretty.utf8, file: "t") == value)
  }

  @Test(
    "what is not JSON is refused, with its place",
    arguments: [
      ("{\"a\":1,\n \"a\":2}", "t:2:2"), ("[1,]", "t:1:4"), ("01", "t:1:1"), ("1e400", "t:1:1"),
      ("\"\\ud800\"", "t:1:8"), ("[1] x", "t:1:5"), ("", "t:1:1"), ("{\"a\" 1}", "t:1:6"), ("nul", "t:1:1"),
      ("\"a\u{01}\"", "t:1:3"), ("-", "t:1:2"), (String(repeating: "[", count: 200), "t:1:130"),
    ])
  func refused(text: String, place: String) {
    do {
      _ = try JSON(parsing: text.utf8, file: "t")
      Issue.record("accepted \(text)")
    } catch let failure as Failure {
      #expect(failure.position?.description == place)
    } catch { Issue.record("\(error)") }
  }

  @Test("a text with more values, at all depths, than its reader wants is refused where the first too many begins")
  func countOfValues() throws {
    try Array(#"{"a":[1,{},"x"]}"#.utf8).withUnsafeBufferPointer { bytes in
      #expect(try JSON(parsing: bytes, file: "t", atMost: 5)["a"]?.array?.count == 3)
      let failure = try #require(throws: Failure.self) { try JSON(parsing: bytes, file: "t", atMost: 4) }
      #expect(failure.position?.description == "t:1:12")
    }
  }

  @Test("random values survive writing and reading")
  func roundTrip() throws {
    for seed in UInt64(0)..<300 {
      var random = SeededGenerator(seed: seed)
      let value = JSON.random(depth: 4, using: &random)
      #expect(try JSON(parsing: value.canonicalBytes, file: "t") == value, "seed \(seed)")
    }
  }
}

extension JSON {
  fileprivate static func random(depth: Int, using random: inout SeededGenerator) -> JSON {
    switch Int.random(in: 0..<(depth == 0 ? 5 : 7), using: &random) {
    case 0: return .null
    case 1: return .bool(.random(using: &random))
    case 2: return .integer(.random(in: .min ... .max, using: &random))
    case 3:
      let value = Double(bitPattern: random.next())
      return value.isFinite ? JSON(value) : 0
    case 4:
      let scalars = (0..<6).compactMap { _ in Unicode.Scalar(UInt32.random(in: 0..<0x2000, using: &random)) }
      return .string(String(String.UnicodeScalarView(scalars)))
    case 5: return .array((0..<3).map { _ in JSON.random(depth: depth - 1, using: &random) })
    default:
      return .object(
        Dictionary(
          (0..<3).map { ("k\($0)", JSON.random(depth: depth - 1, using: &random)) }, uniquingKeysWith: { a, _ in a }))
    }
  }
}
