import CKernels
import LemmaBasics

/// The decoder's forward and backward pass over packed documents. It knows no files, no tokenizer and no schedule.
final class Network {
  let model: ModelConfiguration
  let parameters: Parameters
  let gradients: Floats
  private let pool: KernelPool
  private let capacity: Int
  private let saved: Activations
  private let cosines: Floats
  private let sines: Floats
  // Gradients on their way down, [tokens, …].
  private let residual: Floats
  private let hidden: Floats
  private let attended: Floats
  private let attention: Floats
  private let gated: Floats
  // The rows that the loss looks at, and a chunk of their logits.
  private let chosen: Floats
  private let chosenGradient: Floats
  private let logits: Floats

  /// Rows of logits that exist at a time: a wide vocabulary must not need memory for all of them.
  private static let logitRows = 256

  /// - Parameter capacity: the most tokens of a batch.
  init(model: ModelConfiguration, parameters: Parameters, capacity: Int, pool: KernelPool) throws {
    self.model = model
    self.parameters = parameters
    self.pool = pool
    self.capacity = capacity
    gradients = try Floats(parameters.layout.count)
    saved = try Activations(model, capacity: capacity)
    (cosines, sines) = try Network.ropeTables(model)
    residual = try Floats(capacity * model.hiddenSize)
    hidden = try Floats(capacity * model.hiddenSize)
    attended = try Floats(capacity * model.queryWidth)
    attention = try Floats(capacity * model.attentionWidth)
    gated = try Floats(capacity * model.intermediateSize)
    chosen = try Floats(capacity * model.hiddenSize)
    chosenGradient = try Floats(capacity * model.hiddenSize)
    logits = try Floats(Network.logitRows * model.vocabularySize)
  }

  static func ropeTables(_ model: ModelConfiguration) throws -> (cosines: Floats, sines: Floats) {
    let size = model.contextLength * (model.headSize / 2)
    let tables = (cosines: try Floats(size), sines: try Floats(size))
    lemma_rope_table(
      model.contextLength, model.headSize, model.ropeBase, tables.cosines.pointer, tables.sines.pointer)
    return tables
  }

  private func weights(_ offset: Int) -> UnsafeMutablePointer<Float> { parameters.values.pointer + offset }
  private func gradient(_ offset: Int) -> UnsafeMutablePointer<Float> { gradients.pointer + offset }

  /// The mean loss over the batch's loss rows; `gradients` become those of the mean.
  func step(_ batch: TokenBatch) -> Double {
    forward(batch)
    let loss = self.loss(batch, withGradient: true)
    backward(batch)
    return loss
  }

  /// The mean loss alone.
  func evaluate(_ batch: TokenBatch) -> Double {
    forward(batch)
    return loss(batch, withGradient: false)
  }

  /// Logits [tokens, vocabulary] of every row, for comparisons.
  func allLogits(_ batch: TokenBatch) -> [Float] {
    forward(batch)
    let width = model.vocabularySize
    return [Float](unsafeUninitializedCapacity: batch.count * width) { buffer, count in
      lemma_gemm_nt(
        pool.handle, batch.count, width, model.hiddenSize, saved.outputNormed.pointer, model.hiddenSize,
        weights(parameters.layout.embedding), model.hiddenSize, nil, buffer.baseAddress!, width)
      count = batch.count * width
    }
  }

  private func withShape<R>(_ batch: TokenBatch, _ body: (UnsafePointer<lemma_attention>) -> R) -> R {
    batch.starts.withUnsafeBufferPointer { starts in
      var shape = lemma_attention(
        documents: batch.documents, heads: model.heads, groups: model.keyValueHeads, head: model.headSize,
        ld: model.attentionWidth, starts: starts.baseAddress!)
      return body(&shape)
    }
  }

  private func forward(_ batch: TokenBatch) {
    precondition(batch.count <= capacity)
    let pool = pool.handle
    let (rows, d, f) = (batch.count, model.hiddenSize, model.intermediateSize)
    let (q, qkv) = (model.queryWidth, model.attentionWidth)
    let epsilon = Float(model.normEpsilon)
    lemma_gather(
      pool, rows, d, batch.tokens, weights(parameters.layout.embedding),
      (saved.layers.first?.input ?? saved.output).pointer)
    for (index, layer) in saved.layers.enumerated() {
      let at = parameters.layout.layers[index]
      let next = index + 1 < saved.layers.count ? saved.layers[index + 1].input : saved.output
      lemma_rmsnorm_forward(
        pool, rows, d, epsilon, layer.input.pointer, weights(at.attentionNorm), layer.normed.pointer,
        layer.rstd.pointer)
      lemma_gemm_nt(
        pool, rows, qkv, d, layer.normed.pointer, d, weights(at.attention), d, nil, layer.attention.pointer, qkv)
      lemma_rope(
        pool, rows, model.heads + model.keyValueHeads, model.headSize, batch.positions, cosines.pointer, sines.pointer,
        false, layer.attention.pointer, qkv)
      withShape(batch) {
        lemma_attention_forward(pool, $0, layer.attention.pointer, layer.attended.pointer, layer.stats.pointer)
      }
      lemma_gemm_nt(
        pool, rows, d, q, layer.attended.pointer, q, weights(at.output), q, layer.input.pointer, layer.middle.pointer,
        d)
      lemma_rmsnorm_forward(
        pool, rows, d, epsilon, layer.middle.pointer, weights(at.feedForwardNorm), layer.middleNormed.pointer,
        layer.middleRstd.pointer)
      lemma_gemm_nt(
        pool, rows, 2 * f, d, layer.middleNormed.pointer, d, weights(at.gateUp), d, nil, layer.gateUp.pointer, 2 * f)
      lemma_swiglu_forward(pool, rows, f, layer.gateUp.pointer, layer.gated.pointer)
      lemma_gemm_nt(
        pool, rows, d, f, layer.gated.pointer, f, weights(at.down), f, layer.middle.pointer, next.pointer, d)
    }
    lemma_rmsnorm_forward(
      pool, rows, d, epsilon, saved.output.pointer, weights(parameters.layout.finalNorm), saved.outputNormed.pointer,
      saved.outputRstd.pointer)
  }

