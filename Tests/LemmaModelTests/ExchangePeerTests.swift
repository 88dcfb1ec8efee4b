import LemmaBasics
import LemmaTestSupport
import Testing

@testable import LemmaModel

/// Model folders from and to `transformers`, where Python has it: the same logits within the rounding of float32.
@Suite struct ExchangePeerTests {
  static let families = ["llama", "biased", "stretched", "mistral", "qwen2", "gpt2"]

  private func python(_ command: String, _ folder: String) throws {
    let script = "\(Files.parent(Files.parent(#filePath)))/Peers/exchange_models.py"
    let (status, output) = try Python.run([script, command, folder])
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

  @Test(.enabled(if: Python.has("torch") && Python.has("transformers"), "python3 cannot import transformers"))
  func whatTransformersSavedOpensHereAndTheOtherWayRound() throws {
    let space = TestSpace()
    try python("make", space.path)
    let file = space.file("tokens.json")
    let tokens = try #require(JSON(parsing: Files.read(file), file: file).array).map { Int32($0.int ?? -1) }
    for family in Self.families {
      let model = try Checkpoint.load(from: space.file(family))
      let found = try logits(model, tokens)
      let expected = try Files.read(space.file("\(family).logits")).withUnsafeBytes {
        Array($0.bindMemory(to: Float.self))
      }
      #expect(found.count == expected.count)
      let worst = zip(found, expected).map { abs($0 - $1) }.max() ?? .infinity
      #expect(worst < 1e-4, "\(family)")
      #expect(model.conventions.ends == [2, 0])
      try Checkpoint.save(model, to: space.file("\(family).saved"))
    }
    try python("check", space.path)
  }
}
