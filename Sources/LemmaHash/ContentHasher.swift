import CXXHash
import Glibc
import LemmaBasics

/// Hashes a stream once under both names, XXH3-128 and SHA-256. Made once and reset, it serves many
/// streams.
public struct ContentHasher: ~Copyable {
  private let digestState: OpaquePointer
  private let seal = SealHasher()
  private var size: UInt64 = 0

  public init() {
    guard let digestState = XXH3_createState() else { fatalError("out of memory") }
    self.digestState = digestState
    reset()
  }

  deinit { XXH3_freeState(digestState) }

  /// Forgets what was given.
  public mutating func reset() {
    XXH3_128bits_reset(digestState)
    seal.reset()
    size = 0
  }

  public mutating func update(_ bytes: UnsafeRawBufferPointer) {
    guard let base = bytes.baseAddress, !bytes.isEmpty else { return }
    XXH3_128bits_update(digestState, base, bytes.count)
    seal.update(bytes)
    size += UInt64(bytes.count)
  }

  public mutating func update(_ bytes: some Collection<UInt8>) {
    if bytes.withContiguousStorageIfAvailable({ update(UnsafeRawBufferPointer($0)) }) == nil {
      update(Array(bytes))
    }
  }

  /// Both names of everything given so far.
  public mutating func finish() -> Identity {
    let hash = XXH3_128bits_digest(digestState)
    return Identity(digest: Digest(high: hash.high64, low: hash.low64, size: size), seal: seal.finish())
  }

  /// Both names of `bytes` alone, whatever was given before.
  public mutating func identity(of bytes: UnsafeRawBufferPointer) -> Identity {
    let hash = XXH3_128bits(bytes.baseAddress, bytes.count)
    seal.reset()
    seal.update(bytes)
    return Identity(
      digest: Digest(high: hash.high64, low: hash.low64, size: UInt64(bytes.count)), seal: seal.finish())
  }

  /// Reads an open file from its current place to its end, handing every chunk to `each` as well.
  /// - Throws: `Failure` when a read fails, or what `each` throws.
  public mutating func update(
    readingFrom descriptor: Int32, path: String, each: (UnsafeRawBufferPointer) throws -> Void = { _ in }
  ) throws {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 4096)
    defer { buffer.deallocate() }
    while true {
      let got = read(descriptor, buffer.baseAddress, buffer.count)
      if got < 0, errno == EINTR { continue }
      if got < 0 { throw Failure.system("read", path: path, errno: errno) }
      if got == 0 { return }
      let chunk = UnsafeRawBufferPointer(rebasing: buffer[..<got])
      update(chunk)
      try each(chunk)
    }
  }
}
