import Glibc
import LemmaBasics
import LemmaHash
import LemmaTestSupport
import Testing

@Suite("Long streams: two threads and a fingerprint give what one pass gives")
struct StreamTests {
  let space = TestSpace()
  private let key = FingerprintKey(bytes: [UInt8](0..<32))!

  private func names(of bytes: [UInt8]) throws -> (Identity, Fingerprint) {
    let hasher = try StreamHasher(key: key)
    var offset = 0
    while true {
      let block = hasher.nextBlock()
      let part = bytes[offset..<min(offset + block.count, bytes.count)]
      if part.isEmpty { break }
      block.copyBytes(from: part)
      hasher.take(part.count)
      offset += part.count
      if part.count < block.count { break }
    }
    return hasher.finish()
  }

  private func fingerprint(of bytes: [UInt8], _ key: FingerprintKey) throws -> Fingerprint? {
    let path = space.file("f")
    try Files.write(bytes, to: path)
    let descriptor = open(path, O_RDONLY)
    defer { close(descriptor) }
    return try Fingerprint.of(descriptor: descriptor, size: UInt64(bytes.count), key: key, path: path)
  }

  @Test(
    "every size around a block's", arguments: [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 12 << 20, (12 << 20) + 3])
  func sizes(size: Int) throws {
    let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 &>> 13) }
    let (identity, fingerprint) = try names(of: bytes)
    #expect(identity == Identity(of: bytes))
    #expect(try self.fingerprint(of: bytes, key) == fingerprint)
  }

  @Test("a fingerprint is of the bytes, their number and the key")
  func differences() throws {
    let bytes = [UInt8](repeating: 1, count: 3 << 20)
    let first = try fingerprint(of: bytes, key)
    for place in [0, 1 << 20, (3 << 20) - 1] {
      var other = bytes
      other[place] ^= 1
      #expect(try fingerprint(of: other, key) != first)
    }
    #expect(try fingerprint(of: bytes + [0], key) != first)
    #expect(try fingerprint(of: bytes.dropLast(), key) != first)
    #expect(try fingerprint(of: bytes, FingerprintKey.random()) != first)
    let swapped = [UInt8](repeating: 2, count: 1 << 20)
    #expect(try fingerprint(of: swapped + bytes, key) != fingerprint(of: bytes + swapped, key))
  }

  @Test("a file that is shorter than it should be has no fingerprint")
  func short() throws {
    try Files.write([1, 2, 3], to: space.file("f"))
    let descriptor = open(space.file("f"), O_RDONLY)
    defer { close(descriptor) }
    #expect(try Fingerprint.of(descriptor: descriptor, size: 1 << 21, key: key, path: "f") == nil)
  }

  @Test("a stream that is given up leaves nothing waiting")
  func abandoned() throws {
    for _ in 0..<20 {
      let hasher = try StreamHasher(key: key)
      _ = hasher.nextBlock()
      hasher.take(100)
    }
  }
}
