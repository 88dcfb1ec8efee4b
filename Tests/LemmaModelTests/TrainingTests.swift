import LemmaBasics
import LemmaTestSupport
import Testing

@testable import LemmaModel

/// Words to be said again backwards: small enough to learn in a second.
func reversals(_ count: Int, seed: UInt64 = 1) -> [Example] {
  var generator = SeededGenerator(seed: seed)
  return (0..<count).map { _ in
    let word = (0..<3).map { _ in ["a", "b", "c", "d"][Int.random(in: 0..<4, using: &generator)] }
    return Example(prompt: word.joined(separator: " ") + " >", response: word.reversed().joined(separator: " "))
  }
}

func newModel(_ examples: [Example], hidden: Int = 16, layers: Int = 1, seed: UInt64 = 1) throws -> Model {
  let tokenizer = try Tokenizer.train(
    texts: examples.flatMap { [$0.prompt, $0.response] }, vocabularySize: 300)
  var shape = ModelConfiguration(
    vocabularySize: 300, hiddenSize: hidden, intermediateSize: 2 * hidden, layers: layers, heads: 2, keyValueHeads: 1,
    contextLength: 32)
  shape.initialDeviation = 0.1
  return try Model(configuration: shape, tokenizer: tokenizer, seed: seed)
}

func settings(_ duration: TrainingConfiguration.Duration, rate: Double = 1e-2) -> TrainingConfiguration {
  var settings = TrainingConfiguration()
  settings.duration = duration
  (settings.batchSize, settings.contextLength, settings.learningRate) = (8, 32, rate)
  return settings
}

func train(
  _ model: Model, _ examples: [Example], _ settings: TrainingConfiguration, threads: Int = 1, path: KernelPath = .best
) throws -> TrainingResult {
  try Trainer(model: model, configuration: settings, threads: threads, path: path).run(examples: examples)
}

func weights(_ model: Model) -> [UInt8] { Array(model.parameters.values.bytes) }

@Suite struct TrainingTests {
  @Test func aTrainedModelHasLearntItsTask() throws {
    let examples = reversals(200)
    let model = try newModel(examples, hidden: 32, layers: 2)
    let result = try train(model, examples, settings(.steps(150), rate: 5e-3), threads: 2)
    #expect((result.history.first?.loss ?? 0) > 3)
    #expect((result.history.last?.loss ?? 9) < 0.1)
    let answers = try Decoder(model: result.model, threads: 2).generate(
      prompts: examples.map(\.prompt), maxNewTokens: 10)
    let right = zip(answers, examples).count { $0.text == $1.response && $0.finish == .endOfText }
    #expect(right >= 190)
  }

  @Test(arguments: Precision.allCases) func theBitsDependNeitherOnThreadsNorOnThePath(_ p: Precision) throws {
    let examples = reversals(40)
    let model = try newModel(examples)
    var settings = settings(.steps(4))
    settings.precision = p
    let expected = try train(model, examples, settings, threads: 1, path: .scalar)
    for path in KernelPath.allCases where path.isSupported {
      for threads in [1, 2, 3, 8] {
        let found = try train(model, examples, settings, threads: threads, path: path)
        #expect(weights(found.model) == weights(expected.model), "\(path) \(threads)")
        #expect(found.history == expected.history)
      }
    }
  }

