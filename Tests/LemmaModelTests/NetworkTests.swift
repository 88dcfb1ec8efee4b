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

@Suite struct NetworkTests {
  static let documents: [(tokens: [Int32], responseStart: Int)] = [
    ([3, 1, 4, 1, 5, 9, 2, 6], 4), ([5, 3, 5, 8, 22, 0], 0), ([7, 7], 1),
  ]

  static var batch: TokenBatch {
    var batch = TokenBatch()
    for document in documents { batch.append(document.tokens[...], responseStart: document.responseStart) }
    return batch
  }

  private func network(_ parameters: Parameters, path: KernelPath = .best, threads: Int = 1) throws -> Network {
    try Network(
      model: tinyModel(), parameters: parameters, capacity: 16, pool: KernelPool(threads: threads, path: path))
  }

  @Test func aBatchLaysDocumentsEndToEndAndMarksTheResponses() {
    let batch = Self.batch
    #expect(batch.tokens == [3, 1, 4, 1, 5, 9, 2, 5, 3, 5, 8, 22, 7])
    #expect(batch.positions == [0, 1, 2, 3, 4, 5, 6, 0, 1, 2, 3, 4, 0])
    #expect(batch.starts == [0, 7, 12, 13])
    #expect(batch.lossRows == [3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
    #expect(batch.targets == [5, 9, 2, 6, 3, 5, 8, 22, 0, 7])
  }

  @Test func lossAndLogitsAreThoseOfTheReference() throws {
    let parameters = try Parameters(tinyModel(), seed: 3)
    let reference = ReferenceDecoder(tinyModel(), parameters)
    let network = try network(parameters)
    #expect(abs(network.evaluate(Self.batch) - reference.loss(Self.documents)) < 1e-5)
    let expected = Self.documents.flatMap { reference.logits($0.tokens.dropLast()).flatMap { $0 } }
    let worst = zip(network.allLogits(Self.batch), expected).map { abs(Double($0) - $1) }.max() ?? .nan
    #expect(worst < 2e-5)
  }

  /// Central differences of the reference in double, over every norm gain and every 13th other weight.
  @Test func gradientsAreTheSlopesOfTheReference() throws {
    let parameters = try Parameters(tinyModel(), seed: 4)
    var reference = ReferenceDecoder(tinyModel(), parameters)
    let network = try network(parameters)
    _ = network.step(Self.batch)
    let layout = parameters.layout
    let step = 1e-5
    var worst = 0.0
    var greatest = 0.0
    for index in 0..<layout.count where index >= layout.matrixCount || index % 13 == 0 {
      let kept = reference.weights[index]
      reference.weights[index] = kept + step
      let above = reference.loss(Self.documents)
      reference.weights[index] = kept - step
      let below = reference.loss(Self.documents)
      reference.weights[index] = kept
      let slope = (above - below) / (2 * step)
      worst = max(worst, abs(slope - Double(network.gradients.pointer[index])))
      greatest = max(greatest, abs(slope))
    }
    #expect(greatest > 0.1)
    #expect(worst < 1e-5 * max(1, greatest))
  }

  @Test func lossAndGradientsAreTheSameBitsEverywhere() throws {
    let parameters = try Parameters(tinyModel(), seed: 5)
    func run(_ path: KernelPath, _ threads: Int) throws -> [UInt8] {
      let network = try network(parameters, path: path, threads: threads)
      let loss = network.step(Self.batch)
      return withUnsafeBytes(of: loss) { Array($0) } + Array(network.gradients.bytes)
    }
    let expected = try run(.scalar, 1)
    for path in KernelPath.allCases where path.isSupported {
      for threads in 1...3 { #expect(try run(path, threads) == expected, "\(path) \(threads)") }
    }
  }

  @Test func aVocabularyWiderThanAChunkOfRowsGivesTheSameLoss() throws {
    // 300 loss rows make more than one chunk of logits.
    var generator = SeededGenerator(seed: 6)
    let documents = (0..<10).map { _ in
      (tokens: (0..<31).map { _ in Int32.random(in: 0..<23, using: &generator) }, responseStart: 0)
    }
    var batch = TokenBatch()
    for document in documents { batch.append(document.tokens[...], responseStart: 0) }
    let parameters = try Parameters(tinyModel(), seed: 7)
    let network = try Network(
      model: tinyModel(), parameters: parameters, capacity: 300, pool: KernelPool(threads: 2, path: .best))
    let reference = ReferenceDecoder(tinyModel(), parameters)
    #expect(abs(network.evaluate(batch) - reference.loss(documents)) < 1e-5)
  }
}
