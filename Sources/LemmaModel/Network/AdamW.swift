import CKernels

/// Decoupled weight decay on matrices, none on gains and biases (Loshchilov and Hutter, 2019), after clipping by
/// global norm.
struct AdamW {
  let first: Floats
  let second: Floats
  private var partial: [Double]

  /// - Parameter count: of numbers to be trained.
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
  /// - Parameters:
  ///   - decaying: how many of the values are in matrices, which come first.
  ///   - step: from 1.
  func update(
    _ values: Floats, decaying: Int, gradients: Floats, norm: Double, rate: Double, step: Int,
    settings: TrainingConfiguration, pool: KernelPool
  ) {
    // By multiplication, so that no library's power function has a say.
    var (power1, power2) = (1.0, 1.0)
    for _ in 0..<step {
      power1 *= settings.beta1
      power2 *= settings.beta2
      // Below that, one less a power is one.
      if power1 < 0x1p-60, power2 < 0x1p-60 { break }
    }
    var rule = lemma_adamw(
      rate: Float(rate), beta1: Float(settings.beta1), beta2: Float(settings.beta2),
      epsilon: Float(settings.epsilon), decay: Float(settings.weightDecay), correction1: Float(1 / (1 - power1)),
      correction2: Float(1 / (1 - power2)),
      gradient_scale: norm > settings.clip ? Float(settings.clip / norm) : 1)
    for (range, decay) in [(0..<decaying, rule.decay), (decaying..<values.count, 0)] {
      rule.decay = decay
      let offset = range.lowerBound
      lemma_adamw_step(
        pool.handle, &rule, range.count, gradients.pointer + offset, first.pointer + offset, second.pointer + offset,
        values.pointer + offset)
    }
  }
}
