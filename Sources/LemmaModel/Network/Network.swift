import CKernels
import LemmaBasics

/// The decoder's forward and backward pass over packed documents. It knows no files, no tokenizer and no schedule.
final class Network {
  let shape: NetworkShape
  let model: ModelConfiguration
  let parameters: Parameters
  let gradients: Floats
  let pool: KernelPool
  let saved: Activations
  private let arena: Floats
  private let cosines: Floats
  private let sines: Floats

  /// - Throws: `Failure` when the memory cannot be had, or the shape has no bfloat16 form.
  init(_ shape: NetworkShape, parameters: Parameters, pool: KernelPool) throws {
    try shape.model.check(shape.precision)
    self.shape = shape
    model = shape.model
    self.parameters = parameters
    self.pool = pool
    gradients = try Floats(parameters.layout.count)
    arena = try Floats(shape.arenaSize / 4)
    var planned = Arena(shape.precision, base: UnsafeMutableRawPointer(arena.pointer))
    saved = Activations(shape, &planned)
    (cosines, sines) = try Network.ropeTables(shape.model, positions: min(shape.tokens, shape.model.longestSequence))
  }

  static func ropeTables(_ model: ModelConfiguration, positions: Int) throws -> (cosines: Floats, sines: Floats) {
    let size = model.hasRotaryPositions ? positions * (model.headSize / 2) : 0
    let tables = (cosines: try Floats(size), sines: try Floats(size))
    if size > 0 {
      lemma_rope_table(
        positions, model.headSize, model.ropeFrequencies, tables.cosines.pointer, tables.sines.pointer)
    }
    return tables
  }

  func weights(_ offset: Int) -> Arena.Numbers { parameters.values.pointer + offset }
  func weights(_ offset: Int?) -> Arena.Numbers? { offset.map { parameters.values.pointer + $0 } }
  func gradient(_ offset: Int) -> Arena.Numbers { gradients.pointer + offset }
  func gradient(_ offset: Int?) -> Arena.Numbers? { offset.map { gradients.pointer + $0 } }

  /// The mean loss over the loss rows of all batches, which together are one step; `gradients` become those of the
  /// mean. How documents are dealt to batches does not show in the bits.
  func step(_ batches: [TokenBatch], smoothing: Double = 0, dropout: Dropout? = nil) -> Double {
    let layout = parameters.layout
    let count = batches.reduce(0) { $0 + $1.lossRows.count }
    lemma_zero(pool.handle, layout.count - layout.matrixCount, gradient(layout.matrixCount))
    var losses: [Double] = []
    var tokens = 0
    for (index, batch) in batches.enumerated() {
      let pass = Pass(
        batch: batch, row: tokens, isFirst: index == 0, scale: count == 0 ? 0 : 1 / Float(count),
        smoothing: Float(smoothing), dropout: dropout)
      forward(pass)
      losses += loss(pass, withGradient: true)
      backward(pass)
      tokens += batch.count
    }
    embeddingGradient(batches)
    return count == 0 ? 0 : losses.reduce(0, +) / Double(count)
  }

  /// The loss of each of the batch's loss rows.
  func evaluate(_ batch: TokenBatch) -> [Double] {
    let pass = Pass(batch: batch)
    forward(pass)
    return loss(pass, withGradient: false)
  }

  /// Logits [tokens, vocabulary] of every row, for comparisons.
  func allLogits(_ batch: TokenBatch) -> [Float] {
    forward(Pass(batch: batch))
    let width = model.vocabularySize
    return [Float](unsafeUninitializedCapacity: batch.count * width) { buffer, count in
      pool.forward(
        batch.count, width, model.hiddenSize, saved.way.operand, weights(parameters.layout.head),
        into: .numbers(buffer.baseAddress!))
      count = batch.count * width
    }
  }

  /// One batch on its way through the network.
  struct Pass {
    let batch: TokenBatch
    /// The number of the batch's first token within its step.
    var row = 0
    var isFirst = true
    /// What each row's loss counts.
    var scale: Float = 0
    var smoothing: Float = 0
    var dropout: Dropout?

    var rows: Int { batch.count }

