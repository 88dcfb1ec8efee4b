import LemmaBasics
import LemmaTestSupport
import Testing

@testable import LemmaModel

@Suite struct TokenizerTests {
  static let corpus = [
    "Tom has 12 apples and buys 30 more apples.", "Ann has 7 apples, and it's Tom's apples she wants.",
    "12 + 30 = 42 #### 42", "the apples, the pears", "naïve café naïve café",
  ]

  static func trained(_ size: Int = 300) throws -> Tokenizer {
    try Tokenizer.train(texts: corpus, vocabularySize: size)
  }

  private func pieces(_ text: String) -> [String] {
    let bytes = Array(text.utf8)
    var pieces: [String] = []
    bytes.withUnsafeBufferPointer { buffer in
      PreTokenizer.split(buffer) { pieces.append(String(decoding: buffer[$0], as: UTF8.self)) }
    }
    return pieces
  }

  @Test func textIsCutAsGPT2CutsItWithSingleDigits() {
    #expect(pieces("Tom has 12 apples.") == ["Tom", " has", " ", "1", "2", " apples", "."])
    #expect(
      pieces("it's we'll 'round they're I'm I'd you've") == [
        "it", "'s", " we", "'ll", " '", "round", " they", "'re", " I", "'m", " I", "'d", " you", "'ve",
      ])
    #expect(pieces("a  b\n\n c \t9  ") == ["a", " ", " b", "\n\n", " c", " ", "\t", "9", "  "])
    #expect(pieces("3×4=12; (x+1)²") == ["3", "×", "4", "=", "1", "2", ";", " (", "x", "+", "1", ")", "²"])
    #expect(pieces("\nx\n") == ["\n", "x", "\n"])
    #expect(pieces("") == [])
  }

  @Test func digitsAreAlwaysSingleTokens() throws {
    let tokenizer = try Tokenizer.train(texts: Array(repeating: "2024 2024 99", count: 50), vocabularySize: 400)
    #expect(tokenizer.encode("20249").count == 5)
    #expect(tokenizer.vocabularySize == 257)
  }

  @Test func theMostFrequentPairIsMergedFirstAndTiesGoToTheLowerIDs() throws {
    let tokenizer = try Tokenizer.train(texts: ["ab ab ab cd cd"], vocabularySize: 260)
    #expect(tokenizer.merges.map { tokenizer.tokens[Int($0.result)] } == ["ab", " c", " ab"].map { Array($0.utf8) })
    #expect(tokenizer.encode("ab cd") == [257, 258, 101])
  }

  @Test func theOrderOfTheTextsDoesNotMatter() throws {
    #expect(try Self.trained() == Tokenizer.train(texts: Self.corpus.reversed(), vocabularySize: 300))
  }

  @Test func trainingEndsWhenNoPairOccursTwice() throws {
    #expect(try Tokenizer.train(texts: ["abcdef"], vocabularySize: 5000).vocabularySize == 257)
    #expect(try Tokenizer.train(texts: [], vocabularySize: 5000).vocabularySize == 257)
  }

  @Test func mergesShortenTheTextsTheyWereLearntFrom() throws {
    let tokenizer = try Self.trained(400)
    let tokens = tokenizer.encode(Self.corpus).reduce(0) { $0 + $1.count }
    #expect(tokens < Self.corpus.reduce(0) { $0 + $1.utf8.count } * 3 / 4)
  }

  @Test(arguments: 0..<20 as Range<UInt64>) func anyTextAndAnyBytesComeBack(_ seed: UInt64) throws {
    let tokenizer = try Self.trained()
    var generator = SeededGenerator(seed: seed)
    var text = ""
    for _ in 0..<200 {
      let limit: UInt32 = [0x80, 0x250, 0x3000, 0x11_0000][Int.random(in: 0..<4, using: &generator)]
      if let scalar = Unicode.Scalar(UInt32.random(in: 0..<limit, using: &generator)) {
        text.unicodeScalars.append(scalar)
      }
    }
    #expect(Array(tokenizer.decode(tokenizer.encode(text)).utf8) == Array(text.utf8))
    let bytes = (0..<300).map { _ in UInt8.random(in: 0...255, using: &generator) }
    #expect(tokenizer.bytes(tokenizer.encode(bytes: bytes)) == bytes)
  }

  @Test func manyTextsAtOnceAreEncodedAsOneByOne() throws {
    let tokenizer = try Self.trained()
    #expect(tokenizer.encode(Self.corpus) == Self.corpus.map { tokenizer.encode($0) })
  }

  @Test func theSpellingOfTheEndIsOrdinaryTextInData() throws {
    let tokenizer = try Self.trained()
    let ids = tokenizer.encode("a<|endoftext|>b")
    #expect(!ids.contains(tokenizer.endOfText))
    #expect(tokenizer.decode(ids) == "a<|endoftext|>b")
    #expect(tokenizer.decode([tokenizer.endOfText, ids[0], 99_999, -1]) == "a")
  }

  @Test func aWordOfAHundredThousandLettersIsEncoded() throws {
    let tokenizer = try Self.trained()
    let text = String(repeating: "apples", count: 16_000)
    #expect(tokenizer.decode(tokenizer.encode(text)) == text)
  }

  @Test(arguments: [0, 256, 1_000_001]) func anImpossibleVocabularyIsRefused(_ size: Int) {
    #expect(throws: Failure.self) { try Tokenizer.train(texts: ["a"], vocabularySize: size) }
  }
}
