import CKernels
import LemmaTestSupport
import Testing

/// How operands are stored.
enum Precision: Int32, CaseIterable, CustomTestStringConvertible {
  case float32, bfloat16

  var testDescription: String { self == .float32 ? "float32" : "bfloat16" }

  /// The elements of k that a product takes at a time.
  var step: Int { self == .float32 ? 1 : 2 }

  /// What is left of a number once it is stored: to nearest even, without denormals.
  func rounded(_ x: Float) -> Float {
    if self == .float32 || !x.isFinite { return x }
    if x.isSubnormal { return x.sign == .minus ? -0.0 : 0 }
    let bits = x.bitPattern
    return Float(bitPattern: (bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF_0000)
  }

  func rounded(_ x: [Float]) -> [Float] { x.map(rounded) }

  /// Half a unit of the last place of 1.
  var halfUnit: Double { self == .float32 ? 0x1p-24 : 0x1p-8 }
}

/// A pool for the length of `body`.
func withPool<R>(
  _ path: Int32, threads: Int32, _ precision: Precision = .float32, _ body: (OpaquePointer) -> R
) -> R {
  guard let pool = lemma_pool_create(threads, path, precision.rawValue) else { fatalError("no pool for path \(path)") }
  defer { lemma_pool_destroy(pool) }
  return body(pool)
}

let supportedPaths = (0..<Int32(LEMMA_PATH_COUNT)).filter(lemma_path_supported)

/// Runs `body` on every path with 1, 2 and 3 threads, expects the same bits everywhere, and returns them.
func everywhere(
  _ precision: Precision = .float32, _ what: String = "", sourceLocation: SourceLocation = #_sourceLocation,
  _ body: (OpaquePointer) -> [Float]
) -> [Float] {
  let expected = withPool(0, threads: 1, precision, body)
  for path in supportedPaths {
    for threads: Int32 in 1...3 where path != 0 || threads != 1 {
      let found = withPool(path, threads: threads, precision, body)
      let isSame = found.count == expected.count && zip(found, expected).allSatisfy { $0.bitPattern == $1.bitPattern }
      #expect(
        isSame, "\(what) \(String(cString: lemma_path_name(path))), \(threads) threads",
        sourceLocation: sourceLocation)
    }
  }
  return expected
}

/// Numbers as a pool's operands, and back.
func operands(_ pool: OpaquePointer, _ x: [Float]) -> [UInt8] {
  var bytes = room(pool, x.count)
  lemma_store(pool, x.count, x, &bytes)
  return bytes
}

func numbers(_ pool: OpaquePointer, _ bytes: [UInt8]) -> [Float] {
  var x = [Float](repeating: .nan, count: bytes.count / lemma_operand_size(pool))
  lemma_load(pool, x.count, bytes, &x)
  return x
}

/// Room for operands.
func room(_ pool: OpaquePointer, _ count: Int) -> [UInt8] {
  [UInt8](repeating: 0xFF, count: count * lemma_operand_size(pool))
}

/// Evenly spread numbers in -scale ..< scale.
func randoms(_ count: Int, seed: UInt64, scale: Float = 1) -> [Float] {
  var generator = SeededGenerator(seed: seed)
  return (0..<count).map { _ in Float.random(in: -scale..<scale, using: &generator) }
}

/// Expects each number within so many units in the last place of the reference in double: of the greater of 1 and the
/// reference, in the precision that the kernel stores its results in.
func expectClose(
  _ found: [Float], _ reference: [Double], ulps: Double, of p: Precision = .float32, _ what: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(found.count == reference.count, sourceLocation: sourceLocation)
  let errors = zip(found, reference).map { found, reference in
    let place = 2 * p.halfUnit * max(1, reference.magnitude).binade
    return abs(Double(found) - reference) / place
  }
  let worst = errors.contains(where: \.isNaN) ? .nan : errors.max() ?? 0
  #expect(worst <= ulps, "\(what) worst error \(worst) ulp", sourceLocation: sourceLocation)
}

/// Clause 5 of docs/numerics.md, spelt out: the sum of x * y over 16 lanes and a fixed tree.
func laneSum(_ x: ArraySlice<Float>, _ y: ArraySlice<Float>) -> Float {
  var lanes = [Float](repeating: 0, count: 16)
  for (index, (a, b)) in zip(x, y).enumerated() { lanes[index % 16].addProduct(a, b) }
  for distance in [8, 4, 2, 1] {
    for lane in 0..<distance { lanes[lane] += lanes[lane + distance] }
  }
  return lanes[0]
}