    func withShape<R>(_ model: ModelConfiguration, _ body: (UnsafePointer<lemma_attention>) -> R) -> R {
      batch.starts.withUnsafeBufferPointer { starts in
        var shape = lemma_attention(
          documents: batch.documents, heads: model.heads, groups: model.keyValueHeads, head: model.headSize,
          ld: model.attentionWidth, starts: starts.baseAddress!)
        return body(&shape)
      }
    }

    /// The rule of one of the network's places of dropout: 0 is the embedding, then two for each layer.
    func rule(_ site: Int) -> lemma_dropout? {
      dropout.map {
        lemma_dropout(
          seed: $0.seed, step: $0.step, site: UInt32(site), row: UInt32(row), share: Float($0.share))
      }
    }
  }

  /// Which elements of a step are dropped: a function of the seed, the step and the element.
  struct Dropout {
    var share: Double
    var seed: UInt64
    var step: UInt32
  }

  func norm(
    _ rows: Int, _ at: ParameterLayout.Norm, _ normed: Arena.Operands, _ rstd: Arena.Numbers
  ) -> lemma_norm {
    lemma_norm(
      rows: rows, width: model.hiddenSize, epsilon: Float(model.normEpsilon), gain: weights(at.gain),
      bias: weights(at.bias), normed: normed, rstd: rstd)
  }

  /// A product's result, stored as operands.
  func stored(_ operands: Arena.Operands) -> KernelPool.Target { .operands(operands, waiting: saved.way.waiting) }

  // MARK: Forward

  private func forward(_ pass: Pass) {
    let (handle, rows, d) = (pool.handle, pass.rows, model.hiddenSize)
    let stream = saved.stream
    precondition(rows <= shape.tokens)
    lemma_gather(handle, rows, d, pass.batch.tokens, weights(parameters.layout.embedding), stream)
    if let positions = weights(parameters.layout.positions) {
      lemma_gather_add(handle, rows, d, pass.batch.positions, positions, stream)
    }
    if var rule = pass.rule(0) { lemma_dropout_apply(handle, &rule, rows, d, stream, stream) }
    for index in saved.layers.indices {
      if shape.recomputes { saved.inputs[index].update(from: stream, count: rows * d) }
      forward(pass, layer: index, stream: stream)
      feedForward(pass, layer: index, stream: stream)
    }
    var norm = norm(rows, parameters.layout.finalNorm, saved.outputNormed, saved.outputRstd)
    lemma_norm_forward(handle, &norm, stream, saved.way.operand)
  }

  /// A layer up to what its feed-forward's last product takes, which is left in `way.operand`.
  func forward(_ pass: Pass, layer index: Int, stream: Arena.Numbers) {
    let (handle, rows, d) = (pool.handle, pass.rows, model.hiddenSize)
    let (layer, at) = (saved.layers[index], parameters.layout.layers[index])
    let (operand, qkv) = (saved.way.operand, model.attentionWidth)
    var norm = norm(rows, at.attentionNorm, layer.normed, layer.rstd)
    lemma_norm_forward(handle, &norm, stream, operand)
    pool.forward(
      rows, qkv, d, operand, weights(at.attention), start: .row(weights(at.attentionBias)),
      into: stored(layer.attention))
    if model.hasRotaryPositions { rotated(pass, inverse: false) { lemma_rope(handle, $0, layer.attention) } }
    pass.withShape(model) { lemma_attention_forward(handle, $0, layer.attention, layer.attended, layer.stats) }
    add(pass, d, model.queryWidth, layer.attended, at.output, at.outputBias, to: stream, site: 2 * index + 1)
    norm = self.norm(rows, at.feedForwardNorm, layer.middleNormed, layer.middleRstd)
    lemma_norm_forward(handle, &norm, stream, operand)
    pool.forward(
      rows, model.upWidth, d, operand, weights(at.up), start: .row(weights(at.upBias)), into: stored(layer.up))
    if model.isGated {
      lemma_swiglu_forward(handle, rows, model.intermediateSize, layer.up, operand)
    } else {
      lemma_gelu_forward(handle, rows, model.intermediateSize, layer.up, operand)
    }
  }

