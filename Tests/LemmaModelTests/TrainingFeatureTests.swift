import LemmaBasics
import LemmaTestSupport
import Testing

@testable import LemmaModel

@Suite struct TrainingFeatureTests {
  let space = TestSpace()
  static let examples = reversals(60)

  private func start(_ architecture: ModelConfiguration.Architecture = .llama) throws -> Model {
    let tokenizer = try newModel(Self.examples).tokenizer
    var shape = ModelConfiguration(
      vocabularySize: 300, hiddenSize: 16, intermediateSize: 32, layers: 2, heads: 2, keyValueHeads: 2,
      contextLength: 32)
    shape.architecture = architecture
    shape.initialDeviation = 0.1
    return try Model(configuration: shape, tokenizer: tokenizer, seed: 1)
  }

  private func everything(_ precision: Precision) -> TrainingConfiguration {
    var settings = settings(.steps(6))
    (settings.precision, settings.labelSmoothing, settings.dropout) = (precision, 0.1, 0.2)
    (settings.evaluationInterval, settings.schedule) = (2, .linear)
    return settings
  }

  private func run(
    _ model: Model, _ settings: TrainingConfiguration, threads: Int = 2, saves: TrainingSaves? = nil,
    until steps: Int = .max
  ) throws -> TrainingResult {
    var done = 0
    return try Trainer(model: model, configuration: settings, threads: threads).run(
      examples: Self.examples, heldOut: reversals(9, seed: 7), saves: saves, progress: { _ in done += 1 },
      isCancelled: { done >= steps })
  }

  @Test(arguments: [ModelConfiguration.Architecture.llama, .gpt2], Precision.allCases)
  func howMemoryIsSpentDoesNotShowInTheBits(_ architecture: ModelConfiguration.Architecture, _ p: Precision) throws {
    let model = try start(architecture)
    let expected = try run(model, everything(p))
    for (accumulation, recomputes) in [(2, false), (8, false), (3, true), (1, true)] {
      var settings = everything(p)
      (settings.accumulation, settings.recomputes) = (accumulation, recomputes)
      let found = try run(model, settings, threads: 1)
      #expect(weights(found.model) == weights(expected.model), "\(accumulation) \(recomputes)")
      #expect(found.history == expected.history && found.evaluations == expected.evaluations)
    }
  }

  @Test(arguments: [0, 4], Precision.allCases)
  func aStoppedTrainingGoesOnToTheSameBits(_ rank: Int, _ p: Precision) throws {
    let model = try start()
    var settings = everything(p)
    settings.patience = 3
    if rank > 0 { settings.adapters = AdapterConfiguration(rank: rank, alpha: 8) }
    let expected = try run(model, settings)
    for stop in [1, 2, 3, 5] {
      let saves = TrainingSaves(folder: space.file("saves-\(stop)"), interval: 2)
      try Files.makeFolder(saves.folder)
      #expect(throws: CancellationError.self) { try run(model, settings, saves: saves, until: stop) }
      #expect(try Files.list(saves.folder).count == (stop < 2 ? 0 : 2))
      let found = try run(model, settings, threads: 1, saves: saves)
      #expect(weights(found.model) == weights(expected.model), "\(stop)")
      #expect(found.history == expected.history && found.evaluations == expected.evaluations)
    }
  }

  @Test func aStateThatWasAlteredIsNotGoneOnFrom() throws {
    let model = try start()
    let saves = TrainingSaves(folder: space.file("saves"), interval: 2)
    try Files.makeFolder(saves.folder)
    #expect(throws: CancellationError.self) { try run(model, everything(.float32), saves: saves, until: 3) }
    let name = try #require(try Files.list(saves.folder).first { $0.hasSuffix(".safetensors") })
    var bytes = try Files.read("\(saves.folder)/\(name)")
    bytes[bytes.count - 3] ^= 1
    try Files.write(bytes, to: "\(saves.folder)/\(name)")
    var seen: [Int] = []
    let found = try Trainer(model: model, configuration: everything(.float32), threads: 1).run(
      examples: Self.examples, heldOut: reversals(9, seed: 7), saves: saves, progress: { seen.append($0.record.step) })
    #expect(seen == Array(1...6))
    #expect(try weights(found.model) == weights(run(model, everything(.float32)).model))
    for file in try Files.list(saves.folder) { try Files.remove("\(saves.folder)/\(file)") }
    #expect(throws: CancellationError.self) { try run(model, everything(.float32), saves: saves, until: 3) }
    let records = try space.read("saves/newest.json")
    let altered = records.replacing("\"step\":2,\"tokens\":", with: "\"step\":2,\"tokens\":1")
    #expect(altered != records)
    for text in ["", "{", "{\"step\":4,\"file\":\"../x\",\"history\":[],\"evaluations\":[]}", altered] {
      try Files.write(Array(text.utf8), to: "\(saves.folder)/newest.json")
      #expect(try run(model, everything(.float32), saves: saves).history.count == 6)
    }
  }

