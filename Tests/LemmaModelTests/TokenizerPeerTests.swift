import LemmaBasics
import LemmaTestSupport
import Testing

@testable import LemmaModel

/// The same ids and texts as the `tokenizers` library, where Python has it, for tokenizers of every kind.
@Suite struct TokenizerPeerTests {
  private static let data = ["../shared/data/gsm8k/test.jsonl", "../shared/data/math/test.jsonl"]

  /// What the library makes of one text.
  private struct Expectation {
    var ids: [Int32]
    var surrounded: [Int32]
    var plain: [Int32]
    var decoded: [UInt8]
    var decodedWhole: [UInt8]
  }

  /// Reads what `make_tokenizers.py` writes.
  private struct Reader {
    let bytes: [UInt8]
    var offset = 0

    init(_ path: String) throws { bytes = try Files.read(path) }

    var isAtEnd: Bool { offset == bytes.count }

    private mutating func word() -> Int32 {
      defer { offset += 4 }
      return bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Int32.self) }
    }

    mutating func ids() -> [Int32] { (0..<word()).map { _ in word() } }

    mutating func text() -> [UInt8] {
      let count = Int(word())
      defer { offset += count }
      return Array(bytes[offset..<offset + count])
    }

    mutating func expectation() -> Expectation {
      Expectation(ids: ids(), surrounded: ids(), plain: ids(), decoded: text(), decodedWhole: text())
    }
  }

  @Test(.enabled(if: Python.has("tokenizers"), "python3 cannot import tokenizers"))
  func everyKindGivesTheIDsAndTextsOfTheLibrary() throws {
    let space = TestSpace()
    let script = "\(Files.parent(Files.parent(#filePath)))/Peers/make_tokenizers.py"
    let (status, output) = try Python.run([script, space.path, "1500", "150"] + Self.data.filter(Files.exists))
    try #require(status == 0, "\(output)")
    var reader = try Reader(space.file("texts.bin"))
    var texts: [String] = []
    while !reader.isAtEnd { texts.append(String(decoding: reader.text(), as: UTF8.self)) }
    let kinds = try Files.list(space.path).filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }
    #expect(kinds.count == 28)
    for kind in kinds.sorted() { try compare(kind, texts, space) }
  }

  private func compare(_ kind: String, _ texts: [String], _ space: TestSpace) throws {
    let file = space.file("\(kind).json")
    let content = try Files.read(file)
    let tokenizer = try Tokenizer(parsing: content, file: file)
    #expect(tokenizer.content == content)
    let found = tokenizer.encode(texts, allowingSpecial: true)
    let surrounded = tokenizer.encode(texts, allowingSpecial: true, addingSpecial: true)
    let plain = tokenizer.encode(texts)
    var reader = try Reader(space.file("\(kind).bin"))
    var differences: [String] = []
    for (index, text) in texts.enumerated() {
      let expected = reader.expectation()
      let decoded = tokenizer.decode(expected.ids)
      let whole = tokenizer.decode(expected.ids, skippingSpecial: false)
      func check<T: Equatable>(_ what: String, _ found: T, _ expected: T) {
        if found != expected { differences.append("\(what) of \(text.debugDescription): \(found), not \(expected)") }
      }
      check("ids", found[index], expected.ids)
      check("ids with what surrounds them", surrounded[index], expected.surrounded)
      check("ids without special tokens", plain[index], expected.plain)
      check("text", Array(decoded.utf8), expected.decoded)
      check("text with special tokens", Array(whole.utf8), expected.decodedWhole)
    }
    #expect(reader.isAtEnd)
    #expect(differences.isEmpty, "\(kind): \(differences.count), such as \(differences.prefix(3))")
  }
}
