import CKernels
import LemmaTestSupport
import Testing

/// A pool for the length of `body`.
func withPool<R>(_ path: Int32, threads: Int32, _ body: (OpaquePointer) -> R) -> R {
  guard let pool = lemma_pool_create(threads, path) else { fatalError("no pool for path \(path)") }
  defer { lemma_pool_destroy(pool) }
  return body(pool)
}

let supportedPaths = (0..<Int32(LEMMA_PATH_COUNT)).filter(lemma_path_supported)

/// Runs `body` on every path with 1, 2 and 3 threads, expects the same bits everywhere, and returns them.
func everywhere(
  _ what: String = "", sourceLocation: SourceLocation = #_sourceLocation, _ body: (OpaquePointer) -> [Float]
) -> [Float] {
  let expected = withPool(0, threads: 1, body)
  for path in supportedPaths {
    for threads: Int32 in 1...3 where path != 0 || threads != 1 {
      let found = withPool(path, threads: threads, body)
      let isSame = found.count == expected.count && zip(found, expected).allSatisfy { $0.bitPattern == $1.bitPattern }
      #expect(
        isSame, "\(what) \(String(cString: lemma_path_name(path))), \(threads) threads",
        sourceLocation: sourceLocation)
    }
  }
  return expected
}

/// Evenly spread numbers in -scale ..< scale.
func randoms(_ count: Int, seed: UInt64, scale: Float = 1) -> [Float] {
  var generator = SeededGenerator(seed: seed)
  return (0..<count).map { _ in Float.random(in: -scale..<scale, using: &generator) }
}

/// Expects each number within `tolerance` of the reference, relative to its magnitude where that is above 1.
func expectClose(
  _ found: [Float], _ reference: [Double], tolerance: Double, _ what: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(found.count == reference.count, sourceLocation: sourceLocation)
  let errors = zip(found, reference).map { abs(Double($0) - $1) / max(1, abs($1)) }
  let worst = errors.contains(where: \.isNaN) ? .nan : errors.max() ?? 0
  #expect(worst <= tolerance, "\(what) worst error \(worst)", sourceLocation: sourceLocation)
}

/// Clause 4 of docs/numerics.md, spelt out: the sum of x * y over 16 lanes and a fixed tree.
func laneSum(_ x: ArraySlice<Float>, _ y: ArraySlice<Float>) -> Float {
  var lanes = [Float](repeating: 0, count: 16)
  for (index, (a, b)) in zip(x, y).enumerated() { lanes[index % 16].addProduct(a, b) }
  for distance in [8, 4, 2, 1] {
    for lane in 0..<distance { lanes[lane] += lanes[lane + distance] }
  }
  return lanes[0]
}
