import LemmaBasics

/// The words of a call as strace writes them: texts in quotes with C's escapes, descriptors with their
/// paths in angle brackets.
enum TraceWord {
  /// The absolute paths that the texts name; a relative one starts at the descriptor before it, or at `folder`.
  static func paths(in words: Substring, from folder: String) -> [String] {
    var paths: [String] = []
    var base = folder
    var rest = words.utf8[...]
    while let byte = rest.first {
      switch byte {
      case UInt8(ascii: "\""):
        let text = quoted(&rest)
        if !text.isEmpty { paths.append(normal(text.hasPrefix("/") ? text : "\(base)/\(text)")) }
        base = folder
      case UInt8(ascii: "<"): base = bracketed(&rest)
      case UInt8(ascii: "["), UInt8(ascii: "{"):
        // The words of a program, or what a call filled in: no paths that it looks at.
        skip(&rest)
      default: rest.removeFirst()
      }
    }
    return paths
  }

  /// The path of the first descriptor.
  static func place(in words: Substring) -> String? {
    guard let start = words.utf8.firstIndex(of: UInt8(ascii: "<")) else { return nil }
    var rest = words.utf8[start...]
    return bracketed(&rest)
  }

  /// Where the process stands, when the call says it.
  static func currentFolder(in words: Substring) -> String? {
    words.hasPrefix("AT_FDCWD<") ? place(in: words) : nil
  }

  /// The path without `.`, `..` and doubled slashes, as its letters tell.
  static func normal(_ path: String) -> String {
    var parts: [Substring.UTF8View] = []
    for part in path[...].utf8.split(separator: UInt8(ascii: "/")) {
      if part.elementsEqual(".".utf8) { continue }
      if part.elementsEqual("..".utf8) {
        _ = parts.popLast()
      } else {
        parts.append(part)
      }
    }
    return "/" + parts.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "/")
  }

  private static func quoted(_ rest: inout Substring.UTF8View) -> String {
    rest.removeFirst()
    return unescaped(&rest, until: UInt8(ascii: "\""))
  }

  private static func bracketed(_ rest: inout Substring.UTF8View) -> String {
    rest.removeFirst()
    return unescaped(&rest, until: UInt8(ascii: ">"))
  }

  private static func unescaped(_ rest: inout Substring.UTF8View, until end: UInt8) -> String {
    var bytes: [UInt8] = []
    while let byte = rest.popFirst(), byte != end {
      guard byte == UInt8(ascii: "\\"), let next = rest.popFirst() else {
        bytes.append(byte)
        continue
      }
      switch next {
      case UInt8(ascii: "n"): bytes.append(0x0A)
      case UInt8(ascii: "t"): bytes.append(0x09)
      case UInt8(ascii: "r"): bytes.append(0x0D)
      case UInt8(ascii: "v"): bytes.append(0x0B)
      case UInt8(ascii: "f"): bytes.append(0x0C)
      case UInt8(ascii: "0")...UInt8(ascii: "7"):
        var value = Int(next - UInt8(ascii: "0"))
        for _ in 0..<2 {
          guard let digit = rest.first, (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(digit) else { break }
          value = value * 8 + Int(digit - UInt8(ascii: "0"))
          rest.removeFirst()
        }
        bytes.append(UInt8(truncatingIfNeeded: value))
      default: bytes.append(next)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Leaves a list or a structure behind, with all that is nested in it.
  private static func skip(_ rest: inout Substring.UTF8View) {
    var depth = 0
    while let byte = rest.first {
      switch byte {
      case UInt8(ascii: "\""):
        _ = quoted(&rest)
        continue
      case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
      case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
      default: break
      }
      rest.removeFirst()
      if depth == 0 { return }
    }
  }
}

extension Substring {
  func range(of text: String) -> Range<Index>? { ranges(of: text).first }
  func lastRange(of text: String) -> Range<Index>? { ranges(of: text).last }
}
