import CCrypto

/// SHA-256 of a stream.
struct SealHasher: ~Copyable {
  private let state: OpaquePointer

  /// Looked up once: libcrypto's own look-up costs more than hashing a small file.
  private nonisolated(unsafe) static let sha256 = EVP_MD_fetch(nil, "SHA256", nil)

  init() {
    guard let state = EVP_MD_CTX_new() else { fatalError("out of memory") }
    self.state = state
    reset()
  }

  deinit { EVP_MD_CTX_free(state) }

  func reset() {
    guard EVP_DigestInit_ex(state, SealHasher.sha256, nil) == 1 else { fatalError("libcrypto has no SHA-256") }
  }

  func update(_ bytes: UnsafeRawBufferPointer) { EVP_DigestUpdate(state, bytes.baseAddress, bytes.count) }

  func finish() -> Seal {
    withUnsafeTemporaryAllocation(byteCount: 32, alignment: 8) { raw in
      EVP_DigestFinal_ex(state, raw.baseAddress, nil)
      return Seal(loading: UnsafeRawBufferPointer(raw))
    }
  }
}
