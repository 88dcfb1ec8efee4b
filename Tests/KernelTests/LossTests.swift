import CKernels
import Glibc
import Testing

@Suite struct LossTests {
  /// Losses, and the gradient that lies where the logits were.
  private func crossEntropy(
    _ pool: OpaquePointer, _ logits: [Float], classes: Int, _ targets: [Int32], scale: Float, smoothing: Float = 0
  ) -> (losses: [Double], gradient: [Float]) {
    let rows = targets.count
    let ld = (classes + 1) / 2 * 2
    var padded = [Float](repeating: .nan, count: rows * ld)
    for r in 0..<rows {
      padded.replaceSubrange(r * ld..<r * ld + classes, with: logits[r * classes..<(r + 1) * classes])
    }
    var losses = [Double](repeating: -1, count: rows)
    var shape = lemma_cross_entropy_shape(rows: rows, classes: classes, ld: ld, scale: scale, smoothing: smoothing)
    lemma_cross_entropy(pool, &shape, targets, &padded, &losses)
    let size = lemma_operand_size(pool)
    let bytes = padded.withUnsafeBytes(Array.init)
    var gradient: [Float] = []
    for r in 0..<rows { gradient += numbers(pool, Array(bytes[r * ld * 4..<r * ld * 4 + ld * size])) }
    return (losses, gradient)
  }

  @Test(arguments: [1, 2, 16, 33, 257], [0, 0.1] as [Float])
  func crossEntropyAndItsGradient(_ classes: Int, _ smoothing: Float) {
    let rows = 9
    let ld = (classes + 1) / 2 * 2
    let logits = randoms(rows * classes, seed: 1, scale: 10)
    let targets = (0..<rows).map { $0 == 4 ? -1 : Int32(($0 * 31) % classes) }
    let scale: Float = 0.25
    var gradient = [Double](repeating: 0, count: rows * ld)
    var losses = [Double](repeating: 0, count: rows)
    for r in 0..<rows where targets[r] >= 0 {
      let row = (0..<classes).map { Double(logits[r * classes + $0]) }
      let top = row.max() ?? 0
      let sum = row.reduce(0) { $0 + exp($1 - top) }
      let (kept, spread) = (1 - Double(smoothing), Double(smoothing) / Double(classes))
      for i in 0..<classes {
        let aim = (i == Int(targets[r]) ? kept : 0) + spread
        losses[r] += aim * (log(sum) + top - row[i])
        gradient[r * ld + i] = Double(scale) * (exp(row[i] - top) / sum - aim)
      }
    }
    for p in Precision.allCases {
      let found = everywhere(p) { pool in
        let found = crossEntropy(pool, logits, classes: classes, targets, scale: scale, smoothing: smoothing)
        return found.gradient + found.losses.map(Float.init)
      }
      // Beyond an odd number of classes a row is padded with a zero.
      expectClose(Array(found[..<(rows * ld)]), gradient, ulps: 0.5, of: p)
      expectClose(Array(found[(rows * ld)...]), losses, ulps: 4)
    }
  }

  @Test func withoutAScaleOnlyTheLossIsFound() {
    withPool(lemma_path_best(), threads: 1) { pool in
      let found = crossEntropy(pool, [0, 0, 0, 0], classes: 4, [2], scale: 0)
      #expect(abs(found.losses[0] - log(4.0)) < 1e-7)
    }
  }

  @Test(arguments: [.nan, .infinity] as [Float]) func aLogitThatIsNotFiniteShowsInTheLoss(_ bad: Float) {
    for path in supportedPaths {
      withPool(path, threads: 2) { pool in
        var logits = randoms(40, seed: 2)
        logits[21] = bad
        #expect(!crossEntropy(pool, logits, classes: 40, [3], scale: 1).losses[0].isFinite)
      }
    }
  }

  @Test func argmaxTakesTheLowestOfEquals() {
    let logits: [Float] = [1, 3, 3, 2, -1, -2, -1, -5, 0, .nan, 9, 1]
    for path in supportedPaths {
      withPool(path, threads: 2) { pool in
        var best: [Int32] = [9, 9, 9]
        lemma_argmax(pool, 3, 4, 4, logits, &best)
        #expect(best == [1, 0, -1])
      }
    }
  }
}
