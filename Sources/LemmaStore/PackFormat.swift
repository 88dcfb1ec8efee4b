import Glibc
import LemmaBasics
import LemmaHash

/// The bytes of a pack, version 1 (`docs/formats.md`): a head of 16 bytes, then entries one after the
/// other, each a header and the object's bytes. A header names its object and how long it is, and has a
/// check of its own, so that a pack alone can be read from end to end, around damage too.
///
///     lemma pack 1 NEWLINE NUL NUL NUL
///     "LMe1"  LENGTH (4, least significant byte first)  XXH3-128 (16)  SHA-256 (32)  CHECK (8)
///     the bytes
///
/// CHECK is the low half of the XXH3-128 of the 56 bytes before it.
enum PackFormat {
  static let head = Array("lemma pack 1\n\0\0\0".utf8)
  static let magic = Array("LMe1".utf8)
  static let headerSize = 64

  /// Objects from this size on have a file of their own.
  static let limit = 64 << 10

  /// A pack that has grown this large is not appended to any more.
  static let fullSize = 128 << 20

  static func writeHeader(_ identity: Identity, to raw: UnsafeMutableRawBufferPointer) {
    raw.copyBytes(from: magic)
    raw.storeBytes(of: UInt32(identity.size).littleEndian, toByteOffset: 4, as: UInt32.self)
    identity.store(to: UnsafeMutableRawBufferPointer(rebasing: raw[8..<56]))
    raw.storeBytes(of: check(UnsafeRawBufferPointer(raw)), toByteOffset: 56, as: UInt64.self)
  }

  /// The object that a header names; `nil` when it is none, or damaged.
  static func readHeader(_ raw: UnsafeRawBufferPointer) -> Identity? {
    guard raw.count >= headerSize, raw[..<4].elementsEqual(magic),
      raw.loadUnaligned(fromByteOffset: 56, as: UInt64.self) == check(raw)
    else { return nil }
    let size = UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
    guard size < limit else { return nil }
    return Identity(loading: UnsafeRawBufferPointer(rebasing: raw[8..<56]), size: UInt64(size))
  }

  private static func check(_ raw: UnsafeRawBufferPointer) -> UInt64 {
    Digest(of: UnsafeRawBufferPointer(rebasing: raw[..<56])).low.littleEndian
  }

  static func path(of pack: Int64, in root: String) -> String {
    let digits = String(UInt64(bitPattern: pack), radix: 16)
    return "\(root)/packs/\(String(repeating: "0", count: 16 - digits.count))\(digits).pack"
  }

  /// The number of the pack with this file name; `nil` when it is no pack's.
  static func number(_ name: String) -> Int64? {
    guard name.utf8.count == 21, name.hasSuffix(".pack"), let number = UInt64(name.dropLast(5), radix: 16),
      path(of: Int64(bitPattern: number), in: "") == "/packs/\(name)"
    else { return nil }
    return Int64(bitPattern: number)
  }

  /// Hands every whole entry of an open pack to `each`, with the offset of its bytes. Around damage it
  /// goes on at the next header that is in order; a tail that was cut off is passed over.
  /// - Returns: how many bytes belong to no entry.
  @discardableResult
  static func scan(
    _ descriptor: Int32, path: String, each: (Identity, Int64, UnsafeRawBufferPointer) throws -> Void
  ) throws -> Int64 {
    // A window that always holds a whole entry, moved along.
    let window = UnsafeMutableRawBufferPointer.allocate(byteCount: 4 << 20, alignment: 4096)
    defer { window.deallocate() }
    var start: Int64 = 0
    var filled = 0
    var at = 0
    var stray: Int64 = 0
    var isAtEnd = false
    func fill() throws {
      window.baseAddress?.copyMemory(from: window.baseAddress! + at, byteCount: filled - at)
      start += Int64(at)
      filled -= at
      at = 0
      while filled < window.count, !isAtEnd {
        let got = pread(descriptor, window.baseAddress! + filled, window.count - filled, off_t(start) + off_t(filled))
        if got < 0, errno == EINTR { continue }
        if got < 0 { throw Failure.system("read", path: path, errno: errno) }
        if got == 0 { isAtEnd = true }
        filled += got
      }
    }
    try fill()
    if UnsafeRawBufferPointer(rebasing: window[..<filled]).starts(with: head) { at = head.count }
    while true {
      if filled - at < headerSize + limit, !isAtEnd { try fill() }
      if at >= filled { return stray }
      let rest = UnsafeRawBufferPointer(rebasing: window[at..<filled])
      guard let identity = readHeader(rest), rest.count >= headerSize + Int(identity.size) else {
        at += 1
        stray += 1
        continue
      }
      let bytes = UnsafeRawBufferPointer(rebasing: rest[headerSize..<(headerSize + Int(identity.size))])
      try each(identity, start + Int64(at + headerSize), bytes)
      at += headerSize + Int(identity.size)
    }
  }
}
