/// What a network needs room for.
struct NetworkShape {
  var model: ModelConfiguration
  var precision: Precision
  /// The most tokens of one batch, and of one step's batches together.
  var tokens: Int
  var stepTokens: Int
  /// Whether layers are run again on the way back, in place of keeping what they computed.
  var recomputes = false
  var hasDropout = false

  /// Rows of logits that exist at a time: a wide vocabulary must not need memory for all of them.
  var logitRows: Int { min(tokens, model.vocabularySize > 8192 ? 512 : 1024) }
  /// Between rows of logits, a whole number of lane groups.
  var logitPitch: Int { (model.vocabularySize + 15) / 16 * 16 }

  /// Bytes of the arena.
  var arenaSize: Int {
    var arena = Arena(precision)
    _ = Activations(self, &arena)
    return arena.size
  }
}

/// The arena's pieces. Sizes in comments are for T tokens of a batch and L rows of the loss.
struct Activations {
  /// What the forward pass keeps of a layer for the backward pass.
  struct Layer {
    /// The first norm's output before its gain, [T, hidden], and 1 / its root, [T].
    let normed: Arena.Operands
    let rstd: Arena.Numbers
    /// Rotated queries and keys, and values, [T, (heads + 2 kv) head]; then their gradients.
    let attention: Arena.Operands
    /// [T, heads head]
    let attended: Arena.Operands
    /// The softmax's maximum and 1/sum: [T, heads, 2].
    let stats: Arena.Numbers
    let middleNormed: Arena.Operands
    let middleRstd: Arena.Numbers
    /// [T, gate | up] or [T, up]; then its gradient.
    let up: Arena.Operands

    init(_ shape: NetworkShape, _ arena: inout Arena) {
      let (model, rows) = (shape.model, shape.tokens)
      normed = arena.operands(rows * model.hiddenSize)
      rstd = arena.numbers(rows)
      attention = arena.operands(rows * model.attentionWidth)
      attended = arena.operands(rows * model.queryWidth)
      stats = arena.numbers(rows * model.heads * 2)
      middleNormed = arena.operands(rows * model.hiddenSize)
      middleRstd = arena.numbers(rows)
      up = arena.operands(rows * model.upWidth)
    }
  }

  /// Where the way up and the way back do their work, [T, …].
  struct Way {
    /// What the next product takes, [T, hidden or intermediate].
    let operand: Arena.Operands
    /// What a product gave that is not kept, [T, hidden, intermediate or heads head].
    let result: Arena.Operands
    /// Where long sums wait before they are stored as operands.
    let waiting: Arena.Numbers
  }

  struct Loss {
    /// The rows that the loss looks at, [L, hidden].
    let chosen: Arena.Operands
    let logits: Arena.Numbers
    /// [rows of logits, hidden]
    let waiting: Arena.Numbers
  }

  struct Back {
    /// The residual stream's gradient as an operand, and the same after dropout.
    let slope: Arena.Operands
    let dropped: Arena.Operands
    /// That of queries, keys and values, [T, (heads + 2 kv) head].
    let attention: Arena.Numbers
  }

  /// The residual stream, [T, hidden]; on the way back, its gradient.
  let stream: Arena.Numbers
  /// One for each layer; the same one for all where layers are run again.
  let layers: [Layer]
  /// The stream before each layer, where layers are run again.
  let inputs: [Arena.Numbers]
  let outputNormed: Arena.Operands
  let outputRstd: Arena.Numbers
  /// [L, hidden]
  let chosenGradient: Arena.Operands
  /// The gradient of all embedded tokens of the step, [step's tokens, hidden].
  let embedded: Arena.Numbers
  let way: Way
  let loss: Loss
  let back: Back

  init(_ shape: NetworkShape, _ arena: inout Arena) {
    let (model, rows, d) = (shape.model, shape.tokens, shape.model.hiddenSize)
    let isNarrow = shape.precision == .bfloat16
    stream = arena.numbers(rows * d)
    if shape.recomputes {
      inputs = (0..<model.layers).map { _ in arena.numbers(rows * d) }
      layers = Array(repeating: Layer(shape, &arena), count: model.layers)
    } else {
      inputs = []
      layers = (0..<model.layers).map { _ in Layer(shape, &arena) }
    }
    outputNormed = arena.operands(rows * d)
    outputRstd = arena.numbers(rows)
    chosenGradient = arena.operands(rows * d)
    embedded = shape.stepTokens > rows ? arena.numbers(shape.stepTokens * d) : stream
    // Nobody needs the loss's pieces and those of the two ways at the same time.
    loss = arena.lending { arena in
      Loss(
        chosen: arena.operands(rows * d), logits: arena.numbers(shape.logitRows * shape.logitPitch),
        waiting: arena.numbers(shape.logitRows * d))
    }
    way = Way(
      operand: arena.operands(rows * max(d, model.intermediateSize)),
      result: arena.operands(rows * max(d, model.intermediateSize, model.queryWidth)),
      waiting: arena.numbers(rows * Activations.waitingWidth(shape)))
    let slope = isNarrow ? arena.operands(rows * d) : Arena.Operands(stream)
    back = Back(
      slope: slope, dropped: shape.hasDropout ? arena.operands(rows * d) : slope,
      attention: arena.numbers(rows * model.attentionWidth))
  }

  /// The widest result, stored as operands, of a product with more inputs than sums can do without waiting.
  private static func waitingWidth(_ shape: NetworkShape) -> Int {
    let (model, d) = (shape.model, shape.model.hiddenSize)
    if shape.precision == .float32 { return 0 }
    let products = [
      (d, model.attentionWidth), (d, model.upWidth), (d, model.intermediateSize), (d, model.queryWidth),
      (model.attentionWidth, d), (model.upWidth, d), (model.intermediateSize, d), (model.queryWidth, d),
    ]
    return products.filter { $0.0 > shape.precision.depth }.map(\.1).max() ?? 0
  }
}
