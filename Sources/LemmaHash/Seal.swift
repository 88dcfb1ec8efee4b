import CCrypto

/// The name of some bytes that cannot be forged: SHA-256 (FIPS 180-4). It binds an object wherever
/// it crosses a trust boundary: ledger, export, remote.
public struct Seal: Hashable, Sendable {
  /// 32 bytes.
  public let bytes: [UInt8]

  /// - Precondition: 32 bytes.
  public init(bytes: [UInt8]) {
    precondition(bytes.count == 32, "a seal has 32 bytes")
    self.bytes = bytes
  }

  /// The seal of `content`.
  public init(of content: some Collection<UInt8>) {
    var hasher = ContentHasher()
    hasher.update(content)
    self = hasher.finish().seal
  }

  /// Reads 64 lower-case hexadecimal digits; `nil` for anything else.
  public init?(hex: some StringProtocol) {
    guard hex.utf8.count == 64, let bytes = parseHexadecimal(hex) else { return nil }
    self.bytes = bytes
  }

  /// 64 hexadecimal digits, as `sha256sum` prints them.
  public var hex: String { hexadecimal(bytes) }
}

extension Seal: CustomStringConvertible {
  public var description: String { hex }
}

/// Two lower-case digits for each byte.
func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
  let digits = Array("0123456789abcdef".utf8)
  var text: [UInt8] = []
  for byte in bytes {
    text.append(digits[Int(byte >> 4)])
    text.append(digits[Int(byte & 15)])
  }
  return String(decoding: text, as: UTF8.self)
}

/// The bytes of an even number of lower-case hexadecimal digits, or `nil`.
func parseHexadecimal(_ text: some StringProtocol) -> [UInt8]? {
  func value(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    default: nil
    }
  }
  var bytes: [UInt8] = []
  var pending: UInt8?
  for digit in text.utf8 {
    guard let value = value(digit) else { return nil }
    if let first = pending {
      bytes.append(first << 4 | value)
      pending = nil
    } else {
      pending = value
    }
  }
  return pending == nil ? bytes : nil
}
