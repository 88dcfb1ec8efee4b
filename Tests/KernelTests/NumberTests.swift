import CKernels
import Glibc
import LemmaTestSupport
import Testing

@Suite struct NumberTests {
  /// What the kernels see of a number: denormals are zeros.
  private func flushed(_ x: Float) -> Float { x.isSubnormal ? (x.sign == .minus ? -0.0 : 0.0) : x }

  @Test(arguments: [1, 2, 3] as [UInt64]) func everyPathHasATrueFusedMultiplyAdd(_ seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    func number(_ exponents: ClosedRange<Int>) -> Float {
      let bits = UInt32.random(in: 0..<(1 << 23), using: &generator)
      let exponent = UInt32(127 + Int.random(in: exponents, using: &generator))
      return Float(bitPattern: bits | exponent << 23 | UInt32.random(in: 0...1, using: &generator) << 31)
    }
    // Near cancellation, over the whole range, and near the ends of the range.
    let ranges: [ClosedRange<Int>] = [-1...1, -60...60, -126...(-40), 40...127]
    var (a, b, c): ([Float], [Float], [Float]) = ([], [], [])
    for index in 0..<20_000 {
      let range = ranges[index % ranges.count]
      a.append(number(range))
      b.append(number(range))
      c.append(index % 8 < 4 ? number(range) : (-a[index] * b[index]).nextUp)
    }
    a += [.infinity, .infinity, .nan, 0, .leastNormalMagnitude / 2, .greatestFiniteMagnitude]
    b += [2, 0, 1, 0, 1e30, 2]
    c += [1, 1, 1, 0, 1, -.greatestFiniteMagnitude]
    let found = everywhere { pool in
      var y = a
      lemma_fma_many(pool, a.count, a, b, c, &y)
      // Which NaN it is has no bearing on anything.
      return y.map { $0.isNaN ? .nan : $0 }
    }
    var wrong: [Int] = []
    for i in a.indices {
      let expected = flushed(flushed(c[i]).addingProduct(flushed(a[i]), flushed(b[i])))
      if expected != found[i], !(expected.isNaN && found[i].isNaN) { wrong.append(i) }
    }
    #expect(wrong.isEmpty, "\(wrong.prefix(5))")
  }

  @Test func theVectorExponentialIsWithinTwoUnits() {
    let x = (0..<5_000).map { Float($0) / 5_000 * 172 - 85 } + [0, 1, -1, 87.5]
    let found = everywhere { pool in
      var y = x
      lemma_exp_many(pool, x.count, x, &y)
      return y
    }
    let wrong = zip(x, found).filter { abs(Double($1) - exp(Double($0))) > 2 * Double(Float(exp(Double($0))).ulp) }
    #expect(wrong.isEmpty, "\(wrong.prefix(5))")
    let ends = everywhere { pool in
      var y: [Float] = [0, 0, 0, 0]
      lemma_exp_many(pool, 4, [-.infinity, .infinity, .nan, -1000], &y)
      return y.map { $0.isNaN ? .nan : $0 }
    }
    #expect(ends[0] < 1e-37 && ends[1] > 1e38 && ends[1].isFinite && ends[2].isNaN && ends[3] < 1e-37)
  }

  @Test func theDoubleFunctionsAreWithinTwoUnits() {
    var generator = SeededGenerator(seed: 4)
    var wrong: [String] = []
    func expect(_ found: Double, _ exact: Double, _ what: String) {
      if abs(found - exact) > 2 * max(exact.magnitude, 1e-3).ulp { wrong.append(what) }
    }
    for _ in 0..<5000 {
      let x = Double.random(in: -40...40, using: &generator)
      expect(lemma_exp(x), Glibc.exp(x), "exp(\(x))")
      let positive = Double.random(in: 1e-12...1e6, using: &generator)
      expect(lemma_log(positive), Glibc.log(positive), "log(\(positive))")
      let angle = Double.random(in: -20_000...20_000, using: &generator)
      expect(lemma_sin(angle), Glibc.sin(angle), "sin(\(angle))")
      expect(lemma_cos(angle), Glibc.cos(angle), "cos(\(angle))")
    }
    #expect(wrong.isEmpty, "\(wrong.prefix(5))")
    #expect(lemma_exp(0) == 1 && lemma_log(1) == 0 && lemma_sin(0) == 0 && lemma_cos(0) == 1)
    #expect(lemma_exp(-1000) == 0 && lemma_exp(1000) == .infinity && lemma_exp(.nan).isNaN)
    #expect(lemma_log(0) == -.infinity && lemma_log(-1).isNaN && lemma_log(.infinity) == .infinity)
  }

  /// The known answers that are published with the generator.
  @Test func philoxGivesItsKnownAnswers() {
    func philox(_ counter: [UInt32], _ key: [UInt32]) -> [UInt32] {
      var out: [UInt32] = [0, 0, 0, 0]
      lemma_philox(counter, key, &out)
      return out
    }
    #expect(philox([0, 0, 0, 0], [0, 0]) == [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8])
    let ones = UInt32.max
    #expect(
      philox([ones, ones, ones, ones], [ones, ones]) == [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd])
    #expect(
      philox([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0])
        == [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1])
  }

  @Test func normalNumbersHaveTheirMomentsAndDependOnTheirIndexAlone() {
    var x = [Float](repeating: 0, count: 50_000)
    lemma_fill_normal(7, 3, x.count, 2, &x)
    let mean = x.reduce(0.0) { $0 + Double($1) } / 50_000
    let variance = x.reduce(0.0) { $0 + Double($1) * Double($1) } / 50_000
    let fourth = x.reduce(0.0) { $0 + Double($1 * $1) * Double($1 * $1) } / 50_000
    #expect(abs(mean) < 0.04 && abs(variance - 4) < 0.1 && abs(fourth - 48) < 3)
    var prefix = [Float](repeating: 0, count: 100)
    lemma_fill_normal(7, 3, 100, 2, &prefix)
    #expect(prefix[...] == x[..<100])
    lemma_fill_normal(7, 4, 100, 2, &prefix)
    #expect(prefix[...] != x[..<100])
    lemma_fill_normal(8, 3, 100, 2, &prefix)
    #expect(prefix[...] != x[..<100])
  }

  /// Every number that two bytes can say, the halfway points beside it, and their neighbours.
  @Test func operandsInBfloat16RoundToNearestEven() {
    var x: [Float] = []
    for upper in 0...UInt32(UInt16.max) {
      for lower: UInt32 in [0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF] { x.append(Float(bitPattern: upper << 16 | lower)) }
    }
    let found = everywhere(.bfloat16) { pool in numbers(pool, operands(pool, x)).map { $0.isNaN ? .nan : $0 } }
    let wrong = zip(x, found).filter { x, y in
      x.isNaN ? !y.isNaN : Precision.bfloat16.rounded(x).bitPattern != y.bitPattern
    }
    #expect(wrong.isEmpty, "\(wrong.prefix(5))")
  }
}
