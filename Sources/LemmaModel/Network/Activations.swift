/// What the forward pass keeps for the backward pass, for up to `capacity` tokens.
struct Activations {
  struct Layer {
    /// The residual stream on entry, [tokens, hidden].
    let input: Floats
    let normed: Floats
    let rstd: Floats
    /// Rotated queries and keys, and values: [tokens, (heads + 2 kv) head].
    let attention: Floats
    let attended: Floats
    /// The softmax's maximum and 1/sum: [tokens, heads, 2].
    let stats: Floats
    /// The residual stream after attention.
    let middle: Floats
    let middleNormed: Floats
    let middleRstd: Floats
    /// [tokens, gate | up]; the backward pass turns it into its gradient.
    let gateUp: Floats
    let gated: Floats

    init(_ model: ModelConfiguration, _ capacity: Int) throws {
      input = try Floats(capacity * model.hiddenSize)
      normed = try Floats(capacity * model.hiddenSize)
      rstd = try Floats(capacity)
      attention = try Floats(capacity * model.attentionWidth)
      attended = try Floats(capacity * model.queryWidth)
      stats = try Floats(capacity * model.heads * 2)
      middle = try Floats(capacity * model.hiddenSize)
      middleNormed = try Floats(capacity * model.hiddenSize)
      middleRstd = try Floats(capacity)
      gateUp = try Floats(capacity * 2 * model.intermediateSize)
      gated = try Floats(capacity * model.intermediateSize)
    }
  }

  let layers: [Layer]
  let output: Floats
  let outputNormed: Floats
  let outputRstd: Floats

  init(_ model: ModelConfiguration, capacity: Int) throws {
    layers = try (0..<model.layers).map { _ in try Layer(model, capacity) }
    output = try Floats(capacity * model.hiddenSize)
    outputNormed = try Floats(capacity * model.hiddenSize)
    outputRstd = try Floats(capacity)
  }
}