  /// Whoever changes these bits changes what every cached model and answer was: see docs/numerics.md.
  @Test(
    arguments: [(Precision.float32, 8_720_002_835_182_960_725), (.bfloat16, 9_786_653_299_954_328_320)]
      as [(Precision, UInt64)])
  func theBitsAreThoseOfTheNumericsClass(_ precision: Precision, _ pinned: UInt64) throws {
    let examples = reversals(40)
    var settings = settings(.steps(8))
    settings.precision = precision
    let result = try train(newModel(examples), examples, settings, threads: 2)
    let decoder = try Decoder(model: result.model, precision: precision, threads: 1)
    let answers = try decoder.generate(prompts: ["a b c >", "d"], maxNewTokens: 6)
    let bytes =
      weights(result.model) + result.history.flatMap { Array($0.json.canonicalBytes) }
      + answers.flatMap { $0.tokens.map { UInt8(truncatingIfNeeded: $0) } }
    // FNV-1a.
    let digest = bytes.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    #expect(numericsClass == "f32-fma-2 bf16-fma-1")
    #expect(
      digest == pinned,
      "the bits changed: give `numericsClass` a new name, and pin the new digest here")
  }

  @Test func seedsDecideWeightsAndOrder() throws {
    let examples = reversals(60)
    let model = try newModel(examples)
    #expect(try weights(newModel(examples)) == weights(model))
    #expect(try weights(newModel(examples, seed: 2)) != weights(model))
    var other = settings(.steps(3))
    other.seed = 1
    let (a, b) = (try train(model, examples, settings(.steps(3))), try train(model, examples, other))
    #expect(weights(a.model) != weights(b.model))
  }

  @Test func aSecondStageStartsFromItsParentAndLeavesItAlone() throws {
    let examples = reversals(40)
    let parent = try train(newModel(examples), examples, settings(.steps(30))).model
    let before = weights(parent)
    let result = try train(parent, examples, settings(.steps(5), rate: 1e-3))
    #expect(weights(parent) == before && weights(result.model) != before)
    #expect((result.history.first?.loss ?? 9) < 3)
  }

  @Test func theHistoryTellsEveryStep() throws {
    let examples = reversals(30)
    var told: [TrainingProgress] = []
    let settings = settings(.epochs(2))
    let result = try Trainer(model: newModel(examples), configuration: settings, threads: 1)
      .run(examples: examples, progress: { told.append($0) })
    #expect(result.history == told.map(\.record))
    #expect(result.history.map(\.step) == Array(1...told.count))
    #expect(told.allSatisfy { $0.steps == told.count && $0.tokensPerSecond > 0 })
    #expect(result.history.map(\.learningRate) == told.indices.map { settings.learningRate(step: $0, of: told.count) })
    #expect(result.history.allSatisfy { $0.gradientNorm > 0 })
    let perEpoch = result.tokens / 2
    #expect(result.tokens == 2 * perEpoch && result.examples == 30)
    #expect(result.history[0].json.canonical.hasPrefix("{\"gradient_norm\":"))
  }

  @Test func theLossLooksAtResponsesAlone() throws {
    // Random prompts cannot be learnt, but the one response can.
    let examples = reversals(100).map { Example(prompt: $0.prompt, response: " yes") }
    let result = try train(newModel(examples), examples, settings(.steps(120)))
    #expect((result.history.last?.loss ?? 9) < 0.05)
  }

  @Test func weightsDecayAndGainsDoNot() throws {
    let examples = reversals(20)
    let model = try newModel(examples)
    var still = settings(.steps(1), rate: 1e-3)
    still.weightDecay = 0
    var decaying = still
    decaying.weightDecay = 10
    let (a, b) = (try train(model, examples, still).model, try train(model, examples, decaying).model)
    let matrices = a.parameters.layout.matrixCount
    let (x, y) = (a.parameters.values.pointer, b.parameters.values.pointer)
    #expect((0..<matrices).count { x[$0] != y[$0] } > matrices / 2)
    #expect((matrices..<a.parameters.layout.count).allSatisfy { x[$0] == y[$0] })
  }

  @Test func examplesThatDoNotFitAreCounted() throws {
    let long = Example(prompt: String(repeating: "q", count: 100), response: "a")
    let examples = reversals(10) + [long, Example(prompt: "", response: ""), long]
    let result = try train(newModel(reversals(10)), examples, settings(.steps(1)))
    #expect(result.examples == 10 && result.tooLong == 2 && result.empty == 1)
  }

  @Test func noExampleToTrainOnIsAFailure() throws {
    let model = try newModel(reversals(10))
    for examples in [[], [Example(prompt: "", response: "")]] {
      #expect { try train(model, examples, settings(.steps(1))) } throws: {
        ($0 as? Failure)?.code == "no-examples"
      }
    }
  }

  @Test func aLossThatIsNotFiniteIsAFailureWithItsStep() throws {
    let examples = reversals(10)
    let model = try newModel(examples)
    model.parameters.values.pointer[0] = .infinity
    #expect { try train(model, examples, settings(.steps(3))) } throws: {
      ($0 as? Failure)?.code == "loss-not-finite" && "\($0)".contains("step 1")
    }
  }

  @Test func aTrainingCanBeCancelledBetweenSteps() throws {
    let examples = reversals(10)
    var steps = 0
    #expect(throws: CancellationError.self) {
      _ = try Trainer(model: newModel(examples), configuration: settings(.steps(100)), threads: 1)
        .run(examples: examples, progress: { _ in steps += 1 }, isCancelled: { steps == 2 })
    }
    #expect(steps == 2)
  }

  @Test func whatTheTrainerCannotDoIsRefused() throws {
    let model = try newModel(reversals(10))
    var wide = settings(.steps(1))
    wide.contextLength = 33
    #expect(throws: Failure.self) { try Trainer(model: model, configuration: wide, threads: 1) }
    for threads in [0, 257] {
      #expect(throws: Failure.self) {
        try Trainer(model: model, configuration: settings(.steps(1)), threads: threads)
      }
    }
  }
}
