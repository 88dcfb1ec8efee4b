import CKernels
import Testing

@Suite struct ProductTests {
  enum Layout: CaseIterable { case nt, nn, tn }

  struct Shape: CustomTestStringConvertible {
    var m, n, k: Int
    var testDescription: String { "\(m) x \(n) x \(k)" }
  }

  /// One less and one more than tiles, panels, lane groups, blocks of depth and blocks of columns.
  static let shapes = [
    Shape(m: 1, n: 1, k: 1), Shape(m: 13, n: 31, k: 15), Shape(m: 15, n: 33, k: 17), Shape(m: 7, n: 16, k: 64),
    Shape(m: 30, n: 35, k: 700), Shape(m: 2, n: 2065, k: 9), Shape(m: 1, n: 20, k: 1300),
  ]

  private func element(
    _ layout: Layout, _ s: Shape, _ a: [Float], _ b: [Float], _ i: Int, _ j: Int, from start: Float
  ) -> Float {
    var sum = start
    for p in 0..<s.k {
      let x = layout == .tn ? a[p * s.m + i] : a[i * s.k + p]
      let y = layout == .nt ? b[j * s.k + p] : b[p * s.n + j]
      sum = sum.addingProduct(x, y)
    }
    return sum
  }

  @Test(arguments: shapes, Layout.allCases)
  func everyElementIsOneAscendingChain(_ s: Shape, _ layout: Layout) {
    let a = randoms(s.m * s.k, seed: 1)
    let b = randoms(s.k * s.n, seed: 2)
    let start = randoms(s.m * s.n, seed: 3)
    let lda = layout == .tn ? s.m : s.k
    let ldb = layout == .nt ? s.k : s.n
    for accumulates in [false, true] {
      let expected = (0..<s.m * s.n).map {
        element(layout, s, a, b, $0 / s.n, $0 % s.n, from: accumulates ? start[$0] : 0)
      }
      let found = everywhere("\(layout)") { pool in
        var c = start
        c.withUnsafeMutableBufferPointer { c in
          let c0 = accumulates ? UnsafePointer(c.baseAddress) : nil
          switch layout {
          case .nt: lemma_gemm_nt(pool, s.m, s.n, s.k, a, lda, b, ldb, c0, c.baseAddress, s.n)
          case .nn: lemma_gemm_nn(pool, s.m, s.n, s.k, a, lda, b, ldb, c0, c.baseAddress, s.n)
          case .tn: lemma_gemm_tn(pool, s.m, s.n, s.k, a, lda, b, ldb, c0, c.baseAddress, s.n)
          }
        }
        return c
      }
      #expect(found.map(\.bitPattern) == expected.map(\.bitPattern))
    }
  }

  @Test(arguments: shapes) func aPackedWeightGivesTheSameBits(_ s: Shape) {
    let a = randoms(s.m * s.k, seed: 4)
    let b = randoms(s.n * s.k, seed: 5)
    let start = randoms(s.m * s.n, seed: 6)
    let plain = withPool(0, threads: 1) { pool in
      var c = [Float](repeating: 0, count: s.m * s.n)
      lemma_gemm_nt(pool, s.m, s.n, s.k, a, s.k, b, s.k, start, &c, s.n)
      return c
    }
    let packed = everywhere { pool in
      var weight = [Float](repeating: .nan, count: lemma_packed_size(pool, s.n, s.k))
      lemma_pack(pool, s.n, s.k, b, s.k, &weight)
      var c = [Float](repeating: 0, count: s.m * s.n)
      lemma_gemm_packed(pool, s.m, s.n, s.k, a, s.k, weight, start, &c, s.n)
      return c
    }
    #expect(packed.map(\.bitPattern) == plain.map(\.bitPattern))
  }

  @Test func aPitchWiderThanTheRowLeavesTheRestAlone() {
    let (m, n, k, ld) = (9, 21, 12, 29)
    let a = randoms(m * ld, seed: 7)
    let b = randoms(n * ld, seed: 8)
    let found = everywhere { pool in
      var c = [Float](repeating: 7, count: m * ld)
      lemma_gemm_nt(pool, m, n, k, a, ld, b, ld, nil, &c, ld)
      return c
    }
    for i in 0..<m {
      #expect(found[i * ld + n..<(i + 1) * ld].allSatisfy { $0 == 7 })
    }
  }

  @Test func aProductIsNearItsValueInDouble() {
    let (m, n, k) = (10, 12, 500)
    let a = randoms(m * k, seed: 9)
    let b = randoms(n * k, seed: 10)
    let exact = (0..<m * n).map { index in
      (0..<k).reduce(0.0) { $0 + Double(a[index / n * k + $1]) * Double(b[index % n * k + $1]) }
    }
    let found = everywhere { pool in
      var c = [Float](repeating: 0, count: m * n)
      lemma_gemm_nt(pool, m, n, k, a, k, b, k, nil, &c, n)
      return c
    }
    // 500 roundings of half a unit of sums that stay below 32: at most 500 * 2^-20, and far less in practice.
    expectClose(found, exact, tolerance: 5e-4)
  }
}
