import CKernels
import LemmaBasics

/// Where each weight stands in one block of floats: matrices first, then gains and biases, which do not decay.
/// Queries, keys and values of a layer are one matrix, and so are gate and up, each row an output.
struct ParameterLayout: Sendable {
  struct Norm: Sendable {
    var gain: Int
    var bias: Int?
  }

  struct Layer: Sendable {
    /// [(heads + 2 kv) head, hidden]
    var attention: Int
    /// [hidden, heads head]
    var output: Int
    /// [2 intermediate or intermediate, hidden]
    var up: Int
    /// [hidden, intermediate]
    var down: Int
    var attentionBias: Int?
    var outputBias: Int?
    var upBias: Int?
    var downBias: Int?
    var attentionNorm = Norm(gain: 0)
    var feedForwardNorm = Norm(gain: 0)
  }

  /// One tensor of a checkpoint: a name, its shape there and its place in the block.
  struct Tensor: Sendable {
    var name: String
    var shape: [Int]
    var offset: Int
    /// Whether the checkpoint has a matrix the other way round, [inputs, outputs].
    var isTransposed = false
    var count: Int { shape.reduce(1, *) }
  }

  /// [vocabulary, hidden]
  let embedding = 0
  /// The output projection, [vocabulary, hidden]; the embedding itself where they are tied.
  let head: Int
  /// Learned positions, [context, hidden].
  let positions: Int?
  let layers: [Layer]
  let finalNorm: Norm
  /// How many of the numbers are in matrices.
  let matrixCount: Int
  let count: Int
  /// Under the names of Hugging Face's architecture, sorted by name.
  let tensors: [Tensor]

  init(_ model: ModelConfiguration) {
    let d = model.hiddenSize
    var next = 0
    func take(_ count: Int) -> Int {
      defer { next += count }
      return next
    }
    func take(_ count: Int, if condition: Bool) -> Int? { condition ? take(count) : nil }
    func norm() -> Norm { Norm(gain: take(d), bias: take(d, if: model.hasNormBias)) }

    let embedding = take(model.vocabularySize * d)
    head = take(model.vocabularySize * d, if: !model.tiesEmbeddings) ?? embedding
    positions = take(model.contextLength * d, if: !model.hasRotaryPositions)
    var layers = (0..<model.layers).map { _ in
      Layer(
        attention: take(model.attentionWidth * d), output: take(d * model.queryWidth), up: take(model.upWidth * d),
        down: take(d * model.intermediateSize))
    }
    matrixCount = next
    for index in layers.indices {
      layers[index].attentionBias = take(model.attentionWidth, if: model.hasQueryBias)
      layers[index].outputBias = take(d, if: model.hasOutputBias)
      layers[index].upBias = take(model.upWidth, if: model.hasFeedForwardBias)
      layers[index].downBias = take(d, if: model.hasFeedForwardBias)
      layers[index].attentionNorm = norm()
      layers[index].feedForwardNorm = norm()
    }
    finalNorm = norm()
    count = next
    self.layers = layers
    let names = TensorNames(model, layers: layers, head: head, positions: positions, finalNorm: finalNorm)
    tensors = names.tensors.sorted { $0.name < $1.name }
  }
}

/// A model's weights.
final class Parameters: Sendable {
  let layout: ParameterLayout
  let values: Floats

  init(_ model: ModelConfiguration) throws {
    layout = ParameterLayout(model)
    values = try Floats(layout.count)
  }

  /// New weights: normal numbers of (seed, matrix, element), those that write into the residual stream smaller by
  /// the root of the number of their sums (Radford et al., 2019); gains are 1, biases 0.
  convenience init(_ model: ModelConfiguration, seed: UInt64) throws {
    try self.init(model)
    let base = Float(model.initialDeviation)
    let residual = base / Float(2 * model.layers).squareRoot()
    let d = model.hiddenSize
    var stream: UInt64 = 0
    func fill(_ offset: Int?, _ count: Int, _ deviation: Float) {
      guard let offset else { return }
      lemma_fill_normal(seed, stream, count, deviation, values.pointer + offset)
      stream += 1
    }
    fill(layout.embedding, model.vocabularySize * d, base)
    for layer in layout.layers {
      fill(layer.attention, model.attentionWidth * d, base)
      fill(layer.output, d * model.queryWidth, residual)
      fill(layer.up, model.upWidth * d, base)
      fill(layer.down, d * model.intermediateSize, residual)
    }
    if layout.head != layout.embedding { fill(layout.head, model.vocabularySize * d, base) }
    fill(layout.positions, model.contextLength * d, base)
    for norm in layout.layers.flatMap({ [$0.attentionNorm, $0.feedForwardNorm] }) + [layout.finalNorm] {
      for index in 0..<d { values.pointer[norm.gain + index] = 1 }
    }
  }

  func copy(_ model: ModelConfiguration) throws -> Parameters {
    let copy = try Parameters(model)
    copy.values.pointer.update(from: values.pointer, count: values.count)
    return copy
  }
}
