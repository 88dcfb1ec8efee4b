import Glibc
import LemmaBasics

/// Hands out pieces of one block of memory. Without a block it only counts, so that the same description of what is
/// needed first says how much that is, before any of it exists.
struct Arena {
  typealias Numbers = UnsafeMutablePointer<Float>
  typealias Operands = UnsafeMutableRawPointer

  private let base: UnsafeMutableRawPointer
  private var next = 0
  /// Bytes that the block must have.
  private(set) var size = 0
  private let precision: Precision

  init(_ precision: Precision, base: UnsafeMutableRawPointer? = nil) {
    self.precision = precision
    // A place that no memory has; pieces of it must not be touched.
    self.base = base ?? UnsafeMutableRawPointer(bitPattern: 1 << 12)!
  }

  private mutating func bytes(_ count: Int) -> UnsafeMutableRawPointer {
    defer {
      // Whole cache lines, and one more where pieces would otherwise meet in the same sets of the cache.
      let rounded = (count + 63) / 64 * 64
      next += rounded % 4096 == 0 ? rounded + 64 : rounded
      size = max(size, next)
    }
    return base + next
  }

  mutating func numbers(_ count: Int) -> Numbers { bytes(count * 4).assumingMemoryBound(to: Float.self) }
  mutating func operands(_ count: Int) -> Operands { bytes(count * precision.size) }

  /// Pieces that `body` takes are given back, for those who come after and are not needed at the same time.
  mutating func lending<R>(_ body: (inout Arena) -> R) -> R {
    let mark = next
    defer { next = mark }
    return body(&self)
  }
}
