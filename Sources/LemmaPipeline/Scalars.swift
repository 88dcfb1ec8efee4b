import LemmaBasics

/// How an unquoted scalar is read: `null`, `true`, `false` and the numbers of JSON are what they look
/// like, all else is text. What YAML 1.1 and 1.2 read differently is refused, not guessed.
enum PlainScalar {
  enum Reading {
    case value(JSON)
    /// YAML readers disagree; the advice says how to write what was meant.
    case trap(advice: String)
    /// No reader could mean a value by it here.
    case refused(reason: String)
  }

  static func read(_ text: String) -> Reading {
    switch text {
    case "", "~", "null": return .value(.null)
    case "true": return .value(.bool(true))
    case "false": return .value(.bool(false))
    default: break
    }
    if text.utf8.count <= 5, let advice = wordTrap(text) { return .trap(advice: advice) }
    guard let first = text.utf8.first,
      isNumeric(first) || first == UInt8(ascii: "+") || first == UInt8(ascii: "-") || first == UInt8(ascii: ".")
    else { return .value(.string(text)) }
    return number(text)
  }

  private static func wordTrap(_ text: String) -> String? {
    switch text.lowercased() {
    case "yes", "y", "on", "true": "write true, or \"\(text)\" in quotes"
    case "no", "n", "off", "false": "write false, or \"\(text)\" in quotes"
    case "null": "write null, or \"\(text)\" in quotes"
    default: nil
    }
  }

  private static func isNumeric(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

  private static func number(_ text: String) -> Reading {
    let digits =
      text.utf8.first == UInt8(ascii: "-") || text.utf8.first == UInt8(ascii: "+")
      ? text.dropFirst() : text[...]
    if isPlainNumber(digits.utf8) {
      let unsigned = text.utf8.first == UInt8(ascii: "+") ? String(digits) : text
      if let value = Int64(unsigned) { return .value(.integer(value)) }
      guard let value = Double(unsigned), value.isFinite else {
        return .refused(reason: "is beyond the numbers that a double holds")
      }
      return .value(JSON(value))
    }
    if [".inf", ".nan"].contains(digits.lowercased()) { return .refused(reason: "is not a finite number") }
    return numberTrap(text, digits: Array(digits.utf8)).map { .trap(advice: $0) } ?? .value(.string(text))
  }

  /// The number grammar of JSON, without the sign.
  private static func isPlainNumber(_ digits: Substring.UTF8View) -> Bool {
    var rest = Substring(digits).utf8
    func run() -> Int {
      let count = rest.prefix(while: isNumeric).count
      rest = rest.dropFirst(count)
      return count
    }
    let leadsWithZero = rest.first == UInt8(ascii: "0")
    let whole = run()
    guard whole > 0, !(leadsWithZero && whole > 1) else { return false }
    if rest.first == UInt8(ascii: ".") {
      rest = rest.dropFirst()
      guard run() > 0 else { return false }
    }
    if let byte = rest.first, byte | 0x20 == UInt8(ascii: "e") {
      rest = rest.dropFirst()
      if let sign = rest.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { rest = rest.dropFirst() }
      guard run() > 0 else { return false }
    }
    return rest.isEmpty
  }

  private static func numberTrap(_ text: String, digits: [UInt8]) -> String? {
    let quote = "\"\(text)\" in quotes"
    let lower = String(decoding: digits, as: UTF8.self).lowercased()
    let isDigits = digits.allSatisfy(isNumeric)
    if isDigits, digits.count > 1 { return "a number does not begin with 0: write it without, or \(quote)" }
    if digits.count > 2, digits[0] == UInt8(ascii: "0"), "xob".utf8.contains(digits[1] | 0x20),
      lower.dropFirst(2).allSatisfy({ $0.isHexDigit || $0 == "_" })
    {
      return "write the number in decimal, or \(quote)"
    }
    let body = digits.filter {
      isNumeric($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: ":")
    }
    guard body.count == digits.count, digits.contains(where: isNumeric) else { return nil }
    let points = digits.count { $0 == UInt8(ascii: ".") }
    if digits.contains(UInt8(ascii: ":")) {
      let parts = digits.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
      return parts.allSatisfy { !$0.isEmpty } && points <= 1
        ? "YAML 1.1 reads it in base 60: write \(quote), or the number in decimal" : nil
    }
    if digits.contains(UInt8(ascii: "_")) {
      return isNumeric(digits[0]) && points <= 1 ? "write the number without _, or \(quote)" : nil
    }
    return points == 1 ? "write digits on both sides of the point and no leading zero, or \(quote)" : nil
  }
}
