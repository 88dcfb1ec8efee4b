import CCrypto
import CXXHash
import Glibc
import LemmaBasics

/// Hashes a stream once under both names, XXH3-128 and SHA-256.
public struct ContentHasher: ~Copyable {
  private let digestState: OpaquePointer
  private let sealState: OpaquePointer
  private var size: UInt64 = 0

  public init() {
    guard let digestState = XXH3_createState(), let sealState = EVP_MD_CTX_new(),
      XXH3_128bits_reset(digestState) == XXH_OK, EVP_DigestInit_ex(sealState, EVP_sha256(), nil) == 1
    else { fatalError("out of memory, or a libcrypto without SHA-256") }
    self.digestState = digestState
    self.sealState = sealState
  }

  deinit {
    XXH3_freeState(digestState)
    EVP_MD_CTX_free(sealState)
  }

  public mutating func update(_ bytes: UnsafeRawBufferPointer) {
    guard let base = bytes.baseAddress, !bytes.isEmpty else { return }
    XXH3_128bits_update(digestState, base, bytes.count)
    EVP_DigestUpdate(sealState, base, bytes.count)
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
    var seal = [UInt8](repeating: 0, count: 32)
    EVP_DigestFinal_ex(sealState, &seal, nil)
    return Identity(
      digest: Digest(high: hash.high64, low: hash.low64, size: size), seal: Seal(bytes: seal))
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
