import CKernels
import LemmaBasics

/// Where each weight stands in one block of floats: matrices first, then the norms' gains, which do not decay.
/// Queries, keys and values of a layer are one matrix, and so are gate and up, each row an output.
struct ParameterLayout: Sendable {
  struct Layer: Sendable {
    /// [(heads + 2 kv) head, hidden]
    var attention: Int
    /// [hidden, heads head]
    var output: Int
    /// [2 intermediate, hidden]
    var gateUp: Int
    /// [hidden, intermediate]
    var down: Int
    var attentionNorm: Int
    var feedForwardNorm: Int
  }

  /// One tensor of a checkpoint: a name, a shape and its place in the block.
  struct Tensor: Sendable {
    var name: String
    var shape: [Int]
    var offset: Int
    var count: Int { shape.reduce(1, *) }
  }

  /// [vocabulary, hidden]; also the output projection.
  let embedding = 0
  let layers: [Layer]
  let finalNorm: Int
  /// How many of the numbers are in matrices.
  let matrixCount: Int
  let count: Int
  /// Under the names of Hugging Face's llama, sorted by name.
  let tensors: [Tensor]

  init(_ model: ModelConfiguration) {
    let d = model.hiddenSize
    let kv = model.keyValueHeads * model.headSize
    var next = model.vocabularySize * d
    func take(_ count: Int) -> Int {
      defer { next += count }
      return next
    }
    var layers = (0..<model.layers).map { _ in
      Layer(
        attention: take(model.attentionWidth * d), output: take(d * model.queryWidth),
        gateUp: take(2 * model.intermediateSize * d), down: take(d * model.intermediateSize), attentionNorm: 0,
        feedForwardNorm: 0)
    }
    matrixCount = next
    for index in layers.indices {
      layers[index].attentionNorm = take(d)
      layers[index].feedForwardNorm = take(d)
    }
    finalNorm = take(d)
    count = next
    self.layers = layers

    var tensors = [
      Tensor(name: "model.embed_tokens.weight", shape: [model.vocabularySize, d], offset: embedding),
      Tensor(name: "model.norm.weight", shape: [d], offset: finalNorm),
    ]
    for (index, layer) in layers.enumerated() {
      func add(_ name: String, _ shape: [Int], _ offset: Int) {
        tensors.append(Tensor(name: "model.layers.\(index).\(name).weight", shape: shape, offset: offset))
      }
      let q = model.queryWidth
      let f = model.intermediateSize
      add("self_attn.q_proj", [q, d], layer.attention)
      add("self_attn.k_proj", [kv, d], layer.attention + q * d)
      add("self_attn.v_proj", [kv, d], layer.attention + (q + kv) * d)
      add("self_attn.o_proj", [d, q], layer.output)
      add("mlp.gate_proj", [f, d], layer.gateUp)
      add("mlp.up_proj", [f, d], layer.gateUp + f * d)
      add("mlp.down_proj", [d, f], layer.down)
      add("input_layernorm", [d], layer.attentionNorm)
      add("post_attention_layernorm", [d], layer.feedForwardNorm)
    }
    self.tensors = tensors.sorted { $0.name < $1.name }
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
  /// the root of the number of their sums (Radford et al., 2019); gains are 1.
  convenience init(_ model: ModelConfiguration, seed: UInt64) throws {
    try self.init(model)
    let base = Float(model.initialDeviation)
    let residual = base / Float(2 * model.layers).squareRoot()
    let d = model.hiddenSize
    var stream: UInt64 = 0
    func fill(_ offset: Int, _ count: Int, _ deviation: Float) {
      lemma_fill_normal(seed, stream, count, deviation, values.pointer + offset)
      stream += 1
    }
    fill(layout.embedding, model.vocabularySize * d, base)
    for layer in layout.layers {
      fill(layer.attention, model.attentionWidth * d, base)
      fill(layer.output, d * model.queryWidth, residual)
      fill(layer.gateUp, 2 * model.intermediateSize * d, base)
      fill(layer.down, d * model.intermediateSize, residual)
    }
    for index in layout.matrixCount..<layout.count { values.pointer[index] = 1 }
  }

  func copy(_ model: ModelConfiguration) throws -> Parameters {
    let copy = try Parameters(model)
    copy.values.pointer.update(from: values.pointer, count: values.count)
    return copy
  }
}
