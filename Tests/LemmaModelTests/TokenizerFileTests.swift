import LemmaBasics
import Testing

@testable import LemmaModel

@Suite struct TokenizerFileTests {
  @Test func aTokenizerComesBackFromItsFile() throws {
    let tokenizer = try TokenizerTests.trained()
    let text = tokenizer.json.pretty
    let read = try Tokenizer(json: JSON(parsing: text.utf8, file: "tokenizer.json"), file: "tokenizer.json")
    #expect(read == tokenizer)
    #expect(read.json.pretty == text)
  }

  @Test func mergesMayBeWordsWithASpaceBetween() throws {
    let tokenizer = try TokenizerTests.trained()
    let json = edited(tokenizer.json, ["model", "merges"]) { merges in
      .array((merges.array ?? []).map { .string("\($0[0]?.string ?? "") \($0[1]?.string ?? "")") })
    }
    #expect(try Tokenizer(json: json, file: "t") == tokenizer)
  }

  /// `json` with the value at `path` replaced.
  private func edited(_ json: JSON, _ path: ArraySlice<String>, _ change: (JSON) -> JSON) -> JSON {
    guard let key = path.first, var members = json.object else { return change(json) }
    members[key] = edited(members[key] ?? nil, path.dropFirst(), change)
    return .object(members)
  }

  @Test func aDamagedOrForeignTokenizerIsRefused() throws {
    let good = try TokenizerTests.trained(260).json
    let changes: [([String], (JSON) -> JSON)] = [
      ([], { _ in [] }),
      (["model"], { _ in nil }),
      (["model", "type"], { _ in "WordPiece" }),
      (["pre_tokenizer"], { _ in nil }),
      (["pre_tokenizer", "pretokenizers"], { _ in [] }),
      (["normalizer"], { _ in ["type": "Precompiled"] }),
      (["added_tokens"], { _ in [] }),
      (["added_tokens"], { _ in [["id": 5, "content": "<|endoftext|>"]] }),
      (["model", "vocab"], { _ in [:] }),
      (["model", "vocab", "a"], { _ in 5000 }),
      (["model", "vocab", "a"], { _ in -1 }),
      (["model", "vocab", "a"], { _ in "x" }),
      (["model", "vocab", "a"], { _ in 3 }),
      (["model", "vocab", "日"], { _ in 260 }),
      (["model", "vocab", ""], { _ in 260 }),
      (["model", "merges"], { _ in [["a", "zzz"]] }),
      (["model", "merges"], { _ in [["a"]] }),
      (["model", "merges"], { _ in ["a"] }),
      (["model", "merges"], { _ in [7] }),
      (["model", "merges"], { _ in [["<|endoftext|>", "a"]] }),
    ]
    for (path, change) in changes {
      #expect(throws: Failure.self, "\(path)") {
        try Tokenizer(json: edited(good, path[...], change), file: "tokenizer.json")
      }
    }
  }
}
