/// The canonical form by RFC 8785 (JCS): keys sorted by UTF-16 code units, no white space, numbers
/// as ECMAScript prints them; integers beyond 2^53 are printed exactly.
extension JSON {
  /// The canonical text.
  public var canonical: String { String(decoding: canonicalBytes, as: UTF8.self) }

  /// The canonical bytes: what is hashed, and what stands on a line of a JSONL file.
  public var canonicalBytes: [UInt8] {
    var writer = JSONWriter(indent: nil)
    writer.write(self, depth: 0)
    return writer.bytes
  }

  /// The same value for people: two spaces a level, keys in canonical order, a final newline.
  public var pretty: String {
    var writer = JSONWriter(indent: 2)
    writer.write(self, depth: 0)
    return String(decoding: writer.bytes, as: UTF8.self) + "\n"
  }
}

private struct JSONWriter {
  var bytes: [UInt8] = []
  let indent: Int?

  mutating func write(_ value: JSON, depth: Int) {
    switch value {
    case .null: bytes += "null".utf8
    case .bool(let value): bytes += (value ? "true" : "false").utf8
    case .integer(let value): bytes += String(value).utf8
    case .number(let value): bytes += ecmaScriptNumber(value).utf8
    case .string(let value): write(value)
    case .array(let elements):
      write(elements, open: "[", close: "]", depth: depth) { writer, element in
        writer.write(element, depth: depth + 1)
      }
    case .object(let members):
      let sorted = members.sorted { $0.key.utf16.lexicographicallyPrecedes($1.key.utf16) }
      write(sorted, open: "{", close: "}", depth: depth) { writer, member in
        writer.write(member.key)
        writer.bytes += (writer.indent == nil ? ":" : ": ").utf8
        writer.write(member.value, depth: depth + 1)
      }
    }
  }

  private mutating func write<T>(
    _ elements: [T], open: String, close: String, depth: Int,
    each: (inout JSONWriter, T) -> Void
  ) {
    bytes += open.utf8
    for (index, element) in elements.enumerated() {
      if index > 0 { bytes += ",".utf8 }
      newline(depth + 1)
      each(&self, element)
    }
    if !elements.isEmpty { newline(depth) }
    bytes += close.utf8
  }

  private mutating func newline(_ depth: Int) {
    guard let indent else { return }
    bytes.append(UInt8(ascii: "\n"))
    bytes += repeatElement(UInt8(ascii: " "), count: indent * depth)
  }

  private mutating func write(_ text: String) {
    bytes.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""): bytes += "\\\"".utf8
      case UInt8(ascii: "\\"): bytes += "\\\\".utf8
      case 0x08: bytes += "\\b".utf8
      case 0x09: bytes += "\\t".utf8
      case 0x0A: bytes += "\\n".utf8
      case 0x0C: bytes += "\\f".utf8
      case 0x0D: bytes += "\\r".utf8
      case 0..<0x20:
        let hex = String(byte, radix: 16)
        bytes += "\\u00\(hex.utf8.count == 1 ? "0" : "")\(hex)".utf8
      default: bytes.append(byte)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }
}

/// A finite double as ECMAScript's `Number::toString` prints it (ECMA-262, 6.1.6.1.20), from
/// Swift's shortest round-trip digits.
func ecmaScriptNumber(_ value: Double) -> String {
  precondition(value.isFinite, "JSON has no number for \(value)")
  if value == 0 { return "0" }
  let text = value.magnitude.description
  let parts = text.split(separator: "e")
  let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
  let whole = String(mantissa[0])
  var fraction = mantissa.count > 1 ? String(mantissa[1]) : ""
  if fraction == "0" { fraction = "" }
  var digits = whole + fraction
  // The value is 0.DIGITS x 10^point.
  var point = whole.count + (parts.count > 1 ? Int(parts[1])! : 0)
  while digits.hasPrefix("0") {
    digits.removeFirst()
    point -= 1
  }
  while digits.hasSuffix("0") { digits.removeLast() }
  let sign = value < 0 ? "-" : ""
  let count = digits.count
  func zeros(_ n: Int) -> String { String(repeating: "0", count: n) }
  if count <= point, point <= 21 { return sign + digits + zeros(point - count) }
  if 0 < point, point <= 21 { return sign + digits.prefix(point) + "." + digits.dropFirst(point) }
  if -6 < point, point <= 0 { return sign + "0." + zeros(-point) + digits }
  let exponent = point - 1
  let scale = "e" + (exponent < 0 ? "-" : "+") + String(exponent.magnitude)
  return sign + digits.prefix(1) + (count > 1 ? "." + digits.dropFirst() : "") + scale
}
