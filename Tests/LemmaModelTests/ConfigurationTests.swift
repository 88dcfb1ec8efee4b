import LemmaBasics
import Testing

@testable import LemmaModel

@Suite struct ConfigurationTests {
  static let model: JSON = [
    "vocab_size": 512, "hidden_size": 128, "intermediate_size": 352, "num_hidden_layers": 5,
    "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 256,
  ]

  private func with(_ json: JSON, _ key: String, _ value: JSON?) -> JSON {
    var members = json.object ?? [:]
    members[key] = value
    return .object(members)
  }

  /// The codes of what is thrown.
  private func codes(_ body: () throws -> Void) -> [String] {
    do {
      try body()
      return []
    } catch let failures as Failures {
      return failures.all.map(\.code)
    } catch let failure as Failure {
      return [failure.code]
    } catch {
      return ["\(error)"]
    }
  }

  @Test func aModelIsReadFromItsDeclaration() throws {
    let model = try ModelConfiguration(json: Self.model, file: "m.json")
    #expect(model.hiddenSize == 128 && model.headSize == 32 && model.keyValueHeads == 2 && model.contextLength == 256)
    #expect(model.ropeBase == 10_000 && model.normEpsilon == 1e-5)
    #expect(model.parameterCount == 512 * 128 + 5 * (256 * 128 + 128 * 128 + 3 * 352 * 128 + 2 * 128) + 128)
    let full = try ModelConfiguration(json: with(Self.model, "num_key_value_heads", nil), file: "m.json")
    #expect(full.keyValueHeads == 4)
  }

  @Test func everyMistakeInAModelIsTold() {
    let wrong = with(with(with(Self.model, "hidden_sise", 3), "vocab_size", nil), "num_hidden_layers", "five")
    #expect(
      codes { _ = try ModelConfiguration(json: wrong, file: "m.json") } == ["missing-key", "type", "unknown-key"])
    #expect(codes { _ = try ModelConfiguration(json: [], file: "m.json") } == ["type"])
  }

  @Test(
    arguments: [
      ("hidden_size", 0), ("head_dim", 3), ("head_dim", 512), ("num_key_value_heads", 3), ("vocab_size", 2_000_000),
      ("max_position_embeddings", 1), ("max_position_embeddings", 2_000_000), ("rope_theta", 0), ("rms_norm_eps", 0),
      ("initializer_range", 0), ("num_hidden_layers", -1),
    ] as [(String, JSON)])
  func aShapeThatNoModelHasIsRefused(_ key: String, _ value: JSON) {
    #expect(codes { _ = try ModelConfiguration(json: with(Self.model, key, value), file: "m") } == ["model-shape"])
  }

  @Test func aTrainingIsReadFromItsDeclaration() throws {
    let training = try TrainingConfiguration(
      json: ["steps": 70, "batch_size": 8, "learning_rate": 0.001, "seed": 5, "weight_decay": 0], file: "t.json")
    #expect(training.duration == .steps(70) && training.batchSize == 8 && training.learningRate == 0.001)
    #expect(training.seed == 5 && training.weightDecay == 0 && training.contextLength == 128)
    #expect(try TrainingConfiguration(json: [:], file: "t") == TrainingConfiguration())
    #expect(try TrainingConfiguration(json: ["epochs": 2], file: "t").duration == .epochs(2))
  }

  @Test(
    arguments: [
      ["epochs": 1, "steps": 2], ["epochs": 0], ["steps": -1], ["batch_size": 0], ["context_length": 1],
      ["learning_rate": 0], ["learning_rate": -1], ["warmup": 1.5], ["floor": -0.1], ["beta1": 1], ["beta2": 1],
      ["beta1": 0.99999999],
      ["dropout": 0.99999999], ["tokens": 1_125_899_906_842_624],
      ["epsilon": 0], ["clip": 0], ["weight_decay": -1], ["seed": -1],
      ["batch_size": 60_000, "context_length": 16_000],
    ] as [JSON])
  func aTrainingThatMakesNoSenseIsRefused(_ json: JSON) {
    #expect(codes { _ = try TrainingConfiguration(json: json, file: "t.json") } == ["training"])
  }

  @Test func anUnknownKeyIsAnsweredWithTheOneThatWasMeant() {
    do {
      _ = try TrainingConfiguration(json: ["learning_rat": 1], file: "t.json")
      Issue.record("the key was taken")
    } catch {
      #expect("\(error)".contains("did you mean 'learning_rate'?"))
    }
  }

  @Test func theLearningRateRisesInALineAndFallsAlongACosine() {
    var training = TrainingConfiguration()
    (training.learningRate, training.warmup, training.floor) = (1, 0.1, 0.2)
    let rates = (0..<101).map { training.learningRate(step: $0, of: 101) }
    #expect(abs(rates[0] - 1 / 11.0) < 1e-12 && rates[10] == 1)
    #expect(zip(rates, rates.dropFirst()).prefix(10).allSatisfy { $0 < $1 })
    #expect(zip(rates.dropFirst(11), rates.dropFirst(12)).allSatisfy { $0 > $1 })
    #expect(rates[11] == 1 && abs(rates[100] - 0.2) < 1e-12)
    training.warmup = 0
    #expect(training.learningRate(step: 0, of: 1) == 1)
  }
}