  @Test func whatAKillLeftOfAStateIsRemovedWithTheNextOne() throws {
    let saves = TrainingSaves(folder: space.file("saves"), interval: 2)
    try Files.makeFolder(saves.folder)
    for name in ["state.safetensors", "state.safetensors.tmp-1-1", "newest.json.tmp-1-2"] {
      try Files.write([1, 2, 3], to: "\(saves.folder)/\(name)")
    }
    #expect(throws: CancellationError.self) { try run(start(), everything(.float32), saves: saves, until: 3) }
    let names = try Files.list(saves.folder)
    #expect(names.count == 2 && names.contains("newest.json") && !names.contains("state.safetensors"))
  }

  @Test func adaptersChangeOnlyTheMatricesOfLayersAndLearn() throws {
    let model = try start()
    var settings = settings(.steps(80), rate: 2e-2)
    settings.adapters = AdapterConfiguration(rank: 4, alpha: 8)
    let before = weights(model)
    let result = try run(model, settings)
    #expect(weights(model) == before)
    let layout = model.parameters.layout
    let (old, new) = (model.parameters.values.pointer, result.model.parameters.values.pointer)
    let first = layout.layers[0].attention
    #expect((0..<first).allSatisfy { old[$0] == new[$0] })
    #expect((layout.matrixCount..<layout.count).allSatisfy { old[$0] == new[$0] })
    #expect((first..<layout.matrixCount).count { old[$0] != new[$0] } > (layout.matrixCount - first) * 9 / 10)
    let (start, end) = (result.history[0].loss, result.history[79].loss)
    #expect(end < 0.8 * start, "\(start) to \(end)")
    // Each change is a product of rank 4: in a matrix of 16 columns, five rows are linearly dependent.
    let delta = (0..<16 * 16).map {
      Double(new[layout.layers[1].output + $0]) - Double(old[layout.layers[1].output + $0])
    }
    #expect(rank(delta, columns: 16) == 4)
  }

  /// By elimination with full pivoting.
  private func rank(_ matrix: [Double], columns: Int) -> Int {
    var rows = stride(from: 0, to: matrix.count, by: columns).map { Array(matrix[$0..<$0 + columns]) }
    let scale = matrix.map(abs).max() ?? 0
    var rank = 0
    while rank < rows.count {
      let places = (rank..<rows.count).flatMap { r in (rank..<columns).map { (r, $0) } }
      guard let (r, c) = places.max(by: { abs(rows[$0.0][$0.1]) < abs(rows[$1.0][$1.1]) }),
        abs(rows[r][c]) > 1e-5 * scale
      else { return rank }
      rows.swapAt(rank, r)
      for index in rows.indices { rows[index].swapAt(rank, c) }
      for other in rank + 1..<rows.count {
        let factor = rows[other][rank] / rows[rank][rank]
        for index in rank..<columns { rows[other][index] -= factor * rows[rank][index] }
      }
      rank += 1
    }
    return rank
  }

