import CKernels
import LemmaBasics

/// The names of the arithmetic that every result of this module obeys, one for each precision (docs/numerics.md).
/// They belong into cache keys: results are the same bits on every processor path and for any number of threads,
/// until these names change.
public let numericsClass = "f32-fma-2 bf16-fma-1"

/// One way to run the kernels; all of them give the same bits.
public enum KernelPath: Int32, CaseIterable, Sendable {
  case scalar, avx2, avx512, avx512bf16, neon

  /// The fastest path of this processor.
  public static var best: KernelPath { KernelPath(rawValue: lemma_path_best()) ?? .scalar }

  public var isSupported: Bool { lemma_path_supported(rawValue) }

  public var name: String { String(cString: lemma_path_name(rawValue)) }
}

/// How the operands of matrix products are stored. Weights, sums and the optimiser are float32 in either.
public enum Precision: String, CaseIterable, Sendable {
  case float32, bfloat16

  /// Bytes of one element of an operand.
  var size: Int { self == .float32 ? 4 : 2 }

  /// The most inputs of a product whose sums need no place to wait in.
  var depth: Int { lemma_product_depth(code) }

  fileprivate var code: Int32 { Int32(self == .float32 ? LEMMA_FLOAT32 : LEMMA_BFLOAT16) }
}

/// Owns the worker threads of one trainer or decoder.
final class KernelPool: @unchecked Sendable {
  let handle: OpaquePointer
  let precision: Precision

  /// - Throws: `Failure` for a thread count outside 1...256 or a path that this processor lacks.
  init(threads: Int, path: KernelPath, precision: Precision) throws {
    guard (1...256).contains(threads) else {
      throw Failure(.user, "threads", "the number of threads is 1 to 256, not \(threads)")
    }
    guard path.isSupported else {
      throw Failure(.user, "kernel-path", "this processor cannot run the \(path.name) kernels")
    }
    guard let handle = lemma_pool_create(Int32(threads), path.rawValue, precision.code) else {
      throw Failure(.store, "threads", "\(threads) worker threads cannot be started")
    }
    self.handle = handle
    self.precision = precision
  }

  deinit { lemma_pool_destroy(handle) }

  typealias Numbers = UnsafeMutablePointer<Float>
  typealias Operands = UnsafeMutableRawPointer

  /// What the sums of a product begin with.
  enum Start {
    case zero
    /// The same row for every row of the result.
    case row(Numbers?)
    /// A matrix of the result's shape.
    case matrix(Numbers)
  }

  /// Where the results of a product go.
  enum Target {
    /// As numbers; rows are `pitch` apart, or lie one after the other.
    case numbers(Numbers, pitch: Int? = nil)
    /// As operands. For more inputs than `Precision.depth` the sums wait in `waiting` till they are complete.
    case operands(Operands, waiting: Numbers)
  }

  private func product(
    _ m: Int, _ n: Int, _ k: Int, _ a: Operands, _ lda: Int, _ b: UnsafeRawPointer, _ ldb: Int, _ start: Start,
    _ target: Target
  ) -> lemma_product {
    var product = lemma_product(
      m: m, n: n, k: k, a: a, lda: lda, b: b, ldb: ldb, c0: nil, ld0: 0, c: nil, stored: nil, ldc: n)
    switch target {
    case .numbers(let numbers, let pitch):
      product.c = numbers
      product.ldc = pitch ?? n
    case .operands(let operands, let waiting):
      product.c = precision == .float32 ? operands.assumingMemoryBound(to: Float.self) : waiting
      product.stored = operands
    }
    switch start {
    case .zero: break
    case .row(let row): product.c0 = row.map { UnsafePointer($0) }
    case .matrix(let matrix):
      product.c0 = UnsafePointer(matrix)
      product.ld0 = product.ldc
    }
    return product
  }

  /// into[rows, outputs] = start + x[rows, inputs] weight[outputs, inputs]^T
  func forward(
    _ rows: Int, _ outputs: Int, _ inputs: Int, _ x: Operands, _ weight: Numbers, start: Start = .zero,
    into target: Target
  ) {
    var product = product(rows, outputs, inputs, x, inputs, weight, inputs, start, target)
    lemma_product_nt(handle, &product)
  }

  /// The same with a weight that `lemma_pack` rearranged.
  func forward(
    _ rows: Int, _ outputs: Int, _ inputs: Int, _ x: Operands, packed: Operands, start: Start = .zero,
    into target: Target
  ) {
    var product = product(rows, outputs, inputs, x, inputs, packed, 0, start, target)
    lemma_product_packed(handle, &product)
  }

  /// into[rows, inputs] = slope[rows, outputs] weight[outputs, inputs]; slope's rows are `pitch` apart.
  func backward(
    _ rows: Int, _ outputs: Int, _ inputs: Int, _ slope: Operands, pitch: Int? = nil, _ weight: Numbers,
    into target: Target
  ) {
    var product = product(rows, inputs, outputs, slope, pitch ?? outputs, weight, inputs, .zero, target)
    lemma_product_nn(handle, &product)
  }

  /// gradient[outputs, inputs] = slope[rows, outputs]^T x[rows, inputs], added to it unless `isFirst`.
  func gradient(
    _ rows: Int, _ outputs: Int, _ inputs: Int, _ slope: Operands, pitch: Int? = nil, _ x: Operands, isFirst: Bool,
    into: Numbers
  ) {
    var product = product(
      outputs, inputs, rows, slope, pitch ?? outputs, x, inputs, isFirst ? .zero : .matrix(into), .numbers(into))
    lemma_product_tn(handle, &product)
  }
}
