import LemmaBasics

/// HTML text under construction. All that comes from outside goes through `escaped`.
struct Markup {
  private(set) var text = ""

  /// Markup of our own.
  mutating func raw(_ markup: String) { text += markup }

  /// `<name attributes>content</name>`; the content is escaped, the attributes are ours or escaped.
  mutating func element(_ name: String, _ attributes: String = "", _ content: String) {
    text += "<\(name)\(attributes.isEmpty ? "" : " " + attributes)>\(escaped(content))</\(name)>"
  }

  mutating func line(_ markup: String) { text += markup + "\n" }
}

/// Text that means itself in HTML content and in quoted attributes, with control characters and
/// changes of direction made visible.
func escaped(_ text: String) -> String {
  let special: (UInt8) -> Bool = { byte in
    switch byte {
    case UInt8(ascii: "&"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\""), UInt8(ascii: "'"): true
    default: false
    }
  }
  let clean = printable(text)
  guard clean.utf8.contains(where: special) else { return clean }
  var bytes: [UInt8] = []
  bytes.reserveCapacity(clean.utf8.count + 16)
  for byte in clean.utf8 {
    switch byte {
    case UInt8(ascii: "&"): bytes += "&amp;".utf8
    case UInt8(ascii: "<"): bytes += "&lt;".utf8
    case UInt8(ascii: ">"): bytes += "&gt;".utf8
    case UInt8(ascii: "\""): bytes += "&quot;".utf8
    case UInt8(ascii: "'"): bytes += "&#39;".utf8
    default: bytes.append(byte)
    }
  }
  return String(decoding: bytes, as: UTF8.self)
}

/// A coordinate with at most one decimal.
func coordinate(_ value: Double) -> String {
  let text = fixed(value, 1)
  let short = text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  return short == "-0" ? "0" : short
}
