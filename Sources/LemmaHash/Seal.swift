import CCrypto

/// The name of some bytes that cannot be forged: SHA-256 (FIPS 180-4). It binds an object wherever
/// it crosses a trust boundary: ledger, export, remote.
public struct Seal: Hashable, Sendable {
  // Four words and no array: a folder of a million files has a million seals.
  let first: UInt64
  let second: UInt64
  let third: UInt64
  let fourth: UInt64

  init(_ first: UInt64, _ second: UInt64, _ third: UInt64, _ fourth: UInt64) {
    self.first = first
    self.second = second
    self.third = third
    self.fourth = fourth
  }

  /// Reads the seal's 32 bytes at the start of `raw`.
  public init(loading raw: UnsafeRawBufferPointer) {
    precondition(raw.count >= 32)
    func word(_ place: Int) -> UInt64 {
      UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: 8 * place, as: UInt64.self))
    }
    self.init(word(0), word(1), word(2), word(3))
  }

  /// - Precondition: 32 bytes.
  public init(bytes: [UInt8]) {
    precondition(bytes.count == 32, "a seal has 32 bytes")
    self = bytes.withUnsafeBytes { Seal(loading: $0) }
  }

  /// Writes the seal's 32 bytes to the start of `raw`.
  public func store(to raw: UnsafeMutableRawBufferPointer) {
    precondition(raw.count >= 32)
    for (place, word) in [first, second, third, fourth].enumerated() {
      raw.storeBytes(of: word.bigEndian, toByteOffset: 8 * place, as: UInt64.self)
    }
  }

  /// The seal of `content`.
  public init(of content: some Collection<UInt8>) { self = Identity(of: content).seal }

  /// Reads 64 lower-case hexadecimal digits; `nil` for anything else.
  public init?(hex: some StringProtocol) {
    guard let words = parseHexadecimal(hex, words: 4) else { return nil }
    self.init(words[0], words[1], words[2], words[3])
  }

  /// 32 bytes.
  public var bytes: [UInt8] {
    [UInt8](unsafeUninitializedCapacity: 32) { buffer, count in
      store(to: UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: buffer[..<32])))
      count = 32
    }
  }

  /// 64 hexadecimal digits, as `sha256sum` prints them.
  public var hex: String { hexadecimal(first, second, third, fourth) }
}

extension Seal: CustomStringConvertible {
  public var description: String { hex }
}
