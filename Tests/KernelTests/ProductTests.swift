import CKernels
import Testing

enum Layout: CaseIterable { case nt, nn, tn }

/// A product of dense matrices: A as operands, B as weights or, for TN, as operands, too. Rows of bfloat16 operands
/// are padded to an even width.
func product(
  _ pool: OpaquePointer, _ layout: Layout, _ m: Int, _ n: Int, _ k: Int, _ a: [Float], _ b: [Float],
  from start: UnsafePointer<Float>? = nil, startPitch: Int? = nil, into c: UnsafeMutablePointer<Float>
) {
  let width = layout == .tn ? m : k
  let lda = (width + 1) / 2 * 2
  var padded = [Float](repeating: 0, count: a.count / max(width, 1) * lda)
  for row in 0..<a.count / max(width, 1) {
    padded.replaceSubrange(row * lda..<row * lda + width, with: a[row * width..<(row + 1) * width])
  }
  let ldb = layout == .nt ? k : n
  operands(pool, padded).withUnsafeBytes { a in
    (layout == .tn ? operands(pool, b) : b.withUnsafeBytes(Array.init)).withUnsafeBytes { b in
      var product = lemma_product(
        m: m, n: n, k: k, a: a.baseAddress, lda: lda, b: b.baseAddress, ldb: ldb, c0: start, ld0: startPitch ?? n, c: c,
        stored: nil, ldc: n)
      switch layout {
      case .nt: lemma_product_nt(pool, &product)
      case .nn: lemma_product_nn(pool, &product)
      case .tn: lemma_product_tn(pool, &product)
      }
    }
  }
}

@Suite struct ProductTests {
  struct Shape: CustomTestStringConvertible {
    var m, n, k: Int
    var testDescription: String { "\(m) x \(n) x \(k)" }
  }

  /// One less and one more than tiles, panels, lane groups, blocks of depth and blocks of columns; and a pitch of
  /// 2 KiB, at which rows are copied.
  static let shapes = [
    Shape(m: 1, n: 1, k: 1), Shape(m: 13, n: 31, k: 15), Shape(m: 15, n: 33, k: 17), Shape(m: 7, n: 16, k: 64),
    Shape(m: 30, n: 35, k: 700), Shape(m: 2, n: 2065, k: 9), Shape(m: 1, n: 20, k: 1300), Shape(m: 47, n: 34, k: 1024),
  ]

  /// One element's chain: from the start, k ascending; where bfloat16 rows of A are taken in pairs, the odd one first.
  private func element(
    _ p: Precision, _ layout: Layout, _ s: Shape, _ a: [Float], _ b: [Float], _ i: Int, _ j: Int, from start: Float
  ) -> Float {
    var sum = start
    func add(_ k: Int) {
      guard k < s.k else { return }
      let x = layout == .tn ? a[k * s.m + i] : a[i * s.k + k]
      let y = layout == .nt ? b[j * s.k + k] : b[k * s.n + j]
      sum = sum.addingProduct(x, y)
    }
    for k in stride(from: 0, to: s.k, by: p.step) {
      if p == .bfloat16 { (layout == .tn ? [k, k + 1] : [k + 1, k]).forEach(add) } else { add(k) }
    }
    return sum
  }

  @Test(arguments: shapes, Layout.allCases) func everyElementIsOneChain(_ s: Shape, _ layout: Layout) {
    for p in Precision.allCases {
      let a = p.rounded(randoms(s.m * s.k, seed: 1))
      let b = randoms(s.k * s.n, seed: 2)
      let start = randoms(s.m * s.n, seed: 3)
      for accumulates in [false, true] {
        let expected = (0..<s.m * s.n).map {
          element(p, layout, s, a, p.rounded(b), $0 / s.n, $0 % s.n, from: accumulates ? start[$0] : 0)
        }
        let found = everywhere(p, "\(layout)") { pool in
          var c = start
          c.withUnsafeMutableBufferPointer { c in
            let c0 = accumulates ? UnsafePointer(c.baseAddress) : nil
            product(pool, layout, s.m, s.n, s.k, a, b, from: c0, into: c.baseAddress!)
          }
          return c
        }
        #expect(found.map(\.bitPattern) == expected.map(\.bitPattern))
      }
    }
  }

  /// A sum over tokens may be cut anywhere between two products that add to each other.
  @Test(arguments: Precision.allCases) func aSumOverRowsMayBeCutAnywhere(_ p: Precision) {
    let (m, n, k) = (9, 21, 50)
    let a = p.rounded(randoms(k * m, seed: 21))
    let b = p.rounded(randoms(k * n, seed: 22))
    let whole = everywhere(p) { pool in
      var c = [Float](repeating: 0, count: m * n)
      product(pool, .tn, m, n, k, a, b, into: &c)
      return c
    }
    for cut in [1, 7, 16, 49] {
      let parts = everywhere(p) { pool in
        var c = [Float](repeating: 0, count: m * n)
        product(pool, .tn, m, n, cut, Array(a[..<(cut * m)]), Array(b[..<(cut * n)]), into: &c)
        c.withUnsafeMutableBufferPointer { c in
          product(
            pool, .tn, m, n, k - cut, Array(a[(cut * m)...]), Array(b[(cut * n)...]), from: c.baseAddress,
            into: c.baseAddress!)
        }
        return c
      }
      #expect(parts.map(\.bitPattern) == whole.map(\.bitPattern))
    }
  }

