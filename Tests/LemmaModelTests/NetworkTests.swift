import LemmaBasics
import LemmaTestSupport
import Testing

@testable import LemmaModel

/// A tiny decoder whose widths are all different and none a multiple of a lane group.
func tinyModel(vocabulary: Int = 23) -> ModelConfiguration {
  var model = ModelConfiguration(
    vocabularySize: vocabulary, hiddenSize: 12, intermediateSize: 20, layers: 2, heads: 4, keyValueHeads: 2,
    headSize: 6, contextLength: 40)
  model.initialDeviation = 0.4
  return model
}

/// The same in every other form: biases, an output projection of its own, learned positions.
let tinyModels: [ModelConfiguration] = {
  var biased = tinyModel()
  (biased.attentionBias, biased.feedForwardBias, biased.tiesEmbeddings) = (true, true, false)
  var qwen = tinyModel()
  qwen.architecture = .qwen2
  var gpt2 = tinyModel()
  gpt2.architecture = .gpt2
  (gpt2.keyValueHeads, gpt2.heads) = (2, 2)
  return [tinyModel(), biased, qwen, gpt2]
}()

extension ModelConfiguration: CustomTestStringConvertible {
  public var testDescription: String { "\(architecture.rawValue)\(tiesEmbeddings ? "" : ", untied, biased")" }
}

/// Parameters none of which is 0 or 1, so that each shows in the loss.
func scattered(_ model: ModelConfiguration, seed: UInt64) throws -> Parameters {
  let parameters = try Parameters(model, seed: seed)
  var generator = SeededGenerator(seed: seed)
  for index in parameters.layout.matrixCount..<parameters.layout.count {
    parameters.values.pointer[index] += Float.random(in: -0.3..<0.3, using: &generator)
  }
  return parameters
}

@Suite struct NetworkTests {
  static let documents: [(tokens: [Int32], responseStart: Int)] = [
    ([3, 1, 4, 1, 5, 9, 2, 6], 4), ([5, 3, 5, 8, 22, 0], 0), ([7, 7], 1),
  ]

  static var batch: TokenBatch {
    var batch = TokenBatch()
    for document in documents { batch.append(document.tokens[...], responseStart: document.responseStart) }
    return batch
  }

  private func network(
    _ model: ModelConfiguration, _ parameters: Parameters, _ precision: Precision = .float32,
    path: KernelPath = .best, threads: Int = 1, tokens: Int = 16, recomputes: Bool = false, hasDropout: Bool = false
  ) throws -> Network {
    try Network(
      NetworkShape(
        model: model, precision: precision, tokens: tokens, stepTokens: 16, recomputes: recomputes,
        hasDropout: hasDropout),
      parameters: parameters, pool: KernelPool(threads: threads, path: path, precision: precision))
  }

  private func gradients(_ network: Network, _ loss: Double) -> [UInt8] {
    withUnsafeBytes(of: loss) { Array($0) } + Array(network.gradients.bytes)
  }

  @Test func aBatchLaysDocumentsEndToEndAndMarksTheResponses() {
    let batch = Self.batch
    #expect(batch.tokens == [3, 1, 4, 1, 5, 9, 2, 5, 3, 5, 8, 22, 7])
    #expect(batch.positions == [0, 1, 2, 3, 4, 5, 6, 0, 1, 2, 3, 4, 0])
    #expect(batch.starts == [0, 7, 12, 13])
    #expect(batch.lossRows == [3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
    #expect(batch.targets == [5, 9, 2, 6, 3, 5, 8, 22, 0, 7])
  }

  @Test(arguments: tinyModels) func lossAndLogitsAreThoseOfTheReference(_ model: ModelConfiguration) throws {
    let parameters = try scattered(model, seed: 3)
    let reference = ReferenceDecoder(model, parameters)
    let expected = Self.documents.flatMap { reference.logits($0.tokens.dropLast()).flatMap { $0 } }
    let scale = expected.reduce(0) { max($0, abs($1)) }
    for (precision, tolerance) in [(Precision.float32, 1e-5), (.bfloat16, 1e-1)] {
      let network = try network(model, parameters, precision)
      let loss = network.evaluate(Self.batch).reduce(0, +) / Double(Self.batch.lossRows.count)
      #expect(abs(loss - reference.loss(Self.documents)) < tolerance)
      let worst = zip(network.allLogits(Self.batch), expected).map { abs(Double($0) - $1) }.max() ?? .nan
      #expect(worst < tolerance * max(1, scale))
    }
  }

