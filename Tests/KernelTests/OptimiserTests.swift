import CKernels
import Testing

@Suite struct OptimiserTests {
  @Test(arguments: [1, 16, 16_383, 16_385, 40_000]) func theNormAddsFixedChunksInOrder(_ count: Int) {
    let x = randoms(count, seed: 1, scale: 4)
    let found = everywhere { pool in
      var partial = [Double](repeating: 0, count: count / 16_384 + 1)
      let sum = lemma_squared_norm(pool, count, x, &partial)
      return [Float(sum), Float(sum - Double(Float(sum)))]
    }
    let chunks = stride(from: 0, to: count, by: 16_384).map { x[$0..<min(count, $0 + 16_384)] }
    let ordered = chunks.reduce(0.0) { $0 + Double(laneSum($1, $1)) }
    #expect(Double(found[0]) + Double(found[1]) == ordered)
    let exact = x.reduce(0.0) { $0 + Double($1) * Double($1) }
    #expect(abs(Double(found[0]) + Double(found[1]) - exact) <= 1e-5 * exact)
  }

  @Test(arguments: [1, 17, 1000]) func adamWFollowsItsPaper(_ count: Int) {
    let gradients = (0..<3).map { randoms(count, seed: 2 + UInt64($0)) }
    let start = randoms(count, seed: 9)
    let (rate, beta1, beta2, epsilon, decay, scale) = (1e-2, 0.9, 0.95, 1e-8, 0.1, 0.5)
    let found = everywhere { pool in
      var (first, second) = ([Float](repeating: 0, count: count), [Float](repeating: 0, count: count))
      var weights = start
      var (power1, power2) = (1.0, 1.0)
      for gradient in gradients {
        (power1, power2) = (power1 * beta1, power2 * beta2)
        var rule = lemma_adamw(
          rate: Float(rate), beta1: Float(beta1), beta2: Float(beta2), epsilon: Float(epsilon),
          decay: Float(decay), correction1: Float(1 / (1 - power1)), correction2: Float(1 / (1 - power2)),
          gradient_scale: Float(scale))
        lemma_adamw_step(pool, &rule, count, gradient, &first, &second, &weights)
      }
      return weights + first + second
    }
    var (first, second) = ([Double](repeating: 0, count: count), [Double](repeating: 0, count: count))
    var weights = start.map(Double.init)
    var (power1, power2) = (1.0, 1.0)
    for gradient in gradients {
      (power1, power2) = (power1 * beta1, power2 * beta2)
      for i in 0..<count {
        let g = Double(gradient[i]) * scale
        first[i] = beta1 * first[i] + (1 - beta1) * g
        second[i] = beta2 * second[i] + (1 - beta2) * g * g
        let step = first[i] / (1 - power1) / ((second[i] / (1 - power2)).squareRoot() + epsilon)
        weights[i] -= rate * (step + decay * weights[i])
      }
    }
    expectClose(found, weights + first + second, ulps: 1)
  }

  @Test func zeroClearsExactlyWhatItIsTold() {
    let found = everywhere { pool in
      var x = [Float](repeating: 3, count: 5000)
      lemma_zero(pool, 4999, &x)
      return x
    }
    #expect(found == [Float](repeating: 0, count: 4999) + [3])
  }

  @Test(arguments: [1, 63, 64, 200]) func dropoutKeepsTheShareThatItIsTold(_ width: Int) {
    let rows = 4000 / width + 1
    let x = randoms(rows * width, seed: 3)
    var rule = lemma_dropout(seed: 5, step: 7, site: 2, row: 10, share: 0.25)
    let dropped = everywhere { pool in
      var y = x
      lemma_dropout_apply(pool, &rule, rows, width, x, &y)
      return y
    }
    let kept = zip(x, dropped).filter { $1 != 0 }
    #expect(kept.allSatisfy { $1 == $0 * Float(1 / 0.75) })
    #expect(abs(Double(kept.count) / Double(x.count) - 0.75) < 0.04)
    // Added to a sum, and stored, it is the same.
    let added = everywhere { pool in
      var sum = x
      lemma_dropout_add(pool, &rule, rows, width, operands(pool, x), &sum)
      return sum
    }
    #expect(added == zip(x, dropped).map { $0 + $1 })
    let stored = everywhere(.bfloat16) { pool in
      var y = room(pool, x.count)
      lemma_dropout_store(pool, &rule, rows, width, x, &y)
      return numbers(pool, y)
    }
    #expect(stored == Precision.bfloat16.rounded(dropped))
    // Rows know their number: the same rows, cut off from those before them.
    rule.row += 1
    let rest = everywhere { pool in
      var y = Array(x[width...])
      lemma_dropout_apply(pool, &rule, rows - 1, width, Array(x[width...]), &y)
      return y
    }
    #expect(rest[...] == dropped[width...])
    rule.step += 1
    let next = everywhere { pool in
      var y = x
      lemma_dropout_apply(pool, &rule, rows, width, x, &y)
      return y
    }
    #expect(next != dropped)
  }
}
