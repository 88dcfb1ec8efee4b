import CCrypto
import CXXHash
import Dispatch
import Glibc
import LemmaBasics
import Synchronization

/// Names a large file at the speed of memory, under a secret key: equal fingerprints mean equal bytes to
/// everybody who does not know the key, forgers included. It is a cache's name and enters no output;
/// `docs/decisions/0011-keyed-fingerprints.md` says why it may stand in for a seal.
///
/// Every block of 1 MiB has a Poly1305 tag (RFC 8439) under the one key; the fingerprint is the
/// SHA-256 of the size and the tags.
public struct Fingerprint: Hashable, Sendable {
  /// 32 bytes.
  public let bytes: [UInt8]

  /// Bytes of a block.
  public static let blockSize = 1 << 20
  static let tagSize = 16

  init(tags: [UInt8], size: UInt64) {
    let head = Array("lemma fingerprint 1\n\(size)\n".utf8)
    bytes = Seal(of: head + tags).bytes
  }

  /// The fingerprint of an open file of `size` bytes, read by several threads.
  /// - Returns: `nil` when the file is shorter than that.
  /// - Throws: `Failure` when a read fails.
  public static func of(descriptor: Int32, size: UInt64, key: FingerprintKey, path: String) throws -> Fingerprint? {
    let blocks = (Int(size) + blockSize - 1) / blockSize
    let tags = Mutex([UInt8](repeating: 0, count: blocks * tagSize))
    let next = Atomic(0)
    let trouble = Mutex<(code: Int32, isShort: Bool)>((0, false))
    Threads.together(min(Threads.processors, max(1, blocks / 4))) { _ in
      let tagger = BlockTagger(key)
      let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: blockSize, alignment: 4096)
      defer { buffer.deallocate() }
      while true {
        let block = next.wrappingAdd(1, ordering: .relaxed).oldValue
        if block >= blocks { return }
        let start = block * blockSize
        let wanted = min(blockSize, Int(size) - start)
        var got = 0
        while got < wanted {
          let count = pread(descriptor, buffer.baseAddress! + got, wanted - got, off_t(start + got))
          if count < 0, errno == EINTR { continue }
          if count <= 0 {
            trouble.withLock { $0 = count < 0 ? (errno, $0.isShort) : ($0.code, true) }
            next.store(blocks, ordering: .relaxed)
            return
          }
          got += count
        }
        let tag = tagger.tag(UnsafeRawBufferPointer(rebasing: buffer[..<wanted]))
        tags.withLock { $0.replaceSubrange(block * tagSize..<(block + 1) * tagSize, with: tag) }
      }
    }
    let (code, isShort) = trouble.withLock { $0 }
    if code != 0 { throw Failure.system("read", path: path, errno: code) }
    return isShort ? nil : Fingerprint(tags: tags.withLock { $0 }, size: size)
  }
}

/// The secret of a store: 32 random bytes, written nowhere but in its index.
public struct FingerprintKey: Sendable {
  public let bytes: [UInt8]

  /// - Parameter bytes: 32 random bytes.
  public init?(bytes: [UInt8]) {
    guard bytes.count == 32 else { return nil }
    self.bytes = bytes
  }

  /// A new key.
  public static func random() -> FingerprintKey {
    var generator = SystemRandomNumberGenerator()
    return FingerprintKey(unchecked: (0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) })
  }

  private init(unchecked bytes: [UInt8]) { self.bytes = bytes }
}

/// Poly1305 of one block at a time. Used by one thread.
final class BlockTagger {
  private let context: OpaquePointer
  private let key: FingerprintKey

  private nonisolated(unsafe) static let poly1305 = EVP_MAC_fetch(nil, "POLY1305", nil)

  init(_ key: FingerprintKey) {
    guard let context = EVP_MAC_CTX_new(BlockTagger.poly1305) else { fatalError("libcrypto has no Poly1305") }
    self.context = context
    self.key = key
  }

  deinit { EVP_MAC_CTX_free(context) }

  func tag(_ block: UnsafeRawBufferPointer) -> [UInt8] {
    var tag = [UInt8](repeating: 0, count: Fingerprint.tagSize)
    var count = 0
    let bytes = block.bindMemory(to: UInt8.self)
    guard EVP_MAC_init(context, key.bytes, key.bytes.count, nil) == 1,
      EVP_MAC_update(context, bytes.baseAddress, bytes.count) == 1,
      EVP_MAC_final(context, &tag, &count, tag.count) == 1
    else { fatalError("libcrypto cannot compute Poly1305") }
    return tag
  }
}