  /// Central differences of the reference in double, over every gain and bias and every 13th other weight.
  @Test(arguments: tinyModels) func gradientsAreTheSlopesOfTheReference(_ model: ModelConfiguration) throws {
    let parameters = try scattered(model, seed: 4)
    var reference = ReferenceDecoder(model, parameters)
    let layout = parameters.layout
    let (exact, narrow) = (try network(model, parameters), try network(model, parameters, .bfloat16))
    _ = exact.step([Self.batch])
    _ = narrow.step([Self.batch])
    let step = 1e-5
    var (worst, worstNarrow, greatest) = (0.0, 0.0, 0.0)
    for index in 0..<layout.count where index >= layout.matrixCount || index % 13 == 0 {
      let kept = reference.weights[index]
      reference.weights[index] = kept + step
      let above = reference.loss(Self.documents)
      reference.weights[index] = kept - step
      let below = reference.loss(Self.documents)
      reference.weights[index] = kept
      let slope = (above - below) / (2 * step)
      worst = max(worst, abs(slope - Double(exact.gradients.pointer[index])))
      worstNarrow = max(worstNarrow, abs(slope - Double(narrow.gradients.pointer[index])))
      greatest = max(greatest, abs(slope))
    }
    #expect(greatest > 0.1)
    #expect(worst < 2e-5 * max(1, greatest))
    #expect(worstNarrow < 5e-2 * max(1, greatest))
  }

  @Test(arguments: tinyModels, Precision.allCases)
  func lossAndGradientsAreTheSameBitsEverywhere(_ model: ModelConfiguration, _ precision: Precision) throws {
    let parameters = try scattered(model, seed: 5)
    func run(_ path: KernelPath, _ threads: Int) throws -> [UInt8] {
      let network = try network(model, parameters, precision, path: path, threads: threads)
      return gradients(network, network.step([Self.batch]))
    }
    let expected = try run(.scalar, 1)
    for path in KernelPath.allCases where path.isSupported {
      for threads in [1, 2, 3, 8] { #expect(try run(path, threads) == expected, "\(path) \(threads)") }
    }
  }

  /// A step may be cut into batches at any document, and layers run again in place of being kept.
  @Test(arguments: tinyModels, Precision.allCases)
  func neitherBatchesNorRecomputationShowInTheBits(_ model: ModelConfiguration, _ precision: Precision) throws {
    let parameters = try scattered(model, seed: 8)
    let rule = Network.Dropout(share: 0.3, seed: 9, step: 4)
    for dropout in [nil, rule] {
      func run(_ batches: [TokenBatch], recomputes: Bool = false) throws -> [UInt8] {
        let network = try network(
          model, parameters, precision, tokens: batches.map(\.count).max() ?? 0, recomputes: recomputes,
          hasDropout: dropout != nil)
        return gradients(network, network.step(batches, smoothing: 0.1, dropout: dropout))
      }
      let expected = try run([Self.batch])
      let single = Self.documents.map { document in
        var batch = TokenBatch()
        batch.append(document.tokens[...], responseStart: document.responseStart)
        return batch
      }
      var last = TokenBatch()
      for document in Self.documents[1...] {
        last.append(document.tokens[...], responseStart: document.responseStart)
      }
      #expect(try run(single) == expected)
      #expect(try run([single[0], last]) == expected)
      #expect(try run([Self.batch], recomputes: true) == expected)
      #expect(try run(single, recomputes: true) == expected)
      if dropout != nil { #expect(try gradients(network(model, parameters, precision), 0) != expected) }
    }
  }

  @Test func aStepWithNothingToPredictHasNoGradient() throws {
    var batch = TokenBatch()
    batch.append([1, 2, 3], responseStart: 9)
    let network = try network(tinyModel(), scattered(tinyModel(), seed: 1))
    #expect(network.step([batch]) == 0)
    #expect((0..<network.gradients.count).allSatisfy { network.gradients.pointer[$0] == 0 })
  }

  @Test func aVocabularyWiderThanAChunkOfRowsGivesTheSameLoss() throws {
    // 1200 loss rows make more than one chunk of logits.
    var generator = SeededGenerator(seed: 6)
    let documents = (0..<40).map { _ in
      (tokens: (0..<31).map { _ in Int32.random(in: 0..<23, using: &generator) }, responseStart: 0)
    }
    var batch = TokenBatch()
    for document in documents { batch.append(document.tokens[...], responseStart: 0) }
    let parameters = try Parameters(tinyModel(), seed: 7)
    let network = try network(tinyModel(), parameters, threads: 2, tokens: 1200)
    let reference = ReferenceDecoder(tinyModel(), parameters)
    #expect(abs(network.evaluate(batch).reduce(0, +) / 1200 - reference.loss(documents)) < 1e-5)
  }
}
