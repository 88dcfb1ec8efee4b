import CKernels

/// One row of a decoding step: a token at a position of a cache slot.
struct DecodingRow {
  var token: Int32
  var slot: Int32
  var position: Int32
  /// Whether the token after it is asked for.
  var isAsked: Bool
}

/// The forward pass over cached keys and values. A row's bits depend on its slot's tokens alone: not on the other
/// rows, their number or the threads; they are those of `Network` for the same tokens.
final class CachedNetwork {
  private struct Layer {
    let attention: Floats
    let output: Floats
    let gateUp: Floats
    let down: Floats
    let cache: Floats
  }

  private let model: ModelConfiguration
  private let parameters: Parameters
  private let pool: KernelPool
  private let capacity: Int
  private let rowLimit: Int
  private let layers: [Layer]
  private let embedding: Floats
  private let tables: (cosines: Floats, sines: Floats)
  private let stream: Floats
  private let normed: Floats
  private let rstd: Floats
  private let attention: Floats
  private let attended: Floats
  private let gateUp: Floats
  private let gated: Floats
  private let logits: Floats

  /// - Parameters:
  ///   - slots: sequences held at a time.
  ///   - capacity: positions of each slot, at most the model's context.
  ///   - rowLimit: the most rows of one step, at least `slots`.
  init(model: Model, slots: Int, capacity: Int, rowLimit: Int, pool: KernelPool) throws {
    let shape = model.configuration
    let d = shape.hiddenSize
    let values = model.parameters.values.pointer
    func packed(_ offset: Int, _ outputs: Int, _ inputs: Int) throws -> Floats {
      let packed = try Floats(lemma_packed_size(pool.handle, outputs, inputs))
      lemma_pack(pool.handle, outputs, inputs, values + offset, inputs, packed.pointer)
      return packed
    }
    self.model = shape
    parameters = model.parameters
    self.pool = pool
    self.capacity = capacity
    self.rowLimit = rowLimit
    layers = try model.parameters.layout.layers.map { at in
      Layer(
        attention: try packed(at.attention, shape.attentionWidth, d),
        output: try packed(at.output, d, shape.queryWidth),
        gateUp: try packed(at.gateUp, 2 * shape.intermediateSize, d),
        down: try packed(at.down, d, shape.intermediateSize),
        cache: try Floats(slots * 2 * shape.keyValueHeads * shape.headSize * capacity))
    }
    embedding = try packed(model.parameters.layout.embedding, shape.vocabularySize, d)
    tables = try Network.ropeTables(shape)
    stream = try Floats(rowLimit * d)
    normed = try Floats(rowLimit * d)
    rstd = try Floats(rowLimit)
    attention = try Floats(rowLimit * shape.attentionWidth)
    attended = try Floats(rowLimit * shape.queryWidth)
    gateUp = try Floats(rowLimit * 2 * shape.intermediateSize)
    gated = try Floats(rowLimit * shape.intermediateSize)
    logits = try Floats(slots * shape.vocabularySize)
  }

  /// Runs the rows, of which each slot's stand in order of position. Returns the best next token of each asked row;
  /// -1 where its logits are not finite.
  func step(_ rows: [DecodingRow]) -> [Int32] {
    precondition(rows.count <= rowLimit)
    let pool = pool.handle
    let (count, d, f) = (rows.count, model.hiddenSize, model.intermediateSize)
    let (q, qkv) = (model.queryWidth, model.attentionWidth)
    let epsilon = Float(model.normEpsilon)
    let values = parameters.values.pointer
    let positions = rows.map(\.position)
    let slots = rows.map(\.slot)
    lemma_gather(pool, count, d, rows.map(\.token), values + parameters.layout.embedding, stream.pointer)
    for (layer, at) in zip(layers, parameters.layout.layers) {
      lemma_rmsnorm_forward(
        pool, count, d, epsilon, stream.pointer, values + at.attentionNorm, normed.pointer, rstd.pointer)
      lemma_gemm_packed(
        pool, count, qkv, d, normed.pointer, d, layer.attention.pointer, nil, attention.pointer, qkv)
      lemma_rope(
        pool, count, model.heads + model.keyValueHeads, model.headSize, positions, tables.cosines.pointer,
        tables.sines.pointer, false, attention.pointer, qkv)
      slots.withUnsafeBufferPointer { slots in
        positions.withUnsafeBufferPointer { positions in
          var shape = lemma_cached_attention(
            rows: count, heads: model.heads, groups: model.keyValueHeads, head: model.headSize, ld: qkv,
            capacity: capacity, slots: slots.baseAddress!, positions: positions.baseAddress!)
          lemma_attention_cached(pool, &shape, attention.pointer, layer.cache.pointer, attended.pointer)
        }
      }
      lemma_gemm_packed(
        pool, count, d, q, attended.pointer, q, layer.output.pointer, stream.pointer, stream.pointer, d)
      lemma_rmsnorm_forward(
        pool, count, d, epsilon, stream.pointer, values + at.feedForwardNorm, normed.pointer, rstd.pointer)
      lemma_gemm_packed(pool, count, 2 * f, d, normed.pointer, d, layer.gateUp.pointer, nil, gateUp.pointer, 2 * f)
      lemma_swiglu_forward(pool, count, f, gateUp.pointer, gated.pointer)
      lemma_gemm_packed(
        pool, count, d, f, gated.pointer, f, layer.down.pointer, stream.pointer, stream.pointer, d)
    }
    return best(rows)
  }

  private func best(_ rows: [DecodingRow]) -> [Int32] {
    let pool = pool.handle
    let (d, classes) = (model.hiddenSize, model.vocabularySize)
    let asked = rows.indices.filter { rows[$0].isAsked }.map(Int32.init)
    var best = [Int32](repeating: 0, count: asked.count)
    guard !asked.isEmpty else { return best }
    // `normed` is free for the chosen rows once the layers are done.
    lemma_gather(pool, asked.count, d, asked, stream.pointer, normed.pointer)
    lemma_rmsnorm_forward(
      pool, asked.count, d, Float(model.normEpsilon), normed.pointer,
      parameters.values.pointer + parameters.layout.finalNorm, stream.pointer, rstd.pointer)
    lemma_gemm_packed(
      pool, asked.count, classes, d, stream.pointer, d, embedding.pointer, nil, logits.pointer, classes)
    lemma_argmax(pool, asked.count, classes, logits.pointer, &best)
    return best
  }

  /// The logits of the last step's asked rows, [rows, vocabulary], for comparisons.
  func lastLogits(_ rows: Int) -> [Float] {
    Array(UnsafeBufferPointer(start: logits.pointer, count: rows * model.vocabularySize))
  }
}