  @Test func trainingStopsWhenTheHeldOutLossNoLongerFallsAndGoesBackToTheBest() throws {
    // Answers that say nothing of each other: the held-out loss can only rise after a while.
    let examples = reversals(12).map {
      Example(prompt: $0.prompt, response: String($0.response.utf8.reduce(0) { $0 &* 31 &+ Int($1) } % 7))
    }
    let other = reversals(12, seed: 3).map { Example(prompt: $0.prompt, response: $0.prompt) }
    var settings = settings(.steps(300), rate: 2e-2)
    (settings.evaluationInterval, settings.patience) = (5, 3)
    let result = try Trainer(model: start(), configuration: settings, threads: 2).run(
      examples: examples, heldOut: other)
    #expect(result.history.count < 300)
    let best = try #require(result.evaluations.min { $0.loss < $1.loss })
    #expect(result.step == best.step && result.step == result.history.count - 15)
    // The weights are those of that step.
    settings.duration = .steps(300)
    settings.patience = 0
    var weightsThen: [UInt8] = []
    let trainer = try Trainer(model: start(), configuration: settings, threads: 1)
    var step = 0
    let saves = TrainingSaves(folder: space.file("then"), interval: best.step)
    try Files.makeFolder(saves.folder)
    #expect(throws: CancellationError.self) {
      try trainer.run(
        examples: examples, heldOut: other, saves: saves, progress: { step = $0.record.step },
        isCancelled: { step == best.step })
    }
    let name = try #require(try Files.list(saves.folder).first { $0.hasSuffix(".safetensors") })
    let file = try SafetensorsFile(MappedFile("\(saves.folder)/\(name)"))
    weightsThen = try file.values(of: "values").withUnsafeBytes(Array.init)
    #expect(weights(result.model) == weightsThen)
  }

  @Test func aHeldOutLossThatIsNoNumberEndsTheTraining() throws {
    let tokenizer = try start().tokenizer
    var shape = ModelConfiguration(
      vocabularySize: tokenizer.vocabularySize, hiddenSize: 16, intermediateSize: 32, layers: 1, heads: 2,
      keyValueHeads: 2, contextLength: 64)
    shape.architecture = .gpt2
    let model = try Model(configuration: shape, tokenizer: tokenizer, seed: 1)
    // Only a text of more than 20 tokens comes to that position.
    let positions = try #require(model.parameters.layout.tensors.first { $0.name.contains("wpe") })
    model.parameters.values.pointer[positions.offset + 20 * 16] = .nan
    let long = Example(prompt: String(repeating: "a b c > ", count: 7), response: "c")
    var settings = settings(.steps(4))
    (settings.contextLength, settings.evaluationInterval, settings.patience) = (64, 2, 2)
    let failure = #expect(throws: Failure.self) {
      try Trainer(model: model, configuration: settings, threads: 1).run(examples: reversals(8), heldOut: [long])
    }
    #expect(failure?.code == "loss-not-finite" && failure?.message.contains("held-out") == true)
  }

  @Test func aShapeWithoutAFormInBfloat16IsRefused() throws {
    let tokenizer = try start().tokenizer
    let shape = ModelConfiguration(
      vocabularySize: tokenizer.vocabularySize, hiddenSize: 16, intermediateSize: 33, layers: 1, heads: 2,
      keyValueHeads: 2, contextLength: 64)
    let model = try Model(configuration: shape, tokenizer: tokenizer, seed: 1)
    var settings = settings(.steps(1))
    settings.precision = .bfloat16
    let training = #expect(throws: Failure.self) { try Trainer(model: model, configuration: settings, threads: 1) }
    let decoding = #expect(throws: Failure.self) { try Decoder(model: model, precision: .bfloat16, threads: 1) }
    for failure in [training, decoding] { #expect(failure?.message.contains("intermediate_size must be even") == true) }
    #expect(throws: Never.self) { try Decoder(model: model, precision: .float32, threads: 1) }
  }

  @Test func promptsAreLearntWhereThatIsAskedFor() throws {
    let examples = (0..<40).map { Example(prompt: "a b c >", response: " \($0 % 2)") }
    var settings = settings(.steps(60))
    settings.learnsPrompts = true
    let learnt = try train(newModel(examples), examples, settings)
    #expect((learnt.history.last?.loss ?? 9) < 0.3)
  }

  @Test func whatATrainingNeedsOfMemoryIsKnownBefore() throws {
    let model = try start()
    func need(_ change: (inout TrainingConfiguration) -> Void) throws -> MemoryNeed {
      var settings = settings(.steps(1))
      change(&settings)
      return try Trainer(model: model, configuration: settings, threads: 1).memoryNeed(examples: Self.examples)
    }
    let plain = try need { _ in }
    #expect(plain.weights == 2 * 4 * model.configuration.parameterCount)
    #expect(plain.optimiser == plain.weights && plain.gradients * 2 == plain.weights)
    #expect(plain.total == plain.weights + plain.gradients + plain.optimiser + plain.activations)
    #expect(try need { $0.precision = .bfloat16 }.activations < plain.activations)
    #expect(try need { $0.accumulation = 4 }.activations < plain.activations)
    #expect(try need { $0.recomputes = true }.activations < plain.activations)
    #expect(try need { $0.adapters = .init(rank: 2, alpha: 4) }.optimiser < plain.optimiser)
    #expect(throws: Never.self) { try plain.check(held: 0, available: plain.total) }
    #expect {
      try plain.check(held: 0, available: plain.total - 1)
    } throws: {
      ($0 as? Failure)?.code == "memory" && "\($0)".contains("MiB")
    }
  }

  @Test func tooLittleMemoryIsAFailureAndNotAKill() throws {
    var shape = ModelConfiguration(
      vocabularySize: 300, hiddenSize: 16, intermediateSize: 32, layers: 1000, heads: 2, keyValueHeads: 2,
      contextLength: 16_384)
    shape.initialDeviation = 0.1
    let model = try Model(configuration: shape, tokenizer: start().tokenizer, seed: 1)
    var settings = settings(.steps(1))
    (settings.batchSize, settings.contextLength) = (1024, 16_384)
    let long = Example(prompt: "", response: String(repeating: "a b ", count: 3000))
    let examples = [Example](repeating: long, count: 2000)
    #expect {
      try Trainer(model: model, configuration: settings, threads: 1).run(examples: examples)
    } throws: {
      ($0 as? Failure)?.code == "memory"
    }
  }
}
