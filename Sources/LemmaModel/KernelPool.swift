import CKernels
import LemmaBasics

/// The name of the arithmetic that every result of this module obeys (docs/numerics.md). It belongs into cache keys:
/// results are the same bits on every processor path and for any number of threads, until this name changes.
public let numericsClass = "f32-fma-1"

/// One way to run the kernels; all of them give the same bits.
public enum KernelPath: Int32, CaseIterable, Sendable {
  case scalar, avx2, avx512

  /// The fastest path of this processor.
  public static var best: KernelPath { KernelPath(rawValue: lemma_path_best()) ?? .scalar }

  public var isSupported: Bool { lemma_path_supported(rawValue) }

  public var name: String { String(cString: lemma_path_name(rawValue)) }
}

/// Owns the worker threads of one trainer or decoder.
final class KernelPool: @unchecked Sendable {
  let handle: OpaquePointer

  /// - Throws: `Failure` for a thread count outside 1...256 or a path that this processor lacks.
  init(threads: Int, path: KernelPath) throws {
    guard (1...256).contains(threads) else {
      throw Failure(.user, "threads", "the number of threads is 1 to 256, not \(threads)")
    }
    guard path.isSupported else {
      throw Failure(.user, "kernel-path", "this processor cannot run the \(path.name) kernels")
    }
    guard let handle = lemma_pool_create(Int32(threads), path.rawValue) else {
      throw Failure(.store, "threads", "\(threads) worker threads cannot be started")
    }
    self.handle = handle
  }

  deinit { lemma_pool_destroy(handle) }
}