  @Test(arguments: shapes, Precision.allCases) func aPackedWeightGivesTheSameBits(_ s: Shape, _ p: Precision) {
    let width = (s.k + 1) / 2 * 2
    var a = p.rounded(randoms(s.m * width, seed: 4))
    for row in 0..<s.m where width > s.k { a[row * width + s.k] = 0 }
    let b = randoms(s.n * s.k, seed: 5)
    let start = randoms(s.m * s.n, seed: 6)
    let dense = (0..<s.m).flatMap { a[$0 * width..<$0 * width + s.k] }
    let plain = withPool(0, threads: 1, p) { pool in
      var c = [Float](repeating: 0, count: s.m * s.n)
      product(pool, .nt, s.m, s.n, s.k, dense, b, from: start, into: &c)
      return c
    }
    let packed = everywhere(p) { pool in
      var weight = [UInt8](repeating: 0xFF, count: lemma_packed_size(pool, s.n, s.k))
      lemma_pack(pool, s.n, s.k, b, s.k, &weight)
      var c = [Float](repeating: 0, count: s.m * s.n)
      operands(pool, a).withUnsafeBytes { a in
        start.withUnsafeBufferPointer { start in
          c.withUnsafeMutableBufferPointer { c in
            weight.withUnsafeBytes { weight in
              var product = lemma_product(
                m: s.m, n: s.n, k: s.k, a: a.baseAddress, lda: width, b: weight.baseAddress, ldb: 0,
                c0: start.baseAddress, ld0: s.n, c: c.baseAddress, stored: nil, ldc: s.n)
              lemma_product_packed(pool, &product)
            }
          }
        }
      }
      return c
    }
    #expect(packed.map(\.bitPattern) == plain.map(\.bitPattern))
  }

  /// What is stored as operands is the same result, rounded once; short sums need no place to wait in.
  @Test(arguments: shapes, Precision.allCases) func aResultMayBeStoredAsOperands(_ s: Shape, _ p: Precision) {
    let width = (s.k + 1) / 2 * 2
    var a = p.rounded(randoms(s.m * width, seed: 41))
    for row in 0..<s.m where width > s.k { a[row * width + s.k] = 0 }
    let b = randoms(s.n * s.k, seed: 42)
    func run(_ pool: OpaquePointer, stored: Bool) -> [Float] {
      var c = [Float](repeating: .nan, count: s.m * s.n)
      var result = room(pool, s.m * s.n)
      operands(pool, a).withUnsafeBytes { a in
        b.withUnsafeBufferPointer { b in
          c.withUnsafeMutableBufferPointer { c in
            result.withUnsafeMutableBytes { result in
              var product = lemma_product(
                m: s.m, n: s.n, k: s.k, a: a.baseAddress, lda: width, b: b.baseAddress, ldb: s.k, c0: nil, ld0: 0,
                c: c.baseAddress, stored: stored ? result.baseAddress : nil, ldc: s.n)
              if stored, s.k <= lemma_product_depth(p.rawValue) { product.c = nil }
              lemma_product_nt(pool, &product)
            }
          }
        }
      }
      return stored ? numbers(pool, result) : c
    }
    #expect(everywhere(p) { run($0, stored: true) } == p.rounded(everywhere(p) { run($0, stored: false) }))
  }

  @Test func oneRowMayStartEveryRow() {
    let (m, n, k) = (17, 40, 12)
    let (a, b, bias) = (randoms(m * k, seed: 31), randoms(n * k, seed: 32), randoms(n, seed: 33))
    let found = everywhere { pool in
      var c = [Float](repeating: .nan, count: m * n)
      product(pool, .nt, m, n, k, a, b, from: bias, startPitch: 0, into: &c)
      return c
    }
    let whole = everywhere { pool in
      var c = (0..<m).flatMap { _ in bias }
      c.withUnsafeMutableBufferPointer {
        product(pool, .nt, m, n, k, a, b, from: $0.baseAddress, into: $0.baseAddress!)
      }
      return c
    }
    #expect(found == whole)
  }

  @Test func aPitchWiderThanTheRowLeavesTheRestAlone() {
    let (m, n, k, ld) = (9, 21, 12, 30)
    let a = randoms(m * ld, seed: 7)
    let b = randoms(n * ld, seed: 8)
    let found = everywhere { pool in
      var c = [Float](repeating: 7, count: m * ld)
      c.withUnsafeMutableBufferPointer { c in
        a.withUnsafeBufferPointer { a in
          b.withUnsafeBufferPointer { b in
            var product = lemma_product(
              m: m, n: n, k: k, a: a.baseAddress, lda: ld, b: b.baseAddress, ldb: ld, c0: nil, ld0: 0,
              c: c.baseAddress, stored: nil, ldc: ld)
            lemma_product_nt(pool, &product)
          }
        }
      }
      return c
    }
    for i in 0..<m {
      #expect(found[i * ld + n..<(i + 1) * ld].allSatisfy { $0 == 7 })
    }
  }

  /// 500 roundings of half a unit of sums that stay below 32: at most 500 * 2^-20, and far less in practice. Operands
  /// in bfloat16 are exact, so that only the sums are rounded there, too.
  @Test(arguments: Precision.allCases) func aProductIsNearItsValueInDouble(_ p: Precision) {
    let (m, n, k) = (10, 12, 500)
    let a = p.rounded(randoms(m * k, seed: 9))
    let b = p.rounded(randoms(n * k, seed: 10))
    let exact = (0..<m * n).map { index in
      (0..<k).reduce(0.0) { $0 + Double(a[index / n * k + $1]) * Double(b[index % n * k + $1]) }
    }
    let found = everywhere(p) { pool in
      var c = [Float](repeating: 0, count: m * n)
      product(pool, .nt, m, n, k, a, b, into: &c)
      return c
    }
    expectClose(found, exact, ulps: 48)
  }
}
