import CKernels
import Testing

@Suite struct AttentionTests {
  static let cases = [
    AttentionCase(heads: 1, groups: 1, head: 2, lengths: [1]),
    AttentionCase(heads: 4, groups: 2, head: 32, lengths: [5, 1, 17, 40]),
    AttentionCase(heads: 3, groups: 3, head: 10, lengths: [16, 33]),
    AttentionCase(heads: 5, groups: 1, head: 16, lengths: [63, 64, 65, 90]),
  ]

  /// In bfloat16 probabilities and their slopes are rounded, too: a few of its units of numbers below 4.
  @Test(arguments: cases, Precision.allCases) func attentionAndItsGradient(_ c: AttentionCase, _ p: Precision) {
    let qkv = p.rounded(randoms(c.rows * c.width, seed: 1, scale: 2))
    let dout = p.rounded(randoms(c.rows * c.outWidth, seed: 2))
    let expected = c.reference(qkv, dout)
    let isExact = p == .float32
    expectClose(everywhere(p) { c.forward(qkv, $0).out }, expected.out, ulps: isExact ? 12 : 1.5, of: p)
    expectClose(everywhere(p) { c.backward(qkv, dout, $0) }, expected.gradient, ulps: isExact ? 24 : 2.5, of: p)
  }

  @Test(arguments: Precision.allCases) func aDocumentSeesOnlyItself(_ p: Precision) {
    let alone = AttentionCase(heads: 4, groups: 2, head: 16, lengths: [70])
    let packed = AttentionCase(heads: 4, groups: 2, head: 16, lengths: [9, 70, 30])
    let middle = randoms(alone.rows * alone.width, seed: 3)
    let others = randoms(39 * alone.width, seed: 4, scale: 5)
    let all = others[..<(9 * alone.width)] + middle + others[(9 * alone.width)...]
    let dout = randoms(packed.rows * 64, seed: 5)
    withPool(lemma_path_best(), threads: 2, p) { pool in
      let out = packed.forward(Array(all), pool).out
      #expect(Array(out[9 * 64..<79 * 64]) == alone.forward(middle, pool).out)
      let gradient = packed.backward(Array(all), dout, pool)
      let own = alone.backward(middle, Array(dout[9 * 64..<79 * 64]), pool)
      #expect(Array(gradient[9 * alone.width..<79 * alone.width]) == own)
    }
  }

  @Test(arguments: Precision.allCases) func noRowSeesALaterOne(_ p: Precision) {
    let c = AttentionCase(heads: 2, groups: 1, head: 8, lengths: [90])
    let qkv = randoms(c.rows * c.width, seed: 6)
    var changed = qkv
    for index in 80 * c.width..<changed.count { changed[index] = 100 }
    withPool(lemma_path_best(), threads: 1, p) { pool in
      let (before, after) = (c.forward(qkv, pool).out, c.forward(changed, pool).out)
      #expect(before[..<(80 * 16)] == after[..<(80 * 16)])
      #expect(before[(80 * 16)...] != after[(80 * 16)...])
    }
  }

  @Test(arguments: cases, [1, 7, 1000]) func theCacheGivesTheBitsOfThePackedForm(_ c: AttentionCase, _ step: Int) {
    let qkv = randoms(c.rows * c.width, seed: 7, scale: 2)
    for p in Precision.allCases {
      let expected = withPool(0, threads: 1, p) { c.forward(qkv, $0).out }
      let found = everywhere(p) { c.cached(qkv, step: step, $0) }
      #expect(found.map(\.bitPattern) == expected.map(\.bitPattern))
    }
  }
}
