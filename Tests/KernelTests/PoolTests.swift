import CKernels
import Dispatch
import Synchronization
import Testing

@Suite struct PoolTests {
  @Test func aPoolThatCannotBeIsRefused() {
    #expect(lemma_pool_create(0, 0) == nil)
    #expect(lemma_pool_create(257, 0) == nil)
    #expect(lemma_pool_create(1, -1) == nil)
    #expect(lemma_pool_create(1, 3) == nil)
  }

  @Test func theBestPathIsSupportedAndNamed() {
    #expect(lemma_path_supported(lemma_path_best()))
    #expect(lemma_path_supported(0))
    #expect((0..<3).map { String(cString: lemma_path_name($0)) } == ["scalar", "avx2", "avx512"])
    #expect(String(cString: lemma_path_name(9)) == "unknown")
  }

  @Test func aPoolKnowsItsThreadsAndPath() {
    withPool(0, threads: 3) { pool in
      #expect(lemma_pool_threads(pool) == 3 && lemma_pool_path(pool) == 0)
    }
  }

  @Test func denormalsAreZerosInsideAndTheCallersModeIsKept() {
    let tiny = [Float](repeating: Float.leastNormalMagnitude / 4, count: 64)
    let inside = everywhere { pool in
      var y = [Float](repeating: 1, count: 64)
      lemma_fma_many(pool, 64, tiny, [Float](repeating: 1, count: 64), [Float](repeating: 0, count: 64), &y)
      return y
    }
    #expect(inside.allSatisfy { $0 == 0 })
    #expect(tiny[1] * Float(inside.count) == Float.leastNormalMagnitude * 16)
  }

  @Test func poolsWorkSideBySide() {
    let a = randoms(64 * 64, seed: 1)
    @Sendable func product(_ pool: OpaquePointer) -> [Float] {
      var c = [Float](repeating: 0, count: 64 * 64)
      lemma_gemm_nt(pool, 64, 64, 64, a, 64, a, 64, nil, &c, 64)
      return c
    }
    let expected = withPool(0, threads: 1, product)
    let wrong = Mutex(0)
    DispatchQueue.concurrentPerform(iterations: 4) { index in
      let isRight = withPool(lemma_path_best(), threads: Int32(1 + index % 2)) { pool in
        (0..<50).allSatisfy { _ in product(pool) == expected }
      }
      if !isRight { wrong.withLock { $0 += 1 } }
    }
    #expect(wrong.withLock { $0 } == 0)
  }
}
