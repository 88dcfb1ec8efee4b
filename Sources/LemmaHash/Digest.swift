import CXXHash
import LemmaBasics

/// The local name of some bytes: XXH3-128 and the size. Fast and forgeable, so it decides nothing
/// that crosses a trust boundary; that is what `Seal` is for.
/// Source: https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md
public struct Digest: Hashable, Sendable {
  public var high: UInt64
  public var low: UInt64
  /// Bytes hashed.
  public var size: UInt64

  public init(high: UInt64, low: UInt64, size: UInt64) {
    self.high = high
    self.low = low
    self.size = size
  }

  /// The digest of `bytes`.
  public init(of bytes: UnsafeRawBufferPointer) {
    let hash = XXH3_128bits(bytes.baseAddress, bytes.count)
    self.init(high: hash.high64, low: hash.low64, size: UInt64(bytes.count))
  }

  /// The digest of `bytes`.
  public init(of bytes: some Collection<UInt8>) {
    let hash =
      bytes.withContiguousStorageIfAvailable { XXH3_128bits($0.baseAddress, $0.count) }
      ?? Array(bytes).withUnsafeBufferPointer { XXH3_128bits($0.baseAddress, $0.count) }
    self.init(high: hash.high64, low: hash.low64, size: UInt64(bytes.count))
  }

  /// The digest of several parts as if they stood one after the other.
  public init(ofParts parts: [ArraySlice<UInt8>]) {
    guard let state = XXH3_createState() else { fatalError("out of memory") }
    defer { XXH3_freeState(state) }
    XXH3_128bits_reset(state)
    for part in parts { part.withUnsafeBytes { _ = XXH3_128bits_update(state, $0.baseAddress, $0.count) } }
    let hash = XXH3_128bits_digest(state)
    self.init(high: hash.high64, low: hash.low64, size: UInt64(parts.reduce(0) { $0 + $1.count }))
  }

  /// The hash as 32 hexadecimal digits, most significant first, as `xxhsum -H2` prints it.
  public var hex: String { hexadecimal(high, low) }
}

extension Digest: CustomStringConvertible {
  public var description: String { hex }
}
