import CKernels
import Glibc
import Testing

@Suite struct RowKernelTests {
  static let widths = [1, 15, 16, 17, 48, 100, 130]
  let rows = 11

  /// A norm there and back: y, what `again` makes of what was kept, dx, its operands, dgain, dbias and rstd.
  private func norm(
    _ pool: OpaquePointer, _ width: Int, x: [Float], gain: [Float], bias: [Float]?, dy: [Float], base: [Float],
    sums: [Float]
  ) -> [Float] {
    var (normed, y, again) = (room(pool, x.count), room(pool, x.count), room(pool, x.count))
    var stored = room(pool, x.count)
    var rstd = [Float](repeating: 0, count: rows)
    var (dx, dgain, dbias) = (base, sums, sums)
    gain.withUnsafeBufferPointer { gain in
      (bias ?? []).withUnsafeBufferPointer { values in
        normed.withUnsafeMutableBytes { normed in
          rstd.withUnsafeMutableBufferPointer { rstd in
            var norm = lemma_norm(
              rows: rows, width: width, epsilon: 1e-5, gain: gain.baseAddress,
              bias: bias == nil ? nil : values.baseAddress, normed: normed.baseAddress, rstd: rstd.baseAddress)
            lemma_norm_forward(pool, &norm, x, &y)
            lemma_norm_again(pool, &norm, &again)
            lemma_norm_backward(pool, &norm, operands(pool, dy), &dx, &stored, &dgain, &dbias)
          }
        }
      }
    }
    #expect(y == again)
    #expect(operands(pool, dx) == stored)
    return numbers(pool, y) + dx + dgain + (bias == nil ? [] : dbias) + rstd
  }

  @Test(arguments: widths, [false, true]) func normsAndTheirGradients(_ width: Int, _ isCentred: Bool) {
    let x = randoms(rows * width, seed: 1, scale: 3)
    let gain = randoms(width, seed: 2, scale: 2)
    let bias = isCentred ? randoms(width, seed: 13) : nil
    let dy = randoms(rows * width, seed: 3)
    let base = randoms(rows * width, seed: 4)
    let sums = randoms(width, seed: 5)
    var y = [Double](repeating: 0, count: rows * width)
    var dx = base.map(Double.init)
    var dgain = sums.map(Double.init)
    var dbias = dgain
    var roots: [Double] = []
    for r in 0..<rows {
      let values = (0..<width).map { Double(x[r * width + $0]) }
      let mean = isCentred ? values.reduce(0, +) / Double(width) : 0
      let row = values.map { $0 - mean }
      let rstd = 1 / (row.reduce(0) { $0 + $1 * $1 } / Double(width) + 1e-5).squareRoot()
      roots.append(rstd)
      let push = (0..<width).map { Double(gain[$0]) * Double(dy[r * width + $0]) }
      let along = zip(push, row).reduce(0) { $0 + $1.0 * $1.1 } / Double(width)
      let level = isCentred ? push.reduce(0, +) / Double(width) : 0
      for i in 0..<width {
        y[r * width + i] = row[i] * rstd * Double(gain[i]) + Double(bias?[i] ?? 0)
        dx[r * width + i] += rstd * (push[i] - level - row[i] * rstd * rstd * along)
        dgain[i] += Double(dy[r * width + i]) * row[i] * rstd
        dbias[i] += Double(dy[r * width + i])
      }
    }
    let expected = y + dx + dgain + (isCentred ? dbias : []) + roots
    for p in Precision.allCases {
      let found = everywhere(p) { norm($0, width, x: x, gain: gain, bias: bias, dy: dy, base: base, sums: sums) }
      expectClose(found, expected, ulps: (p == .float32 ? 8 : 3), of: p)
    }
  }

  @Test(arguments: widths) func aRowSumGoesOverSixteenLanesAndATokenSumInOrder(_ width: Int) {
    let x = randoms(rows * width, seed: 11, scale: 3)
    let dy = randoms(rows * width, seed: 12)
    let gain = [Float](repeating: 1, count: width)
    let found = everywhere { pool in
      let all = norm(
        pool, width, x: x, gain: gain, bias: nil, dy: dy, base: [Float](repeating: 0, count: rows * width), sums: gain)
      return Array(all[(2 * rows * width)...])
    }
    let rstd = (0..<rows).map { r -> Float in
      let row = x[r * width..<(r + 1) * width]
      return 1 / (laneSum(row, row) / Float(width) + 1e-5).squareRoot()
    }
    let dgain = (0..<width).map { i in
      (0..<rows).reduce(Float(1)) { $0.addingProduct(dy[$1 * width + i], x[$1 * width + i] * rstd[$1]) }
    }
    #expect(found == dgain + rstd)
  }

  /// There and back: y, the slope, and y made again.
  private func gate(
    _ pool: OpaquePointer, _ width: Int, _ x: [Float], _ dy: [Float], isGated: Bool
  ) -> [Float] {
    var (y, slope, again) = (room(pool, dy.count), operands(pool, x), room(pool, dy.count))
    if isGated {
      lemma_swiglu_forward(pool, rows, width, operands(pool, x), &y)
      slope.withUnsafeMutableBytes {
        lemma_swiglu_backward(pool, rows, width, operands(pool, dy), $0.baseAddress, $0.baseAddress, &again)
      }
    } else {
      lemma_gelu_forward(pool, rows, width, operands(pool, x), &y)
      slope.withUnsafeMutableBytes {
        lemma_gelu_backward(pool, rows, width, operands(pool, dy), $0.baseAddress, $0.baseAddress, &again)
      }
    }
    #expect(y == again)
    return numbers(pool, y) + numbers(pool, slope)
  }