  /// Cross-entropy of the chosen rows, a chunk of logits at a time; with gradients, those of the embedding and of
  /// the chosen rows.
  private func loss(_ batch: TokenBatch, withGradient: Bool) -> Double {
    let pool = pool.handle
    let (count, d, classes) = (batch.lossRows.count, model.hiddenSize, model.vocabularySize)
    guard count > 0 else { return 0 }
    let embedding = weights(parameters.layout.embedding)
    let embeddingGradient = gradient(parameters.layout.embedding)
    lemma_gather(pool, count, d, batch.lossRows, saved.outputNormed.pointer, chosen.pointer)
    var losses = [Double](repeating: 0, count: count)
    for from in stride(from: 0, to: count, by: Network.logitRows) {
      let rows = min(Network.logitRows, count - from)
      let input = chosen.pointer + from * d
      lemma_gemm_nt(pool, rows, classes, d, input, d, embedding, d, nil, logits.pointer, classes)
      batch.targets.withUnsafeBufferPointer { targets in
        losses.withUnsafeMutableBufferPointer { losses in
          lemma_cross_entropy(
            pool, rows, classes, targets.baseAddress! + from, withGradient ? 1 / Float(count) : 0, logits.pointer,
            losses.baseAddress! + from)
        }
      }
      guard withGradient else { continue }
      lemma_gemm_nn(
        pool, rows, d, classes, logits.pointer, classes, embedding, d, nil, chosenGradient.pointer + from * d, d)
      lemma_gemm_tn(
        pool, classes, d, rows, logits.pointer, classes, input, d, from == 0 ? nil : embeddingGradient,
        embeddingGradient, d)
    }
    return losses.reduce(0, +) / Double(count)
  }

  private func backward(_ batch: TokenBatch) {
    let pool = pool.handle
    let (rows, d, f) = (batch.count, model.hiddenSize, model.intermediateSize)
    let (q, qkv) = (model.queryWidth, model.attentionWidth)
    let layout = parameters.layout
    lemma_zero(pool, layout.count - layout.matrixCount, gradient(layout.matrixCount))
    lemma_zero(pool, rows * d, hidden.pointer)
    lemma_zero(pool, rows * d, residual.pointer)
    lemma_scatter_add(pool, batch.lossRows.count, d, batch.lossRows, chosenGradient.pointer, hidden.pointer)
    lemma_rmsnorm_backward(
      pool, rows, d, hidden.pointer, saved.output.pointer, weights(layout.finalNorm), saved.outputRstd.pointer,
      residual.pointer, gradient(layout.finalNorm))
    for (index, layer) in saved.layers.enumerated().reversed() {
      let at = layout.layers[index]
      // Down, gate and up.
      lemma_gemm_nn(pool, rows, f, d, residual.pointer, d, weights(at.down), f, nil, gated.pointer, f)
      lemma_gemm_tn(pool, d, f, rows, residual.pointer, d, layer.gated.pointer, f, nil, gradient(at.down), f)
      lemma_swiglu_backward(pool, rows, f, gated.pointer, layer.gateUp.pointer)
      lemma_gemm_nn(pool, rows, d, 2 * f, layer.gateUp.pointer, 2 * f, weights(at.gateUp), d, nil, hidden.pointer, d)
      lemma_gemm_tn(
        pool, 2 * f, d, rows, layer.gateUp.pointer, 2 * f, layer.middleNormed.pointer, d, nil, gradient(at.gateUp), d)
      lemma_rmsnorm_backward(
        pool, rows, d, hidden.pointer, layer.middle.pointer, weights(at.feedForwardNorm), layer.middleRstd.pointer,
        residual.pointer, gradient(at.feedForwardNorm))
      // Attention.
      lemma_gemm_nn(pool, rows, q, d, residual.pointer, d, weights(at.output), q, nil, attended.pointer, q)
      lemma_gemm_tn(pool, d, q, rows, residual.pointer, d, layer.attended.pointer, q, nil, gradient(at.output), q)
      withShape(batch) {
        lemma_attention_backward(
          pool, $0, layer.attention.pointer, layer.attended.pointer, layer.stats.pointer, attended.pointer,
          attention.pointer)
      }
      lemma_rope(
        pool, rows, model.heads + model.keyValueHeads, model.headSize, batch.positions, cosines.pointer, sines.pointer,
        true, attention.pointer, qkv)
      lemma_gemm_nn(pool, rows, d, qkv, attention.pointer, qkv, weights(at.attention), d, nil, hidden.pointer, d)
      lemma_gemm_tn(
        pool, qkv, d, rows, attention.pointer, qkv, layer.normed.pointer, d, nil, gradient(at.attention), d)
      lemma_rmsnorm_backward(
        pool, rows, d, hidden.pointer, layer.input.pointer, weights(at.attentionNorm), layer.rstd.pointer,
        residual.pointer, gradient(at.attentionNorm))
    }
    lemma_scatter_add(pool, rows, d, batch.tokens, residual.pointer, gradient(layout.embedding))
  }
}
