import CKernels
import Glibc
import Testing

@Suite struct RowKernelTests {
  static let widths = [1, 15, 16, 17, 48, 100, 130]
  let rows = 11

  @Test(arguments: widths) func rmsNormAndItsGradient(_ width: Int) {
    let x = randoms(rows * width, seed: 1, scale: 3)
    let gain = randoms(width, seed: 2, scale: 2)
    let dy = randoms(rows * width, seed: 3)
    let base = randoms(rows * width, seed: 4)
    let baseGain = randoms(width, seed: 5)
    let rows = rows
    let found = everywhere { pool in
      var y = [Float](repeating: 0, count: rows * width)
      var rstd = [Float](repeating: 0, count: rows)
      var (dx, dgain) = (base, baseGain)
      lemma_rmsnorm_forward(pool, rows, width, 1e-5, x, gain, &y, &rstd)
      lemma_rmsnorm_backward(pool, rows, width, dy, x, gain, rstd, &dx, &dgain)
      return y + dx + dgain
    }
    var y = [Double](repeating: 0, count: rows * width)
    var dx = base.map(Double.init)
    var dgain = baseGain.map(Double.init)
    for r in 0..<rows {
      let row = (0..<width).map { Double(x[r * width + $0]) }
      let rstd = 1 / (row.reduce(0) { $0 + $1 * $1 } / Double(width) + 1e-5).squareRoot()
      let push = (0..<width).map { Double(gain[$0]) * Double(dy[r * width + $0]) }
      let along = zip(push, row).reduce(0) { $0 + $1.0 * $1.1 } / Double(width)
      for i in 0..<width {
        y[r * width + i] = row[i] * rstd * Double(gain[i])
        dx[r * width + i] += rstd * (push[i] - row[i] * rstd * rstd * along)
        dgain[i] += Double(dy[r * width + i]) * row[i] * rstd
      }
    }
    expectClose(found, y + dx + dgain, tolerance: 2e-5)
  }

  @Test(arguments: widths) func aRowSumGoesOverSixteenLanesAndATokenSumInOrder(_ width: Int) {
    let x = randoms(rows * width, seed: 11, scale: 3)
    let dy = randoms(rows * width, seed: 12)
    let gain = [Float](repeating: 1, count: width)
    let rows = rows
    let found = everywhere { pool in
      var y = [Float](repeating: 0, count: rows * width)
      var rstd = [Float](repeating: 0, count: rows)
      var (dx, dgain) = (y, gain)
      lemma_rmsnorm_forward(pool, rows, width, 1e-5, x, gain, &y, &rstd)
      lemma_rmsnorm_backward(pool, rows, width, dy, x, gain, rstd, &dx, &dgain)
      return rstd + dgain
    }
    let rstd = (0..<rows).map { r -> Float in
      let row = x[r * width..<(r + 1) * width]
      return 1 / (laneSum(row, row) / Float(width) + 1e-5).squareRoot()
    }
    let dgain = (0..<width).map { i in
      (0..<rows).reduce(Float(1)) { $0.addingProduct(dy[$1 * width + i], x[$1 * width + i] * rstd[$1]) }
    }
    #expect(found == rstd + dgain)
  }

  @Test(arguments: widths) func swiGLUAndItsGradient(_ width: Int) {
    let gateUp = randoms(rows * 2 * width, seed: 6, scale: 8)
    let dy = randoms(rows * width, seed: 7)
    let rows = rows
    let found = everywhere { pool in
      var y = [Float](repeating: 0, count: rows * width)
      lemma_swiglu_forward(pool, rows, width, gateUp, &y)
      var gradient = gateUp
      lemma_swiglu_backward(pool, rows, width, dy, &gradient)
      return y + gradient
    }
    var y = [Double](repeating: 0, count: rows * width)
    var gradient = [Double](repeating: 0, count: rows * 2 * width)
    for r in 0..<rows {
      for i in 0..<width {
        let g = Double(gateUp[2 * r * width + i])
        let u = Double(gateUp[(2 * r + 1) * width + i])
        let s = 1 / (1 + exp(-g))
        let d = Double(dy[r * width + i])
        y[r * width + i] = g * s * u
        gradient[2 * r * width + i] = d * u * s * (1 + g * (1 - s))
        gradient[(2 * r + 1) * width + i] = d * g * s
      }
    }
    expectClose(found, y + gradient, tolerance: 2e-6)
  }

  @Test func swiGLUOfExtremeGatesIsFinite() {
    let gateUp: [Float] = [-1000, 1000, -88, 88, 0, 1, 1, 1, 1, 1]
    let found = everywhere { pool in
      var y = [Float](repeating: 0, count: 5)
      lemma_swiglu_forward(pool, 1, 5, gateUp, &y)
      return y
    }
    #expect(found.allSatisfy { $0.isFinite })
    #expect(found[1] == 1000 && found[4] == 0)
  }

  @Test(arguments: [2, 10, 32, 64]) func ropeTurnsPairsAndBackAgain(_ head: Int) {
    let (heads, ld, positions) = (3, 3 * head + 5, 40)
    let x = randoms(rows * ld, seed: 8)
    let places = (0..<rows).map { Int32(($0 * 7) % positions) }
    var cosines = [Float](repeating: 0, count: positions * head / 2)
    var sines = cosines
    lemma_rope_table(positions, head, 10_000, &cosines, &sines)
    let rows = rows
    let turned = everywhere { pool in
      var y = x
      lemma_rope(pool, rows, heads, head, places, cosines, sines, false, &y, ld)
      return y
    }
    var expected = x.map(Double.init)
    for r in 0..<rows {
      for h in 0..<heads {
        for i in 0..<head / 2 {
          let angle = Double(places[r]) * pow(10_000, -2 * Double(i) / Double(head))
          let (first, second) = (r * ld + h * head + i, r * ld + h * head + head / 2 + i)
          let (a, b) = (expected[first], expected[second])
          expected[first] = a * cos(angle) - b * sin(angle)
          expected[second] = b * cos(angle) + a * sin(angle)
        }
      }
    }
    expectClose(turned, expected, tolerance: 1e-6)
    let back = everywhere { pool in
      var y = turned
      lemma_rope(pool, rows, heads, head, places, cosines, sines, true, &y, ld)
      return y
    }
    expectClose(back, x.map(Double.init), tolerance: 1e-6)
  }

  @Test(arguments: widths) func gatherAndScatterKeepTheOrderOfRows(_ width: Int) {
    let table = randoms(5 * width, seed: 9)
    let index: [Int32] = [4, 0, 4, 2, 4, 4, 1, 0, 2, 2, 4]
    let rows = rows
    let gathered = everywhere { pool in
      var y = [Float](repeating: 0, count: rows * width)
      lemma_gather(pool, rows, width, index, table, &y)
      return y
    }
    #expect(gathered == index.flatMap { table[Int($0) * width..<(Int($0) + 1) * width] })
    let dy = randoms(rows * width, seed: 10)
    let summed = everywhere { pool in
      var sums = table
      lemma_scatter_add(pool, rows, width, index, dy, &sums)
      return sums
    }
    var expected = table
    for (r, target) in index.enumerated() {
      for i in 0..<width { expected[Int(target) * width + i] += dy[r * width + i] }
    }
    #expect(summed == expected)
  }
}
