import LemmaBasics
import LemmaTestSupport
import Testing

@testable import LemmaModel

@Suite struct DecoderTests {
  /// A model that has learnt enough to give answers of different lengths.
  static let model: Result<Model, any Error> = Result {
    let examples = reversals(100)
    return try train(newModel(examples, hidden: 32), examples, settings(.steps(100))).model
  }

  static let prompts = reversals(30, seed: 5).map(\.prompt) + ["a", "", "d d d d d d d >", "zzz 99"]

  private func answers(
    _ prompts: [String] = prompts, precision: Precision = .float32, threads: Int = 1, batch: Int = 64,
    path: KernelPath = .best, limit: Int = 12
  ) throws -> [Completion] {
    try Decoder(model: Self.model.get(), precision: precision, threads: threads, path: path)
      .generate(prompts: prompts, maxNewTokens: limit, batch: batch)
  }

  @Test(arguments: Precision.allCases) func anAnswerDependsOnItsPromptAlone(_ precision: Precision) throws {
    func answers(
      _ prompts: [String] = Self.prompts, threads: Int = 1, batch: Int = 64, path: KernelPath = .best
    ) throws -> [Completion] {
      try self.answers(prompts, precision: precision, threads: threads, batch: batch, path: path)
    }
    let expected = try Self.prompts.map { try answers([$0], path: .scalar)[0] }
    #expect(Set(expected.map(\.tokens)).count > 10)
    for path in KernelPath.allCases where path.isSupported {
      for (threads, batch) in [(1, 1), (2, 3), (3, 64), (1, 7)] {
        #expect(try answers(threads: threads, batch: batch, path: path) == expected, "\(path) \(threads) \(batch)")
      }
    }
    #expect(try answers(Self.prompts.reversed(), batch: 5) == expected.reversed())
  }

  @Test(arguments: tinyModels, Precision.allCases)
  func cachedLogitsAreTheBitsOfTheTrainingPass(_ shape: ModelConfiguration, _ precision: Precision) throws {
    var generator = SeededGenerator(seed: 2)
    let tokens = (0..<25).map { _ in Int32.random(in: 0..<23, using: &generator) }
    let tokenizer = try Tokenizer.train(texts: [], vocabularySize: Tokenizer.leastVocabularySize)
    let model = Model(configuration: shape, tokenizer: tokenizer, parameters: try scattered(shape, seed: 6))
    let pool = try KernelPool(threads: 2, path: .best, precision: precision)
    var batch = TokenBatch()
    batch.append((tokens + [0])[...], responseStart: 0)
    let network = try Network(
      NetworkShape(model: shape, precision: precision, tokens: 32, stepTokens: 32), parameters: model.parameters,
      pool: pool)
    let expected = network.allLogits(batch)
    let cached = try CachedNetwork(model: model, slots: 3, capacity: 32, rowLimit: 32, pool: pool)
    let width = shape.vocabularySize
    // Four at once, then one by one, in a slot that is not the first.
    var position = 0
    for portion in [4] + Array(repeating: 1, count: tokens.count - 4) {
      _ = cached.step(
        (position..<position + portion).map {
          DecodingRow(
            token: tokens[$0], slot: 2, position: Int32($0), isAsked: $0 == position + portion - 1)
        })
      position += portion
      #expect(cached.lastLogits(1) == Array(expected[(position - 1) * width..<position * width]))
    }
  }

  @Test func everyAnswerSaysWhyItEnded() throws {
    let model = try Self.model.get()
    let full = String(repeating: "9", count: 32)
    let found = try answers(["a b c >", "9", full, full + "9"], limit: 2)
    #expect(found[0].finish == .length && found[0].tokens.count == 2)
    #expect(found[2].tokens.count <= 1)
    #expect(found[3] == Completion(text: "", tokens: [], finish: .contextFull))
    let long = try answers(["9 9 9"], limit: 1000)[0]
    #expect(long.finish != .length && long.tokens.count < model.configuration.contextLength)
  }

  @Test func theTextIsThatOfTheTokensWithoutTheEnd() throws {
    let model = try Self.model.get()
    for answer in try answers() {
      #expect(answer.text == model.tokenizer.decode(answer.tokens))
      #expect(!answer.tokens.contains(model.tokenizer.endOfText))
    }
  }

  @Test func weightsThatAreNotNumbersEndInNoAnswer() throws {
    let model = try newModel(reversals(10))
    model.parameters.values.pointer[model.parameters.layout.finalNorm.gain] = .nan
    let answers = try Decoder(model: model, threads: 1).generate(prompts: ["a"], maxNewTokens: 3)
    #expect(answers == [Completion(text: "", tokens: [], finish: .notFinite)])
  }

  @Test func progressCountsToTheEndAndDecodingCanBeCancelled() throws {
    let decoder = try Decoder(model: Self.model.get(), threads: 1)
    var told: [DecodingProgress] = []
    _ = try decoder.generate(prompts: Self.prompts, maxNewTokens: 5, batch: 8, progress: { told.append($0) })
    #expect(told.last?.finished == Self.prompts.count && told.last?.prompts == Self.prompts.count)
    #expect(zip(told, told.dropFirst()).allSatisfy { $0.finished <= $1.finished && $0.tokens < $1.tokens })
    #expect(throws: CancellationError.self) {
      try decoder.generate(prompts: Self.prompts, maxNewTokens: 5, isCancelled: { true })
    }
  }

  @Test func noPromptsGiveNoAnswersAndNonsenseIsRefused() throws {
    #expect(try answers([]).isEmpty)
    #expect(throws: Failure.self) { try answers(limit: 0) }
    #expect(throws: Failure.self) { try answers(batch: 0) }
    #expect(throws: Failure.self) { try answers(threads: 0) }
  }
}
