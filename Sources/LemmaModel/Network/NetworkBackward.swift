import CKernels

/// The way back, layer by layer from the last. In comments dX is the gradient of X.
extension Network {
  func backward(_ pass: Pass) {
    let (handle, rows, d) = (pool.handle, pass.rows, model.hiddenSize)
    let (stream, batch) = (saved.stream, pass.batch)
    let hidden = saved.way.result
    lemma_zero(handle, rows * d * shape.precision.size / 4, hidden.assumingMemoryBound(to: Float.self))
    lemma_scatter_operands(handle, batch.lossRows.count, d, batch.lossRows, saved.chosenGradient, hidden)
    lemma_zero(handle, rows * d, stream)
    norm(pass, parameters.layout.finalNorm, saved.outputNormed, saved.outputRstd)
    for index in saved.layers.indices.reversed() {
      // What is left in `way.operand` is made again below, too.
      if shape.recomputes { forward(pass, layer: index, stream: saved.inputs[index]) }
      feedForward(pass, layer: index)
      attention(pass, layer: index)
    }
    if var rule = pass.rule(0) { lemma_dropout_apply(handle, &rule, rows, d, stream, stream) }
    if saved.embedded != stream { (saved.embedded + pass.row * d).update(from: stream, count: rows * d) }
  }

  /// Token by token over the whole step, after all that its batches gave to a tied output projection.
  func embeddingGradient(_ batches: [TokenBatch]) {
    let (handle, d, layout) = (pool.handle, model.hiddenSize, parameters.layout)
    if layout.head != layout.embedding {
      lemma_zero(handle, model.vocabularySize * d, gradient(layout.embedding))
    }
    if let positions = gradient(layout.positions) { lemma_zero(handle, model.contextLength * d, positions) }
    var row = 0
    for batch in batches {
      let slope = saved.embedded + row * d
      lemma_scatter_add(handle, batch.count, d, batch.tokens, slope, gradient(layout.embedding))
      if let positions = gradient(layout.positions) {
        lemma_scatter_add(handle, batch.count, d, batch.positions, slope, positions)
      }
      row += batch.count
    }
  }

  /// From `way.result`, the gradient of a norm's output, into the stream's.
  private func norm(
    _ pass: Pass, _ at: ParameterLayout.Norm, _ normed: Arena.Operands, _ rstd: Arena.Numbers
  ) {
    var norm = norm(pass.rows, at, normed, rstd)
    let isNarrow = shape.precision == .bfloat16
    lemma_norm_backward(
      pool.handle, &norm, saved.way.result, saved.stream, isNarrow ? saved.back.slope : nil, gradient(at.gain),
      gradient(at.bias))
  }

  /// The stream's gradient as it reaches a product that writes into the stream.
  private func slope(_ pass: Pass, site: Int) -> Arena.Operands {
    guard var rule = pass.rule(site) else { return saved.back.slope }
    lemma_dropout_store(pool.handle, &rule, pass.rows, model.hiddenSize, saved.stream, saved.back.dropped)
    return saved.back.dropped
  }

  private func biasGradient(_ rows: Int, _ width: Int, _ slope: Arena.Operands, _ bias: Int?) {
    guard let bias = gradient(bias) else { return }
    lemma_sum_rows(pool.handle, rows, width, slope, bias)
  }

  private func feedForward(_ pass: Pass, layer index: Int) {
    let (handle, rows) = (pool.handle, pass.rows)
    let (d, f, result) = (model.hiddenSize, model.intermediateSize, saved.way.result)
    let (layer, at, operand) = (saved.layers[index], parameters.layout.layers[index], saved.way.operand)
    let slope = slope(pass, site: 2 * index + 2)
    pool.backward(rows, d, f, slope, weights(at.down), into: stored(result))
    // From here on `layer.up` is its gradient, and `operand` what the last product took.
    if model.isGated {
      lemma_swiglu_backward(handle, rows, f, result, layer.up, layer.up, operand)
    } else {
      lemma_gelu_backward(handle, rows, f, result, layer.up, layer.up, operand)
    }
    pool.gradient(rows, d, f, slope, operand, isFirst: pass.isFirst, into: gradient(at.down))
    biasGradient(rows, d, slope, at.downBias)
    pool.backward(rows, model.upWidth, d, layer.up, weights(at.up), into: stored(result))
    var norm = norm(rows, at.feedForwardNorm, layer.middleNormed, layer.middleRstd)
    lemma_norm_again(handle, &norm, operand)
    pool.gradient(rows, model.upWidth, d, layer.up, operand, isFirst: pass.isFirst, into: gradient(at.up))
    biasGradient(rows, model.upWidth, layer.up, at.upBias)
    self.norm(pass, at.feedForwardNorm, layer.middleNormed, layer.middleRstd)
  }

  private func attention(_ pass: Pass, layer index: Int) {
    let (handle, rows) = (pool.handle, pass.rows)
    let (d, q, qkv, result) = (model.hiddenSize, model.queryWidth, model.attentionWidth, saved.way.result)
    let (layer, at, operand) = (saved.layers[index], parameters.layout.layers[index], saved.way.operand)
    let slope = slope(pass, site: 2 * index + 1)
    pool.backward(rows, d, q, slope, weights(at.output), into: stored(result))
    pool.gradient(rows, d, q, slope, layer.attended, isFirst: pass.isFirst, into: gradient(at.output))
    biasGradient(rows, d, slope, at.outputBias)
    pass.withShape(model) {
      lemma_attention_backward(
        handle, $0, layer.attention, layer.attended, layer.stats, result, saved.back.attention)
    }
    // From here on `layer.attention` is its gradient.
    rotated(pass, inverse: true) { lemma_rope_store(handle, $0, saved.back.attention, layer.attention) }
    pool.backward(rows, qkv, d, layer.attention, weights(at.attention), into: stored(result))
    var norm = norm(rows, at.attentionNorm, layer.normed, layer.rstd)
    lemma_norm_again(handle, &norm, operand)
    pool.gradient(rows, qkv, d, layer.attention, operand, isFirst: pass.isFirst, into: gradient(at.attention))
    biasGradient(rows, qkv, layer.attention, at.attentionBias)
    self.norm(pass, at.attentionNorm, layer.normed, layer.rstd)
  }
}
