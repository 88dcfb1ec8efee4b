import CKernels

/// Decoupled weight decay on matrices, none on gains (Loshchilov and Hutter, 2019), after clipping by global norm.
struct AdamW {
  private let first: Floats
  private let second: Floats
  private var power1 = 1.0
  private var power2 = 1.0
  private var partial: [Double]

  init(count: Int) throws {
    first = try Floats(count)
    second = try Floats(count)
    partial = [Double](repeating: 0, count: count / 16_384 + 1)
  }

  /// The L2 norm of all gradients.
  mutating func norm(of gradients: Floats, pool: KernelPool) -> Double {
    lemma_squared_norm(pool.handle, gradients.count, gradients.pointer, &partial).squareRoot()
  }

  /// Takes one step with gradients scaled down to `clip` if `norm` is beyond it.
  mutating func update(
    _ parameters: Parameters, gradients: Floats, norm: Double, rate: Double, settings: TrainingConfiguration,
    pool: KernelPool
  ) {
    power1 *= settings.beta1
    power2 *= settings.beta2
    var rule = lemma_adamw(
      rate: Float(rate), beta1: Float(settings.beta1), beta2: Float(settings.beta2),
      epsilon: Float(settings.epsilon), decay: Float(settings.weightDecay), correction1: Float(1 / (1 - power1)),
      correction2: Float(1 / (1 - power2)),
      gradient_scale: norm > settings.clip ? Float(settings.clip / norm) : 1)
    let matrices = parameters.layout.matrixCount
    for (range, decay) in [
      (0..<matrices, rule.decay), (matrices..<parameters.layout.count, 0),
    ] {
      rule.decay = decay
      let offset = range.lowerBound
      lemma_adamw_step(
        pool.handle, &rule, range.count, gradients.pointer + offset, first.pointer + offset, second.pointer + offset,
        parameters.values.pointer + offset)
    }
  }
}