  private func feedForward(_ pass: Pass, layer index: Int, stream: Arena.Numbers) {
    let at = parameters.layout.layers[index]
    add(
      pass, model.hiddenSize, model.intermediateSize, saved.way.operand, at.down, at.downBias, to: stream,
      site: 2 * index + 2)
  }

  /// stream += dropout(x weight^T + bias)
  private func add(
    _ pass: Pass, _ outputs: Int, _ inputs: Int, _ x: Arena.Operands, _ weight: Int, _ bias: Int?,
    to stream: Arena.Numbers, site: Int
  ) {
    if bias == nil, pass.dropout == nil {
      pool.forward(pass.rows, outputs, inputs, x, weights(weight), start: .matrix(stream), into: .numbers(stream))
      return
    }
    let result = saved.way.result
    pool.forward(pass.rows, outputs, inputs, x, weights(weight), start: .row(weights(bias)), into: stored(result))
    var rule = pass.rule(site) ?? lemma_dropout(seed: 0, step: 0, site: 0, row: 0, share: 0)
    lemma_dropout_add(pool.handle, &rule, pass.rows, outputs, result, stream)
  }

  /// How queries and keys turn by their positions; without rotary positions none does.
  func rotated(_ pass: Pass, inverse: Bool, _ body: (UnsafePointer<lemma_rotation>) -> Void) {
    pass.batch.positions.withUnsafeBufferPointer { positions in
      var rotation = lemma_rotation(
        rows: pass.rows, heads: model.hasRotaryPositions ? model.heads + model.keyValueHeads : 0,
        head: model.headSize, ld: model.attentionWidth, positions: positions.baseAddress!, cosines: cosines.pointer,
        sines: sines.pointer, inverse: inverse)
      body(&rotation)
    }
  }

  // MARK: Loss

  /// Cross-entropy of each chosen row, a chunk of logits at a time; with gradients, those of the head and of the
  /// chosen rows. The network's output must lie in `way.operand`.
  private func loss(_ pass: Pass, withGradient: Bool) -> [Double] {
    let (handle, batch) = (pool.handle, pass.batch)
    let (count, d, classes) = (batch.lossRows.count, model.hiddenSize, model.vocabularySize)
    let (head, pitch) = (parameters.layout.head, shape.logitPitch)
    let (chosen, logits) = (saved.loss.chosen, saved.loss.logits)
    // The pieces of the loss lie where the way up had its own: the chosen rows go first to where nothing else is.
    lemma_gather_operands(handle, count, d, batch.lossRows, saved.way.operand, saved.chosenGradient)
    chosen.copyMemory(from: saved.chosenGradient, byteCount: count * d * shape.precision.size)
    var losses = [Double](repeating: 0, count: count)
    for from in stride(from: 0, to: count, by: shape.logitRows) {
      let rows = min(shape.logitRows, count - from)
      let input = chosen + from * d * shape.precision.size
      pool.forward(rows, classes, d, input, weights(head), into: .numbers(logits, pitch: pitch))
      var form = lemma_cross_entropy_shape(
        rows: rows, classes: classes, ld: pitch, scale: withGradient ? pass.scale : 0, smoothing: pass.smoothing)
      batch.targets.withUnsafeBufferPointer { targets in
        losses.withUnsafeMutableBufferPointer { losses in
          lemma_cross_entropy(
            handle, &form, targets.baseAddress! + from, logits, losses.baseAddress! + from)
        }
      }
      guard withGradient else { continue }
      let slope = UnsafeMutableRawPointer(logits)
      let slopePitch = pitch * 4 / shape.precision.size
      pool.backward(
        rows, classes, d, slope, pitch: slopePitch, weights(head),
        into: .operands(
          saved.chosenGradient + from * d * shape.precision.size, waiting: saved.loss.waiting))
      pool.gradient(
        rows, classes, d, slope, pitch: slopePitch, input, isFirst: pass.isFirst && from == 0, into: gradient(head))
    }
    if count == 0, pass.isFirst, withGradient { lemma_zero(handle, classes * d, gradient(head)) }
    return losses
  }
}
