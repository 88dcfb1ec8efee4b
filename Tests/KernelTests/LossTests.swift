import CKernels
import Glibc
import Testing

@Suite struct LossTests {
  @Test(arguments: [1, 2, 16, 33, 257]) func crossEntropyAndItsGradient(_ classes: Int) {
    let rows = 9
    let logits = randoms(rows * classes, seed: 1, scale: 10)
    let targets = (0..<rows).map { $0 == 4 ? -1 : Int32(($0 * 31) % classes) }
    let scale: Float = 0.25
    let found = everywhere { pool in
      var gradient = logits
      var losses = [Double](repeating: -1, count: rows)
      lemma_cross_entropy(pool, rows, classes, targets, scale, &gradient, &losses)
      return gradient + losses.map(Float.init)
    }
    var gradient = [Double](repeating: 0, count: rows * classes)
    var losses = [Double](repeating: 0, count: rows)
    for r in 0..<rows where targets[r] >= 0 {
      let row = (0..<classes).map { Double(logits[r * classes + $0]) }
      let top = row.max() ?? 0
      let sum = row.reduce(0) { $0 + exp($1 - top) }
      losses[r] = log(sum) + top - row[Int(targets[r])]
      for i in 0..<classes {
        gradient[r * classes + i] = Double(scale) * (exp(row[i] - top) / sum - (i == Int(targets[r]) ? 1 : 0))
      }
    }
    expectClose(found, gradient + losses, tolerance: 1e-6)
  }

  @Test func withoutAScaleOnlyTheLossIsFound() {
    withPool(lemma_path_best(), threads: 1) { pool in
      var logits: [Float] = [0, 0, 0, 0]
      var losses = [0.0]
      lemma_cross_entropy(pool, 1, 4, [2], 0, &logits, &losses)
      #expect(abs(losses[0] - log(4.0)) < 1e-7)
    }
  }

  @Test(arguments: [.nan, .infinity] as [Float]) func aLogitThatIsNotFiniteShowsInTheLoss(_ bad: Float) {
    for path in supportedPaths {
      withPool(path, threads: 2) { pool in
        var logits = randoms(40, seed: 2)
        logits[21] = bad
        var losses = [0.0]
        lemma_cross_entropy(pool, 1, 40, [3], 1, &logits, &losses)
        #expect(!losses[0].isFinite)
      }
    }
  }

  @Test func argmaxTakesTheLowestOfEquals() {
    let logits: [Float] = [1, 3, 3, 2, -1, -2, -1, -5, 0, .nan, 9, 1]
    for path in supportedPaths {
      withPool(path, threads: 2) { pool in
        var best: [Int32] = [9, 9, 9]
        lemma_argmax(pool, 3, 4, logits, &best)
        #expect(best == [1, 0, -1])
      }
    }
  }
}
