import LemmaBasics
import LemmaTestSupport
import Testing

@testable import LemmaModel

/// Stored numbers become the float32 that their format defines. The expected values are written from the definitions,
/// one value at a time.
@Suite struct WideningTests {
  private func widen(_ encoding: WeightEncoding, _ bytes: [UInt8], values: Int) -> [Float] {
    [Float](unsafeUninitializedCapacity: values) { buffer, count in
      encoding.widen(bytes.count / encoding.blockBytes, bytes, buffer.baseAddress)
      count = values
    }
  }

  /// Sign, five bits of exponent, ten of mantissa.
  private func half(_ bits: UInt16) -> Float {
    let sign: Float = bits >> 15 == 1 ? -1 : 1
    let exponent = Int(bits >> 10 & 31)
    let mantissa = Float(bits & 1023)
    switch exponent {
    case 0: return sign * mantissa * 0x1p-24
    case 31: return mantissa == 0 ? sign * .infinity : .nan
    default: return sign * (1 + mantissa / 1024) * Float(sign: .plus, exponent: exponent - 15, significand: 1)
    }
  }

  private var allPatterns: [UInt8] { (0...UInt16.max).flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] } }

  @Test func everyPatternOf16BitFloatsIsExact() {
    let found = widen(.f16, allPatterns, values: 65_536)
    for bits in 0...UInt16.max {
      let value = found[Int(bits)]
      let expected = half(bits)
      if expected.isNaN {
        #expect(value.bitPattern == UInt32(bits & 0x8000) << 16 | 0x7F80_0000 | UInt32(bits & 1023) << 13)
      } else if value.bitPattern != expected.bitPattern {
        Issue.record("\(bits): \(value), not \(expected)")
      }
    }
  }

  @Test func everyPatternOfBrainFloatsIsExact() {
    let found = widen(.bf16, allPatterns, values: 65_536)
    for bits in 0...UInt16.max where found[Int(bits)].bitPattern != UInt32(bits) << 16 {
      Issue.record("\(bits): \(found[Int(bits)])")
    }
  }

  @Test func float32IsCopied() {
    #expect(widen(.f32, [0, 0, 128, 63, 1, 0, 192, 127], values: 2).map(\.bitPattern) == [0x3F80_0000, 0x7FC0_0001])
  }

  /// Two bytes of a half-precision number of moderate size.
  private func scale(_ generator: inout SeededGenerator) -> [UInt8] {
    let bits = UInt16.random(in: 0..<0x4C00, using: &generator) | UInt16.random(in: 0...1, using: &generator) << 15
    return [UInt8(bits & 255), UInt8(bits >> 8)]
  }

  private func half(_ bytes: ArraySlice<UInt8>) -> Float {
    half(UInt16(bytes[bytes.startIndex]) | UInt16(bytes[bytes.startIndex + 1]) << 8)
  }

  private func random(_ count: Int, _ generator: inout SeededGenerator) -> [UInt8] {
    (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
  }

  @Test(arguments: 0..<20 as Range<UInt64>) func blocksOf32Values(_ seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let (d, m) = (scale(&generator), scale(&generator))
    let (qs, high) = (random(16, &generator), random(4, &generator))
    func four(_ i: Int) -> Int { Int(i < 16 ? qs[i] & 15 : qs[i - 16] >> 4) }
    func five(_ i: Int) -> Int { four(i) + 16 * Int(high[i / 8] >> UInt8(i % 8) & 1) }
    let (scale, least) = (half(d[...]), half(m[...]))
    func same(_ found: [Float], _ value: (Int) -> Float) -> Bool {
      found.map(\.bitPattern) == (0..<32).map { value($0).bitPattern }
    }
    #expect(same(widen(.q40, d + qs, values: 32)) { scale * Float(four($0) - 8) })
    #expect(same(widen(.q41, d + m + qs, values: 32)) { scale * Float(four($0)) + least })
    #expect(same(widen(.q50, d + high + qs, values: 32)) { scale * Float(five($0) - 16) })
    #expect(same(widen(.q51, d + m + high + qs, values: 32)) { scale * Float(five($0)) + least })
    let signed = random(32, &generator)
    #expect(same(widen(.q80, d + signed, values: 32)) { scale * Float(Int8(bitPattern: signed[$0])) })
  }

  @Test(arguments: 0..<20 as Range<UInt64>) func blocksOf256Values(_ seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let (d, m) = (scale(&generator), scale(&generator))
    let (packed, high, qs) = (random(12, &generator), random(32, &generator), random(128, &generator))
    let (scale, least) = (half(d[...]), half(m[...]))
    func same(_ found: [Float], _ value: (Int) -> Float) -> Bool {
      found.map(\.bitPattern) == (0..<256).map { value($0).bitPattern }
    }
    // Six bits for each group: of the last four, the high two are spread over the bytes of the first four.
    func six(_ group: Int, _ row: Int) -> Float {
      let bits = group < 4 ? packed[4 * row + group] & 63 : (packed[4 * row + group - 4] >> 6) << 4
      let rest = group < 4 ? 0 : row == 0 ? packed[4 + group] & 15 : packed[4 + group] >> 4
      return Float(bits | rest)
    }
    func four(_ i: Int) -> Int { Int(i % 64 < 32 ? qs[i / 64 * 32 + i % 32] & 15 : qs[i / 64 * 32 + i % 32] >> 4) }
    func five(_ i: Int) -> Int { four(i) + 16 * Int(high[i % 32] >> UInt8(i / 32) & 1) }
    #expect(
      same(widen(.q4k, d + m + packed + qs, values: 256)) {
        (scale * six($0 / 32, 0)) * Float(four($0)) - (least * six($0 / 32, 1))
      })
    #expect(
      same(widen(.q5k, d + m + packed + high + qs, values: 256)) {
        (scale * six($0 / 32, 0)) * Float(five($0)) - (least * six($0 / 32, 1))
      })
    let (pairs, scales) = (random(64, &generator), random(16, &generator))
    func value(_ i: Int) -> Int {
      let (part, quarter, j) = (i / 128, i % 128 / 32, i % 32)
      let byte = qs[part * 64 + quarter % 2 * 32 + j]
      return Int(quarter < 2 ? byte & 15 : byte >> 4) + 16 * Int(pairs[part * 32 + j] >> UInt8(2 * quarter) & 3) - 32
    }
    #expect(
      same(widen(.q6k, qs + pairs + scales + d, values: 256)) {
        (scale * Float(Int8(bitPattern: scales[$0 / 16]))) * Float(value($0))
      })
  }
}
