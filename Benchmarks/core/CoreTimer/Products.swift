import CKernels
import Glibc
import LemmaBasics
import LemmaModel

/// Answers each line "LAYOUT M N K MILLISECONDS" with the rate of that product over the time asked for, and with some
/// of its numbers so that the other side's can be held against them. C[m,n] is
///   nt      A[m,k] B[n,k]^T, the forward pass of a weight B
///   nn      A[m,k] B[k,n], its way back to the input
///   tn      A[k,m]^T B[k,n], its way back to the weight
///   packed  as nt, with B rearranged beforehand, as in decoding
func timeProducts(_ arguments: [String]) throws {
  guard arguments.count == 3 else { throw Failure(.user, "usage", usage) }
  let code = Int32(try precision(arguments[1]) == .float32 ? LEMMA_FLOAT32 : LEMMA_BFLOAT16)
  guard let pool = lemma_pool_create(Int32(try number(arguments[2])), lemma_path_best(), code) else {
    throw Failure(.user, "threads", "there is no such pool of threads")
  }
  defer { lemma_pool_destroy(pool) }
  while let line = readLine() {
    let words = line.split(separator: " ")
    guard words.count == 5 else { throw Failure(.user, "usage", "'\(line)' is not LAYOUT M N K MILLISECONDS") }
    let (m, n, k) = (try number(words[1]), try number(words[2]), try number(words[3]))
    let product = try TimedProduct(pool: pool, layout: String(words[0]), m: m, n: n, k: k)
    let rate = product.rate(milliseconds: try number(words[4]))
    let c = product.c
    print(
      JSON.object([
        "gflops": JSON(rate), "path": .string(String(cString: lemma_path_name(lemma_pool_path(pool)))),
        "corners": .array([c[0], c[n - 1], c[(m - 1) * n], c[m * n - 1]].map { JSON(Double($0)) }),
      ]).canonical)
    fflush(nil)
  }
}

/// One product with its numbers, which are those of `numbers` in products.py.
private final class TimedProduct {
  private static let alignment = 64
  private let pool: OpaquePointer
  private let shape: (m: Int, n: Int, k: Int)
  private let run: (OpaquePointer, UnsafePointer<lemma_product>) -> Void
  private let a: UnsafeMutableRawPointer
  private let b: UnsafeMutableRawPointer
  private var product: lemma_product
  let c: UnsafeMutablePointer<Float>

  init(pool: OpaquePointer, layout: String, m: Int, n: Int, k: Int) throws {
    self.pool = pool
    shape = (m, n, k)
    func memory(_ bytes: Int) -> UnsafeMutableRawPointer {
      .allocate(byteCount: bytes, alignment: TimedProduct.alignment)
    }
    func values(_ count: Int, _ salt: UInt32) -> UnsafeMutablePointer<Float> {
      let values = memory(4 * count).bindMemory(to: Float.self, capacity: count)
      for index in 0..<count {
        let bits = (UInt32(truncatingIfNeeded: index) &+ salt) &* 2_654_435_761
        values[index] = Float(bits >> 24) / 256 - 0.5
      }
      return values
    }
    func operand(_ count: Int, _ salt: UInt32) -> UnsafeMutableRawPointer {
      let from = values(count, salt)
      defer { from.deallocate() }
      let to = memory(count * lemma_operand_size(pool))
      lemma_store(pool, count, from, to)
      return to
    }
    guard m % 2 == 0, n % 2 == 0, k % 2 == 0 else { throw Failure(.user, "usage", "sizes of products are even") }
    a = operand(m * k, 1)
    c = memory(4 * m * n).bindMemory(to: Float.self, capacity: m * n)
    var (lda, ldb) = (k, k)
    switch layout {
    case "nt":
      run = { lemma_product_nt($0, $1) }
      b = .init(values(n * k, 2))
    case "nn":
      run = { lemma_product_nn($0, $1) }
      b = .init(values(n * k, 2))
      ldb = n
    case "tn":
      run = { lemma_product_tn($0, $1) }
      b = operand(n * k, 2)
      (lda, ldb) = (m, n)
    case "packed":
      run = { lemma_product_packed($0, $1) }
      let weight = values(n * k, 2)
      defer { weight.deallocate() }
      b = memory(lemma_packed_size(pool, n, k))
      lemma_pack(pool, n, k, weight, k, b)
      ldb = 0
    default: throw Failure(.user, "usage", "there is no layout '\(layout)'")
    }
    product = lemma_product(
      m: m, n: n, k: k, a: a, lda: lda, b: b, ldb: ldb, c0: nil, ld0: 0, c: c, stored: nil, ldc: n)
  }

  deinit {
    a.deallocate()
    b.deallocate()
    c.deallocate()
  }

  /// GFLOP/s: the median of single runs until the time is over, at least three, after one that is not counted.
  func rate(milliseconds: Int) -> Double {
    let clock = ContinuousClock()
    run(pool, &product)
    var seconds: [Double] = []
    let end = clock.now + .milliseconds(milliseconds)
    while seconds.count < 3 || clock.now < end {
      let began = clock.now
      run(pool, &product)
      seconds.append((clock.now - began) / .seconds(1))
    }
    return 2 * Double(shape.m * shape.n * shape.k) / seconds.sorted()[seconds.count / 2] / 1e9
  }
}
