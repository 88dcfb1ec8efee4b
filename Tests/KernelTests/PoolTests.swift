import CKernels
import Dispatch
import Synchronization
import Testing

@Suite struct PoolTests {
  @Test func aPoolThatCannotBeIsRefused() {
    #expect(lemma_pool_create(0, 0, 0) == nil)
    #expect(lemma_pool_create(257, 0, 0) == nil)
    #expect(lemma_pool_create(1, -1, 0) == nil)
    #expect(lemma_pool_create(1, 99, 0) == nil)
    #expect(lemma_pool_create(1, 0, 2) == nil)
  }

  @Test func theBestPathIsSupportedAndNamed() {
    #expect(lemma_path_supported(lemma_path_best()))
    #expect(lemma_path_supported(0))
    #expect((0..<5).map { String(cString: lemma_path_name($0)) } == ["scalar", "avx2", "avx512", "avx512bf16", "neon"])
    #expect(String(cString: lemma_path_name(9)) == "unknown")
  }

  @Test func aPoolKnowsItsThreadsAndPath() {
    withPool(0, threads: 3) { pool in
      #expect(lemma_pool_threads(pool) == 3 && lemma_pool_path(pool) == 0)
      #expect(lemma_pool_precision(pool) == 0 && lemma_operand_size(pool) == 4)
    }
    withPool(0, threads: 1, .bfloat16) { pool in
      #expect(lemma_pool_precision(pool) == 1 && lemma_operand_size(pool) == 2)
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
    @Sendable func square(_ pool: OpaquePointer) -> [Float] {
      var c = [Float](repeating: 0, count: 64 * 64)
      product(pool, .nt, 64, 64, 64, a, a, into: &c)
      return c
    }
    let expected = withPool(0, threads: 1, .float32, square)
    let wrong = Mutex(0)
    DispatchQueue.concurrentPerform(iterations: 4) { index in
      let isRight = withPool(lemma_path_best(), threads: Int32(1 + index % 2)) { pool in
        (0..<50).allSatisfy { _ in square(pool) == expected }
      }
      if !isRight { wrong.withLock { $0 += 1 } }
    }
    #expect(wrong.withLock { $0 } == 0)
  }
}
