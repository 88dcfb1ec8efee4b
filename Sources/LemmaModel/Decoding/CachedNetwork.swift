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
  /// Weights of a layer, rearranged for products with few rows, and its cache.
  private struct Layer {
    let attention: Bytes
    let output: Bytes
    let up: Bytes
    let down: Bytes
    let cache: Bytes
  }

  private let model: ModelConfiguration
  private let parameters: Parameters
  private let pool: KernelPool
  private let capacity: Int
  private let rowLimit: Int
  private let layers: [Layer]
  private let head: Bytes
  private let tables: (cosines: Floats, sines: Floats)
  private let stream: Floats
  private let operand: Bytes
  private let rstd: Floats
  /// What products give: gate and up, or what is added to the stream.
  private let result: Bytes
  /// Where long sums wait before they are stored as operands.
  private let waiting: Floats
  private let attention: Bytes
  private let logits: Floats

  /// - Parameters:
  ///   - slots: sequences held at a time.
  ///   - capacity: positions of each slot, a multiple of 16.
  ///   - rowLimit: the most rows of one step, at least `slots`.
  init(model: Model, slots: Int, capacity: Int, rowLimit: Int, pool: KernelPool) throws {
    let shape = model.configuration
    let d = shape.hiddenSize
    let (values, size) = (model.parameters.values.pointer, pool.precision.size)
    func packed(_ offset: Int, _ outputs: Int, _ inputs: Int) throws -> Bytes {
      let packed = try Bytes(lemma_packed_size(pool.handle, outputs, inputs))
      lemma_pack(pool.handle, outputs, inputs, values + offset, inputs, packed.pointer)
      return packed
    }
    self.model = shape
    parameters = model.parameters
    self.pool = pool
    self.capacity = capacity
    self.rowLimit = rowLimit
    let slotSize = lemma_cache_size(pool.handle, shape.keyValueHeads, shape.headSize, capacity)
    layers = try model.parameters.layout.layers.map { at in
      Layer(
        attention: try packed(at.attention, shape.attentionWidth, d),
        output: try packed(at.output, d, shape.queryWidth), up: try packed(at.up, shape.upWidth, d),
        down: try packed(at.down, d, shape.intermediateSize), cache: try Bytes(slots * slotSize))
    }
    head = try packed(model.parameters.layout.head, shape.vocabularySize, d)
    tables = try Network.ropeTables(shape, positions: min(capacity, shape.contextLength))
    stream = try Floats(rowLimit * d)
    operand = try Bytes(rowLimit * max(d, shape.intermediateSize, shape.queryWidth) * size)
    rstd = try Floats(rowLimit)
    result = try Bytes(rowLimit * max(d, shape.upWidth) * size)
    waiting = try Floats(rowLimit * max(d, shape.attentionWidth, shape.upWidth))
    attention = try Bytes(rowLimit * shape.attentionWidth * size)
    logits = try Floats(slots * shape.vocabularySize)
  }

  /// Runs the rows, of which each slot's stand in order of position. Returns the best next token of each asked row;
  /// -1 where its logits are not finite.
  func step(_ rows: [DecodingRow]) -> [Int32] {
    precondition(rows.count <= rowLimit)
    let handle = pool.handle
    let (count, d, f) = (rows.count, model.hiddenSize, model.intermediateSize)
    let (q, qkv) = (model.queryWidth, model.attentionWidth)
    let values = parameters.values.pointer
    let (stream, operand, result) = (stream.pointer, operand.pointer, result.pointer)
    let positions = rows.map(\.position)
    let slots = rows.map(\.slot)
    lemma_gather(handle, count, d, rows.map(\.token), values + parameters.layout.embedding, stream)
    if let learned = parameters.layout.positions {
      lemma_gather_add(handle, count, d, positions, values + learned, stream)
    }
    for (layer, at) in zip(layers, parameters.layout.layers) {
      norm(count, at.attentionNorm, stream)
      pool.forward(
        count, qkv, d, operand, packed: layer.attention.pointer, start: row(at.attentionBias),
        into: stored(attention.pointer))
      if model.hasRotaryPositions { turn(positions) }
      slots.withUnsafeBufferPointer { slots in
        positions.withUnsafeBufferPointer { positions in
          var shape = lemma_cached_attention(
            rows: count, heads: model.heads, groups: model.keyValueHeads, head: model.headSize, ld: qkv,
            capacity: capacity, slots: slots.baseAddress!, positions: positions.baseAddress!)
          lemma_attention_cached(handle, &shape, attention.pointer, layer.cache.pointer, operand)
        }
      }
      add(count, d, q, layer.output, at.outputBias)
      norm(count, at.feedForwardNorm, stream)
      pool.forward(
        count, model.upWidth, d, operand, packed: layer.up.pointer, start: row(at.upBias), into: stored(result))
      if model.isGated {
        lemma_swiglu_forward(handle, count, f, result, operand)
      } else {
        lemma_gelu_forward(handle, count, f, result, operand)
      }
      add(count, d, f, layer.down, at.downBias)
    }
    return best(rows)
  }

  private func turn(_ positions: [Int32]) {
    positions.withUnsafeBufferPointer {
      var rotation = lemma_rotation(
        rows: $0.count, heads: model.heads + model.keyValueHeads, head: model.headSize, ld: model.attentionWidth,
        positions: $0.baseAddress!, cosines: tables.cosines.pointer, sines: tables.sines.pointer, inverse: false)
      lemma_rope(pool.handle, &rotation, attention.pointer)
    }
  }

  private func stored(_ operands: Arena.Operands) -> KernelPool.Target {
    .operands(operands, waiting: waiting.pointer)
  }

  private func row(_ bias: Int?) -> KernelPool.Start { .row(bias.map { parameters.values.pointer + $0 }) }

  /// operand = norm(x)
  private func norm(_ rows: Int, _ at: ParameterLayout.Norm, _ x: UnsafeMutablePointer<Float>) {
    let values = parameters.values.pointer
    var norm = lemma_norm(
      rows: rows, width: model.hiddenSize, epsilon: Float(model.normEpsilon), gain: values + at.gain,
      bias: at.bias.map { UnsafePointer(values + $0) }, normed: nil, rstd: rstd.pointer)
    lemma_norm_forward(pool.handle, &norm, x, operand.pointer)
  }

  /// stream += operand weight^T + bias, in the training pass's order of sums.
  private func add(_ rows: Int, _ outputs: Int, _ inputs: Int, _ weight: Bytes, _ bias: Int?) {
    let stream = stream.pointer
    guard let bias else {
      pool.forward(
        rows, outputs, inputs, operand.pointer, packed: weight.pointer, start: .matrix(stream), into: .numbers(stream))
      return
    }
    pool.forward(
      rows, outputs, inputs, operand.pointer, packed: weight.pointer, start: row(bias),
      into: stored(result.pointer))
    var rule = lemma_dropout(seed: 0, step: 0, site: 0, row: 0, share: 0)
    lemma_dropout_add(pool.handle, &rule, rows, outputs, result.pointer, stream)
  }

  private func best(_ rows: [DecodingRow]) -> [Int32] {
    let pool = pool.handle
    let (d, classes) = (model.hiddenSize, model.vocabularySize)
    let asked = rows.indices.filter { rows[$0].isAsked }.map(Int32.init)
    var best = [Int32](repeating: 0, count: asked.count)
    guard !asked.isEmpty else { return best }
    // Nothing waits any more once the layers are done.
    lemma_gather(pool, asked.count, d, asked, stream.pointer, waiting.pointer)
    norm(asked.count, parameters.layout.finalNorm, waiting.pointer)
    self.pool.forward(
      asked.count, classes, d, operand.pointer, packed: head.pointer, into: .numbers(logits.pointer))
    lemma_argmax(pool, asked.count, classes, classes, logits.pointer, &best)
    return best
  }

  /// The logits of the last step's asked rows, [rows, vocabulary], for comparisons.
  func lastLogits(_ rows: Int) -> [Float] {
    Array(UnsafeBufferPointer(start: logits.pointer, count: rows * model.vocabularySize))
  }
}
