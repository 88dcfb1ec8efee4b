import CLinux
import Glibc
import LemmaBasics
import LemmaHash

/// Hashes an open file from its start to its end, or copies it and hashes what the copy holds. A large
/// one has both names computed at once, on two threads.
struct FileHashing {
  let descriptor: Int32
  let path: String

  /// Files from this size on are worth a second thread and a fingerprint.
  static let large = 4 << 20

  /// Both names.
  func identity(key: FingerprintKey) throws -> Identity { try names(key: key).identity }

  /// Both names, and of a large file the fingerprint.
  func names(key: FingerprintKey) throws -> (identity: Identity, fingerprint: Fingerprint?) {
    try pass(from: descriptor, path: path, key: key) { _, _ in }
  }

  /// Copies to an empty file open for reading and writing. Blocks of zeros become holes.
  func copy(
    to output: Int32, shown: String, key: FingerprintKey
  ) throws -> (identity: Identity, fingerprint: Fingerprint?) {
    // What is hashed is what was stored: where the copy shares the original's extents, the copy is read.
    if lemma_reflink(descriptor, output) == 0 { return try pass(from: output, path: shown, key: key) { _, _ in } }
    let writer = CopyWriter(output, shown: shown, sizeHint: try size())
    let names = try pass(from: descriptor, path: path, key: key, each: writer.write(_:at:))
    try writer.finish()
    return names
  }

  private func pass(
    from descriptor: Int32, path: String, key: FingerprintKey,
    each: (UnsafeRawBufferPointer, Int64) throws -> Void
  ) throws -> (identity: Identity, fingerprint: Fingerprint?) {
    var offset: Int64 = 0
    func fill(_ block: UnsafeMutableRawBufferPointer) throws -> UnsafeRawBufferPointer {
      var filled = 0
      while filled < block.count {
        let got = pread(descriptor, block.baseAddress! + filled, block.count - filled, off_t(offset) + off_t(filled))
        if got < 0, errno == EINTR { continue }
        if got < 0 { throw Failure.system("read", path: path, errno: errno) }
        if got == 0 { break }
        filled += got
      }
      return UnsafeRawBufferPointer(rebasing: block[..<filled])
    }
    if try size() >= FileHashing.large {
      let hasher = try StreamHasher(key: key)
      while true {
        let block = try fill(hasher.nextBlock())
        if block.isEmpty { break }
        hasher.take(block.count)
        try each(block, offset)
        offset += Int64(block.count)
        if block.count < Fingerprint.blockSize { break }
      }
      let names = hasher.finish()
      return (names.identity, names.fingerprint)
    }
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 4096)
    defer { room.deallocate() }
    var hasher = ContentHasher()
    while true {
      let block = try fill(room)
      if block.isEmpty { break }
      hasher.update(block)
      try each(block, offset)
      offset += Int64(block.count)
      if block.count < room.count { break }
    }
    return (hasher.finish(), nil)
  }

  private func size() throws -> Int64 {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw Failure.system("fstat", path: path, errno: errno) }
    return Int64(status.st_size)
  }
}
