import LemmaBasics
import LemmaTestSupport
import Testing

@testable import LemmaModel

/// Model folders from and to `transformers`, where Python has it: the same logits within the rounding of float32.
@Suite struct ExchangePeerTests {
  static let families = ["llama", "biased", "stretched", "mistral", "qwen2", "gpt2"]

  private func python(_ arguments: String...) throws {
    let script = "\(Files.parent(Files.parent(#filePath)))/Peers/exchange_models.py"
    let (status, output) = try Python.run([script] + arguments)
    try #require(status == 0, "\(output)")
  }

  private func logits(_ model: Model, _ tokens: [Int32]) throws -> [Float] {
    var batch = TokenBatch()
    // The last token is only a target.
    batch.append((tokens + [0])[...], responseStart: 0)
    let shape = NetworkShape(
      model: model.configuration, precision: .float32, tokens: batch.count, stepTokens: batch.count)
    let pool = try KernelPool(threads: 2, path: .best, precision: .float32)
    return try Network(shape, parameters: model.parameters, pool: pool).allLogits(batch)
  }

  private func tokens(_ space: TestSpace) throws -> [Int32] {
    let file = space.file("tokens.json")
    return try #require(JSON(parsing: Files.read(file), file: file).array).map { Int32($0.int ?? -1) }
  }

  /// The greatest one between logits and those in a file.
  private func difference(_ found: [Float], from file: String) throws -> Float {
    let expected = try Files.read(file).withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
    try #require(found.count == expected.count)
    return zip(found, expected).map { abs($0 - $1) }.max() ?? .infinity
  }

  @Test(.enabled(if: Python.has("torch") && Python.has("transformers"), "python3 cannot import transformers"))
  func whatTransformersSavedOpensHereAndTheOtherWayRound() throws {
    let space = TestSpace()
    try python("make", space.path)
    let tokens = try tokens(space)
    for family in Self.families {
      let model = try Checkpoint.load(from: space.file(family))
      let worst = try difference(logits(model, tokens), from: space.file("\(family).logits"))
      #expect(worst < 1e-4, "\(family)")
      #expect(model.conventions.ends == [2, 0])
      try Checkpoint.save(model, to: space.file("\(family).saved"))
    }
    try python("check", space.path)
  }

  @Test(
    .enabled(
      if: FilePeerTests.published != nil && Python.has("transformers") && Python.has("gguf, accelerate"),
      "LEMMA_GGUF names no file, or there is no transformers with gguf and accelerate"))
  func aPublishedModelHasTheTokensAndLogitsOfTransformers() throws {
    let space = TestSpace()
    let text = "<|im_start|>user\nTom has 12 apples.\n\nIt's 2024, naïve — 日本?<|im_end|>\n<|im_start|>assistant\n"
    try space.write("text", text)
    let path = try #require(FilePeerTests.published)
    try python("gguf", space.path, path)
    let model = try Checkpoint.load(from: path)
    let tokens = try tokens(space)
    #expect(model.tokenizer.encode(text, allowingSpecial: true, addingSpecial: true) == tokens)
    #expect(try difference(logits(model, tokens), from: space.file("logits")) < 5e-3)
  }
}
