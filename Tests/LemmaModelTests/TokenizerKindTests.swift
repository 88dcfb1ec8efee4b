import LemmaBasics
import LemmaTestSupport
import Testing

@testable import LemmaModel

/// Tokenizers of other makers' kinds, each from a small file made here.
@Suite struct TokenizerKindTests {
  private typealias Document = TokenizerDocument

  // MARK: Cuts

  private func pieces(_ text: String, _ steps: SplitStep...) -> [String] {
    var pieces = Pieces(Array(text.utf8), startsText: true)
    for step in steps { pieces.apply(step) }
    return pieces.ranges.map { String(decoding: pieces.bytes[$0], as: UTF8.self) }
  }

  private func pieces(_ text: String, regex: String) throws -> [String] {
    pieces(text, .pattern(try TextPattern(regex: regex, file: ""), .isolated, isInverted: false))
  }

  @Test func theKnownPatternsCutAsTheirFamiliesDo() throws {
    #expect(
      try pieces("I'll go, it's 2024!  ok\n\n", regex: KnownPatterns.gpt2Source) == [
        "I", "'ll", " go", ",", " it", "'s", " 2024", "!", " ", " ok", "\n\n",
      ])
    #expect(
      try pieces("I'LL go 12345 (x)\n\n  y", regex: KnownPatterns.llama3Source) == [
        "I", "'LL", " go", " ", "123", "45", " (", "x", ")\n\n", " ", " y",
      ])
    #expect(try pieces("a 12 été", regex: KnownPatterns.qwen2Source) == ["a", " ", "1", "2", " été"])
  }

  @Test func aMatchGoesWhereTheBehaviorSays() {
    let expected: [(SplitBehavior, [String])] = [
      (.removed, ["the", "final", "countdown"]),
      (.isolated, ["the", "-", "final", "-", "-", "countdown"]),
      (.mergedWithPrevious, ["the-", "final-", "-", "countdown"]),
      (.mergedWithNext, ["the", "-final", "-", "-countdown"]),
      (.contiguous, ["the", "-", "final", "--", "countdown"]),
    ]
    for (behavior, parts) in expected {
      let step = SplitStep.pattern(TextPattern(literal: "-"), behavior, isInverted: false)
      #expect(pieces("the-final--countdown", step) == parts, "\(behavior)")
    }
    #expect(pieces("a-b", .pattern(TextPattern(literal: "-"), .removed, isInverted: true)) == ["-"])
  }

  @Test func digitsWordsAndWhiteSpaceAreCut() {
    #expect(pieces("ab123 ٤", .digits(individually: true)) == ["ab", "1", "2", "3", " ", "٤"])
    #expect(pieces("ab123 ٤", .digits(individually: false)) == ["ab", "123", " ", "٤"])
    #expect(pieces(" a_1-b é!?\n", .words) == ["a_1", "-", "b", "é", "!?"])
    #expect(pieces(" a_1-b\u{3000}é!?\n", .whitespace) == ["a_1-b", "é!?"])
    #expect(pieces("a b", .whitespace, .prefixSpace) == [" a", " b"])
    #expect(pieces("", .whitespace, .words, .digits(individually: true)) == [])
  }

  // MARK: Byte level

  private static let merges = ["h e", "l l", "he ll", "hell o", "Ġ hello", "1 2", "12 3", "Ã ©"]

  @Test func mergesGoByTheirRankInsideOfPieces() throws {
    let document = Document.byteLevel(Self.merges)
    let tokenizer = try document.tokenizer()
    #expect(tokenizer.encode("hello hello") == [document.id("hello"), document.id("Ġhello")])
    #expect(tokenizer.encode("hell") == [document.id("hell")])
    #expect(tokenizer.encode("ell é") == [101, document.id("ll"), 32, document.id("Ã©")])
    #expect(tokenizer.encode("") == [])
    #expect(
      tokenizer.token(of: document.id("Ġhello")) == "Ġhello" && tokenizer.id(of: "Ġhello") == document.id("Ġhello"))
    #expect(tokenizer.token(of: -1) == nil && tokenizer.token(of: 100_000) == nil && tokenizer.id(of: "hel") == nil)
  }

  @Test func thePatternDecidesWhatMayMerge() throws {
    for (pattern, parts) in [
      (KnownPatterns.gpt2Source, ["Ġ", "123", "12"]), (KnownPatterns.llama3Source, ["Ġ", "123", "12"]),
      (KnownPatterns.qwen2Source, ["Ġ", "1", "2", "3", "1", "2"]),
    ] {
      let document = Document.byteLevel(Self.merges, preTokenizer: Document.split(pattern))
      #expect(try document.tokenizer().encode(" 12312") == parts.map { document.id($0) }, "\(pattern)")
    }
  }

  @Test func aPieceThatIsATokenIsThatTokenWhereMergesAreIgnored() throws {
    var document = Document.byteLevel(["a b"])
    document.words.insert("abc", at: 257)
    document.added = [Document.token(Document.end, 258, "special")]
    #expect(try document.tokenizer().encode("abc") == [document.id("ab"), 99])
    document.model["ignore_merges"] = true
    #expect(try document.tokenizer().encode("abc abc") == [document.id("abc"), 32, document.id("ab"), 99])
  }

  @Test func aSpaceIsPutBeforeTextWhereTheFileSaysSo() throws {
    var document = Document.byteLevel(Self.merges)
    document.preTokenizer = ["type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true]
    let tokenizer = try document.tokenizer()
    #expect(tokenizer.encode("hello") == [document.id("Ġhello")])
    #expect(tokenizer.encode(" hello") == [document.id("Ġhello")])
  }

  @Test(arguments: [
    KnownPatterns.gpt2Source, KnownPatterns.llama3Source, KnownPatterns.qwen2Source, #"\p{L}+|\s"#,
  ])
  func anyTextComesBackFromByteLevelTokens(_ pattern: String) throws {
    let tokenizer = try Document.byteLevel(Self.merges, preTokenizer: Document.split(pattern)).tokenizer()
    for seed: UInt64 in 0..<30 {
      var generator = SeededGenerator(seed: seed)
      let words = ["hello", " ", "\n", "123", "'s", "é", Document.end, "\r\n", "  "]
      let text = (0..<100).map { _ in
        let limit: UInt32 = [0x80, 0x250, 0x3000, 0x11_0000][Int.random(in: 0..<4, using: &generator)]
        let scalar = Unicode.Scalar(UInt32.random(in: 0..<limit, using: &generator))
        return scalar.map { String($0) } ?? words.randomElement(using: &generator) ?? ""
      }.joined()
      let ids = tokenizer.encode(text)
      #expect(isSame(tokenizer.decode(ids), text), "seed \(seed)")
      #expect(tokenizer.bytes(ids) == Array(text.utf8) && !ids.contains(tokenizer.endOfText), "seed \(seed)")
      #expect(tokenizer.encode([text, text]) == [ids, ids], "seed \(seed)")
    }
  }

  @Test func whatIsNotUTF8BecomesReplacementCharacters() throws {
    let document = Document.byteLevel()
    let tokenizer = try document.tokenizer()
    #expect(tokenizer.encode(bytes: [97, 0xFF]) == [97, 0xEF, 0xBF, 0xBD])
    #expect(tokenizer.decode([97, 0xFF, 98]) == "a\u{FFFD}b")
    #expect(tokenizer.bytes([97, 0xFF, 98, 99_999, -1]) == [97, 0xFF, 98])
  }

  // MARK: SentencePiece's layout

  @Test func spacesBecomeMarksAndWhatHasNoTokenItsBytes() throws {
    let document = Document.metaspace("▁abc", ["a b", "▁ ab"])
    let tokenizer = try document.tokenizer()
    let ids = tokenizer.encode("ab c é")
    let words = ["▁ab", "▁", "c", "▁", "<0xC3>", "<0xA9>"]
    #expect(ids == words.map { document.id($0) })
    #expect(tokenizer.decode(ids) == "ab c é")
    #expect(tokenizer.decode(ids.dropLast()) == "ab c \u{FFFD}")
    #expect(tokenizer.bytes(ids) == Array("ab c é".utf8))
  }

  @Test(arguments: [
    ("always", ["▁ab", "</s>", "▁ab"]), ("first", ["▁ab", "</s>", "ab"]), ("never", ["ab", "</s>", "ab"]),
  ])
  func theMarkBeforeATextIsAddedWhenTheSchemeSaysSo(_ scheme: String, _ words: [String]) throws {
    let document = Document.metaspace("▁abc", ["a b", "▁ ab"], scheme: scheme)
    let tokenizer = try document.tokenizer()
    #expect(tokenizer.encode("ab</s>ab", allowingSpecial: true) == words.map { document.id($0) })
    #expect(tokenizer.decode(tokenizer.encode("ab ab")) == "ab ab")
  }

  @Test func whatIsUnknownIsOneTokenLeftOutOrManyTokens() throws {
    var document = Document.metaspace("▁ab")
    document.model = ["unk_token": "<unk>", "fuse_unk": true]
    func words() throws -> [String] {
      let tokenizer = try document.tokenizer()
      return tokenizer.encode("axyb").map { tokenizer.token(of: $0) ?? "" }
    }
    #expect(try words() == ["▁", "a", "<unk>", "b"])
    document.model["fuse_unk"] = false
    #expect(try words() == ["▁", "a", "<unk>", "<unk>", "b"])
    document.model = [:]
    #expect(try words() == ["▁", "a", "b"])
  }

  @Test func symbolsMayHaveAPrefixAndASuffix() throws {
    let document = TokenizerDocument(
      words: ["<unk>", "</s>", "a", "##b", "##b</w>", "ab</w>", "a</w>"], merges: [["a", "##b</w>"]],
      added: [Document.token("<unk>", 0, "special"), Document.token("</s>", 1, "special")],
      model: ["unk_token": "<unk>", "continuing_subword_prefix": "##", "end_of_word_suffix": "</w>"],
      preTokenizer: ["type": "WhitespaceSplit"], decoder: ["type": "BPEDecoder", "suffix": "</w>"])
    let tokenizer = try document.tokenizer()
    #expect(tokenizer.encode("ab a abb") == [5, 6, 2, 3, 4])
    #expect(tokenizer.decode([5, 6]) == "ab a")
  }

  // MARK: Added tokens and what surrounds a text

  @Test func addedTokensTakeWhiteSpaceAndKeepToWords() throws {
    var document = Document.byteLevel()
    for (content, flags) in [
      ("[L]", ["lstrip", "special"]), ("[R]", ["rstrip", "special"]), ("[W]", ["single_word", "special"]),
      ("[LR]", ["lstrip", "rstrip"]), ("[[", []),
    ] {
      document.add(content, flags)
    }
    let tokenizer = try document.tokenizer()
    func words(_ text: String, allowingSpecial: Bool = true) -> [String] {
      tokenizer.encode(text, allowingSpecial: allowingSpecial).map { tokenizer.token(of: $0) ?? "" }
    }
    #expect(words("a \n[L] b") == ["a", "[L]", "Ġ", "b"])
    #expect(words("a [R] \u{3000}b") == ["a", "Ġ", "[R]", "b"])
    #expect(words("a [LR] b") == ["a", "[LR]", "b"])
    #expect(words("a[W] -[W]- [W]é") == ["a", "[", "W", "]", "Ġ", "-", "[W]", "-", "Ġ", "[", "W", "]", "Ã", "©"])
    #expect(words("[LR][L][[[") == ["[LR]", "[L]", "[[", "["])
    #expect(words("a [L]", allowingSpecial: false) == ["a", "Ġ", "[", "L", "]"])
    #expect(words("a [LR] b", allowingSpecial: false) == ["a", "[LR]", "b"])
    #expect(
      words(Document.end) == [Document.end] && !words(Document.end, allowingSpecial: false).contains(Document.end))
    #expect(tokenizer.specialTokens.keys.sorted() == [Document.end, "[L]", "[R]", "[W]"])
  }

  @Test func normalizedTokensAreLookedForInTheirNormalForm() throws {
    var document = Document.byteLevel()
    document.normalizer = Document.sequence("normalizers", ["type": "NFC"], ["type": "Lowercase"])
    document.add("LOUD", ["normalized"])
    document.add("As Is", [])
    let tokenizer = try document.tokenizer()
    let (loud, asIs) = (try #require(tokenizer.id(of: "LOUD")), try #require(tokenizer.id(of: "As Is")))
    #expect(tokenizer.encode("xLoUdAs Isas is") == [120, loud, asIs] + "as is".utf8.map { Int32($0) })
    #expect(tokenizer.decode([loud, asIs]) == "loudAs Is")
    #expect(tokenizer.encode("E\u{301}") == [0xC3, 0xA9])
  }

  @Test func aSpecialTokenIsSeenInWhateverFormItCounts() throws {
    var document = Document.byteLevel()
    document.normalizer = ["type": "Lowercase"]
    document.add("</S>", ["special", "normalized"])
    let tokenizer = try document.tokenizer()
    let end = try #require(tokenizer.id(of: "</S>"))
    for (text, spelling) in [("Hi </S>", "</S>"), ("Hi </s>", "</S>"), ("Hi \(Document.end)", Document.end)] {
      #expect(tokenizer.specialToken(in: text) == spelling)
    }
    #expect(tokenizer.encode("Hi </s>", allowingSpecial: true).last == end)
    #expect(tokenizer.specialToken(in: "Hi < / s >") == nil)
  }

  @Test func specialTokensDecodeOnlyWhenAskedFor() throws {
    let document = Document.metaspace("▁ab", ["a b", "▁ ab"])
    let tokenizer = try document.tokenizer()
    let ids: [Int32] = [1, document.id("▁ab"), 2]
    #expect(tokenizer.decode(ids) == "ab")
    #expect(tokenizer.decode(ids, skippingSpecial: false) == "<s> ab</s>")
  }

  @Test func whatSurroundsATextIsAddedOnRequest() throws {
    var document = Document.metaspace("▁ab")
    let single: JSON = [
      ["SpecialToken": ["id": "<s>", "type_id": 0]], ["Sequence": ["id": "A", "type_id": 0]],
    ]
    document.postProcessor = Document.sequence(
      "processors", ["type": "ByteLevel", "add_prefix_space": true, "trim_offsets": false, "use_regex": true],
      [
        "type": "TemplateProcessing", "single": single, "pair": [],
        "special_tokens": ["<s>": ["id": "<s>", "ids": [1], "tokens": ["<s>"]]],
      ])
    let tokenizer = try document.tokenizer()
    #expect(tokenizer.encode("a", addingSpecial: true) == [1] + tokenizer.encode("a"))
    #expect(tokenizer.encode(["", "a"], addingSpecial: true) == [[1], [1] + tokenizer.encode("a")])
    document.postProcessor = [
      "type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 1], "trim_offsets": true,
      "add_prefix_space": false,
    ]
    #expect(try document.tokenizer().encode("a", addingSpecial: true) == [1] + tokenizer.encode("a") + [2])
  }

  @Test func theEndOfATextIsTheOneNamedOrACustomaryOne() throws {
    var document = Document.byteLevel()
    document.add("<|im_end|>", ["special"])
    document.add("<stop>", ["special"])
    #expect(try document.tokenizer().endOfText == 256)
    #expect(try document.tokenizer(endOfText: "<stop>").endOfText == 258)
    #expect(throws: Failure.self) { try document.tokenizer(endOfText: "<|eot_id|>") }
    #expect(throws: Failure.self) { try document.tokenizer(endOfText: "a") }
  }

  // MARK: Files

  @Test func aTokenizerThatWasReadKeepsItsBytes() throws {
    for document in [Document.byteLevel(Self.merges), .metaspace("▁abé", ["a b"])] {
      let compact = Array(document.json.canonicalBytes) + [10, 10]
      let tokenizer = try Tokenizer(parsing: compact, file: "t")
      #expect(tokenizer.content == compact && document.bytes != compact)
      #expect(try tokenizer == document.tokenizer())
    }
    let own = try TokenizerTests.trained()
    #expect(try Tokenizer(parsing: Array(own.json.canonicalBytes), file: "t").content == own.content)
  }

  @Test func tokensThatUnicodeHoldsEqualAreTwo() throws {
    let text = """
      {"version":"1.0","added_tokens":[{"id":0,"content":"</s>","single_word":false,"lstrip":false,"rstrip":false,
      "normalized":false,"special":true}],"model":{"type":"BPE","vocab":{"</s>":0,"é":1,"e":2,"\u{301}":3,
      "e\u{301}":4},"merges":["e \u{301}"]}}
      """
    let tokenizer = try Tokenizer(parsing: Array(text.utf8), file: "t")
    #expect(tokenizer.encode("é") == [1] && tokenizer.encode("e\u{301}") == [4])
    #expect(tokenizer.id(of: "e\u{301}") == 4 && tokenizer.decode([1, 4]).unicodeScalars.count == 4)
  }

  // MARK: Refusals

  /// `json` with the value at `path` replaced.
  private func edited(_ json: JSON, _ path: [String], _ value: JSON) -> JSON {
    guard let key = path.first, var members = json.object else { return value }
    members[key] = edited(members[key] ?? nil, Array(path.dropFirst()), value)
    return .object(members)
  }

  private func refusal(_ json: JSON) -> Failure? {
    do {
      _ = try Tokenizer(parsing: Array(json.canonicalBytes), file: "tokenizer.json")
      return nil
    } catch { return error as? Failure }
  }

  private func check(_ good: TokenizerDocument, _ changes: [([String], JSON, String)]) {
    #expect(refusal(good.json) == nil)
    for (path, value, words) in changes {
      guard let failure = refusal(edited(good.json, path, value)) else {
        Issue.record("\(path) = \(value.pretty) is taken")
        continue
      }
      #expect(failure.message.contains(words), "\(failure.message)")
      #expect(failure.kind == .user && failure.code == "tokenizer" && failure.position?.file == "tokenizer.json")
    }
  }

  @Test func settingsThatAreNotUnderstoodAreNamed() {
    let doubling: JSON = ["type": "Replace", "pattern": ["String": "a"], "content": "aa"]
    check(
      .byteLevel(Self.merges),
      [
        (["extra"], nil, "'tokenizer' has the key 'extra'"),
        (["truncation"], ["max_length": 5], "it has settings for 'truncation'"),
        (["padding"], ["strategy": "BatchLongest"], "it has settings for 'padding'"),
        (["model"], nil, "its model is not BPE"),
        (["model", "type"], "Unigram", "its model is not BPE"),
        (["model", "cache"], 1, "'model' has the key 'cache'"),
        (["model", "dropout"], 0.1, "'model.dropout'"),
        (["model", "unk_token"], "<unk>", "'model.unk_token' is not in the vocabulary"),
        (["model", "fuse_unk"], "yes", "'model.fuse_unk' must be true or false"),
        (["normalizer"], ["type": "NFKC"], "'normalizer' is of the type 'NFKC'"),
        (["normalizer"], "NFC", "'normalizer' must be an object"),
        (
          ["normalizer"], Document.sequence("normalizers", ["type": "NFC"], ["type": "Precompiled"]),
          "'normalizer.normalizers[1]' is of the type 'Precompiled'"
        ),
        (["normalizer"], ["type": "NFC", "form": 1], "'normalizer' has the key 'form'"),
        (["normalizer"], ["type": "Prepend"], "'normalizer.prepend' must be a text"),
        (
          ["normalizer"], ["type": "Replace", "pattern": ["Regex": "("], "content": ""],
          "not a regular expression that Oniguruma takes"
        ),
        (
          ["normalizer"], ["type": "Replace", "pattern": ["Glob": "*"], "content": ""],
          "'normalizer.pattern' has the key 'Glob'"
        ),
        (
          ["normalizer"], ["type": "Sequence", "normalizers": .array(Array(repeating: doubling, count: 9))],
          "'normalizer' makes texts more than 256 times as long"
        ),
        (
          ["decoder"], ["type": "Sequence", "decoders": .array(Array(repeating: doubling, count: 9))],
          "'decoder' makes texts more than 256 times as long"
        ),
        (["pre_tokenizer"], ["type": "UnicodeScripts"], "'pre_tokenizer' is of the type 'UnicodeScripts'"),
        (
          ["pre_tokenizer"], Document.sequence("pretokenizers", Document.gpt2, ["type": "Whitespace"]),
          "'pre_tokenizer.pretokenizers[1]' stands behind a step of the type 'ByteLevel'"
        ),
        (
          ["pre_tokenizer"], ["type": "Split", "pattern": ["String": "-"], "behavior": "Deleted"],
          "'pre_tokenizer.behavior' is not understood"
        ),
        (
          ["pre_tokenizer"], ["type": "Metaspace", "replacement": "▁", "prepend_scheme": "often"],
          "'pre_tokenizer.prepend_scheme' is not understood"
        ),
        (["pre_tokenizer"], ["type": "Metaspace", "replacement": "__"], "must be one character"),
        (["pre_tokenizer"], nested(10), "is nested too deep"),
        (["pre_tokenizer"], nil, "only one of 'pre_tokenizer' and 'decoder'"),
        (["decoder"], nil, "only one of 'pre_tokenizer' and 'decoder'"),
        (["decoder"], ["type": "WordPiece"], "'decoder' is of the type 'WordPiece'"),
        (["post_processor"], ["type": "Pair"], "'post_processor' is of the type 'Pair'"),
        (
          ["post_processor"], ["type": "BertProcessing", "sep": ["x"], "cls": ["x", 1]],
          "'post_processor.sep' must be a token and its id"
        ),
        (
          ["post_processor"], ["type": "BertProcessing", "sep": ["x", 1], "cls": ["x", 5000]],
          "'post_processor' adds an id that no token has"
        ),
        (
          ["post_processor"], ["type": "TemplateProcessing", "single": [], "special_tokens": [:]],
          "'post_processor.single' must hold the text once"
        ),
        (
          ["post_processor"],
          [
            "type": "TemplateProcessing", "single": [["SpecialToken": ["id": "<s>", "type_id": 0]]],
            "special_tokens": [:],
          ], "'post_processor.single[0]' names no special token"
        ),
        (
          ["post_processor"],
          [
            "type": "TemplateProcessing", "single": [["SpecialToken": ["id": "<s>", "type_id": 0]]],
            "special_tokens": ["<s>": ["id": "<s>", "ids": .array(Array(repeating: 1, count: 65)), "tokens": ["<s>"]]],
          ], "'post_processor' puts more than 64 tokens around a text"
        ),
      ])
  }

  private func nested(_ depth: Int) -> JSON {
    depth == 0 ? Document.gpt2 : Document.sequence("pretokenizers", nested(depth - 1))
  }

  @Test func vocabulariesThatDoNotAddUpAreNamed() {
    let end = Document.token(Document.end, 264, "special")
    check(
      .byteLevel(Self.merges),
      [
        (["model", "vocab", "日"], 265, "the token '日' is not in the byte alphabet"),
        (["model", "vocab", "a"], 5000, "its ids are not 0 to 264, each once"),
        (["model", "vocab", "a"], 98, "its ids are not 0 to 264, each once"),
        (["model", "vocab", "a"], "x", "'model.vocab' has no id, or two, for 'a'"),
        (["model", "vocab", ""], 265, "'model.vocab' has a token without characters"),
        (["model", "merges"], [["a", "zz"]], "a merge names a token that is not in the vocabulary"),
        (["model", "merges"], ["h e l"], "a merge names a token that is not in the vocabulary"),
        (["added_tokens"], [], "it names no special token that ends a text"),
        (["added_tokens"], [end, end], "'tokenizer.added_tokens[1]' is added twice"),
        (["added_tokens"], [["id": 264]], "'tokenizer.added_tokens[0].content' must be a text"),
        (["added_tokens"], [end, Document.token("a", 7)], "has another id in 'model.vocab'"),
        (["added_tokens"], [end, Document.token("", 265)], "'tokenizer.added_tokens[1]' has no characters"),
        (
          ["added_tokens"], [end, Document.token(String(repeating: "x", count: 1 << 20), 265)],
          "its added tokens are longer than 1048576 bytes together"
        ),
        (
          ["added_tokens"], [end, Document.token("[B]", 266), Document.token("[A]", 265)],
          "'tokenizer.added_tokens[2]' is not in the order of its id"
        ),
        (["added_tokens"], [end, Document.token("[A]", 300)], "its ids are not 0 to 265, each once"),
        (
          ["added_tokens"], [end, Document.token("hello", 259, "special")],
          "a merge makes the special token 'hello' of ordinary text"
        ),
      ])
    check(
      .metaspace("▁ab"),
      [
        (["model", "end_of_word_suffix"], "</w>", "'model.byte_fallback' does not go with its other settings"),
        (
          ["model"],
          edited(
            edited(Document.metaspace("▁ab").json["model"] ?? nil, ["unk_token"], "</s>"), ["byte_fallback"], false),
          "what it does not know would end the text"
        ),
      ])
  }
}
