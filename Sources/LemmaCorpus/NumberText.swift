/// How a plain number is written: digits with optional thousands separators and decimals. Words,
/// signs, units and percent belong to the callers.
public struct NumberText: Hashable, Sendable {
  public var value: Rational
  /// Places after the point as written: 2 for `3.50`.
  public var decimals: Int
  public var hasSeparators: Bool

  /// Reads an unsigned number at the start of `bytes`, as much of it as is well formed: `1,234.5`,
  /// `.5`, `36`. A comma counts only where it parts a group of exactly three digits, and a point
  /// only before a digit, so that the full stop after `36.` is left.
  /// - Returns: the number and the bytes that it takes; `nil` if none begins here or it is too large.
  public static func prefix(of bytes: some Collection<UInt8>) -> (number: NumberText, length: Int)? {
    let bytes = Array(bytes.prefix(64))
    func isDigit(_ index: Int) -> Bool { bytes.indices.contains(index) && isASCIIDigit(bytes[index]) }
    var digits: Int128 = 0
    var significant = 0
    func take(_ index: Int) {
      digits = digits * 10 + Int128(bytes[index] - UInt8(ascii: "0"))
      significant += digits == 0 ? 0 : 1
    }
    var offset = 0
    while isDigit(offset), significant < 30 {
      take(offset)
      offset += 1
    }
    var hasSeparators = false
    if (1...3).contains(offset) {
      while offset < bytes.count, bytes[offset] == UInt8(ascii: ","), isDigit(offset + 1), isDigit(offset + 2),
        isDigit(offset + 3), !isDigit(offset + 4), significant < 27
      {
        for index in offset + 1...offset + 3 { take(index) }
        offset += 4
        hasSeparators = true
      }
    }
    var scale: Int128 = 1
    var decimals = 0
    if offset < bytes.count, bytes[offset] == UInt8(ascii: "."), isDigit(offset + 1) {
      offset += 1
      while isDigit(offset), significant < 30, decimals < 30 {
        take(offset)
        scale *= 10
        decimals += 1
        offset += 1
      }
    }
    guard offset > 0, !isDigit(offset), let value = Rational(digits, over: scale) else { return nil }
    return (NumberText(value: value, decimals: decimals, hasSeparators: hasSeparators), offset)
  }

  /// The number that `text` is, from its first byte to its last.
  public init?(_ text: some StringProtocol) {
    guard let (number, length) = NumberText.prefix(of: text.utf8), length == text.utf8.count else { return nil }
    self = number
  }

  public init(value: Rational, decimals: Int = 0, hasSeparators: Bool = false) {
    self.value = value
    self.decimals = decimals
    self.hasSeparators = hasSeparators
  }

  /// The number written in its style: the decimals it had, or more where the value needs them, and
  /// separators from a thousand on. A value whose decimals do not end is written as a fraction.
  public var text: String {
    guard let plain = value.decimalText(decimals: decimals) else { return value.description }
    guard hasSeparators else { return plain }
    let whole = plain.prefix { $0 != "." }
    var grouped = ""
    for (index, digit) in whole.enumerated() {
      if index > 0, (whole.count - index) % 3 == 0, grouped != "-" { grouped += "," }
      grouped.append(digit)
    }
    return grouped + plain.dropFirst(whole.count)
  }
}

/// Whether `byte` is one of `0` to `9`.
public func isASCIIDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

/// Whether `byte` is an ASCII letter.
public func isASCIILetter(_ byte: UInt8) -> Bool {
  let lower = byte | 0x20
  return lower >= UInt8(ascii: "a") && lower <= UInt8(ascii: "z")
}