  @Test(arguments: widths, Precision.allCases) func swiGLUAndItsGradient(_ width: Int, _ p: Precision) {
    let gateUp = p.rounded(randoms(rows * 2 * width, seed: 6, scale: 8))
    let dy = p.rounded(randoms(rows * width, seed: 7))
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
    expectClose(
      everywhere(p) { gate($0, width, gateUp, dy, isGated: true) }, y + gradient, ulps: p == .float32 ? 12 : 0.51, of: p
    )
  }

  @Test(arguments: widths, Precision.allCases) func geluAndItsGradient(_ width: Int, _ p: Precision) {
    let x = p.rounded(randoms(rows * width, seed: 16, scale: 6))
    let dy = p.rounded(randoms(rows * width, seed: 17))
    var (y, slope): ([Double], [Double]) = ([], [])
    for (x, dy) in zip(x.map(Double.init), dy.map(Double.init)) {
      let root = (2 / Double.pi).squareRoot()
      let t = tanh(root * (x + 0.044715 * x * x * x))
      y.append(0.5 * x * (1 + t))
      slope.append(dy * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * root * (1 + 3 * 0.044715 * x * x)))
    }
    expectClose(
      everywhere(p) { gate($0, width, x, dy, isGated: false) }, y + slope, ulps: p == .float32 ? 20 : 0.51, of: p)
  }

  @Test func swiGLUOfExtremeGatesIsFinite() {
    let gateUp: [Float] = [-1000, 1000, -88, 88, 0, 1, 1, 1, 1, 1]
    let found = everywhere { pool in
      var y = room(pool, 5)
      lemma_swiglu_forward(pool, 1, 5, operands(pool, gateUp), &y)
      return numbers(pool, y)
    }
    #expect(found.allSatisfy { $0.isFinite })
    #expect(found[1] == 1000 && found[4] == 0)
  }

  @Test(arguments: [2, 10, 32, 64], Precision.allCases) func ropeTurnsPairsAndBackAgain(_ head: Int, _ p: Precision) {
    let (heads, ld, positions) = (3, 3 * head + 6, 40)
    let x = randoms(rows * ld, seed: 8)
    let places = (0..<rows).map { Int32(($0 * 7) % positions) }
    var frequencies = [Double](repeating: 0, count: head / 2)
    lemma_rope_frequencies(head, 10_000, &frequencies)
    var cosines = [Float](repeating: 0, count: positions * head / 2)
    var sines = cosines
    lemma_rope_table(positions, head, frequencies, &cosines, &sines)
    func turned(_ x: [Float], inverse: Bool) -> [Float] {
      everywhere(p) { pool in
        var y = room(pool, x.count)
        var inPlace = operands(pool, x)
        places.withUnsafeBufferPointer { places in
          cosines.withUnsafeBufferPointer { cosines in
            sines.withUnsafeBufferPointer { sines in
              var rotation = lemma_rotation(
                rows: rows, heads: heads, head: head, ld: ld, positions: places.baseAddress,
                cosines: cosines.baseAddress, sines: sines.baseAddress, inverse: inverse)
              lemma_rope_store(pool, &rotation, p.rounded(x), &y)
              lemma_rope(pool, &rotation, &inPlace)
            }
          }
        }
        #expect(y == inPlace)
        return numbers(pool, y)
      }
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
    let there = turned(x, inverse: false)
    expectClose(there, expected, ulps: 1, of: p)
    expectClose(turned(there, inverse: true), x.map(Double.init), ulps: 1.5, of: p)
  }

  @Test(arguments: widths) func rowsAreSummedInOrder(_ width: Int) {
    let (x, sums) = (randoms(rows * width, seed: 18), randoms(width, seed: 19))
    for p in Precision.allCases {
      let found = everywhere(p) { pool in
        var result = sums
        lemma_sum_rows(pool, rows, width, operands(pool, x), &result)
        return result
      }
      #expect(found == (0..<width).map { i in (0..<rows).reduce(sums[i]) { $0 + p.rounded(x[$1 * width + i]) } })
    }
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
    let stored = everywhere(.bfloat16) { pool in
      var y = room(pool, rows * width)
      lemma_gather_operands(pool, rows, width, index, operands(pool, table), &y)
      return numbers(pool, y)
    }
    #expect(stored == Precision.bfloat16.rounded(gathered))
    let scattered = everywhere(.bfloat16) { pool in
      var y = operands(pool, table)
      lemma_scatter_operands(pool, 3, width, [3, 0, 1], operands(pool, gathered), &y)
      return numbers(pool, y)
    }
    let blocks = [4, 2, 2, 0, 4].map { $0 * width }
    let from = [gathered, gathered, table, gathered, table]
    #expect(
      scattered
        == Precision.bfloat16.rounded(
          [width, 2 * width, blocks[2], 0, blocks[4]].enumerated().flatMap { from[$0][$1..<$1 + width] }))
    let added = everywhere { pool in
      var y = gathered
      lemma_gather_add(pool, rows, width, index, table, &y)
      return y
    }
    #expect(added == gathered.map { 2 * $0 })
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
