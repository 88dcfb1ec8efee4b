import LemmaBasics

/// A place in a source text, counted in Unicode scalars from its beginning: libyaml's unit.
typealias Mark = Int

/// The text of a pipeline file: which characters it may hold, and which line and column a mark is.
struct SourceText {
  let file: String
  /// UTF-8 without a byte order mark.
  let bytes: [UInt8]
  private let lineStarts: [Int]
  /// The byte offset of every 256th scalar; empty when scalars are bytes.
  private let checkpoints: [Int]

  private static let stride = 256

  init(file: String, bytes: [UInt8]) {
    self.file = file
    self.bytes = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
    var lineStarts = [0]
    var checkpoints: [Int] = []
    var scalars = 0
    for (offset, byte) in self.bytes.enumerated() {
      if byte & 0xC0 != 0x80 {
        if scalars % Self.stride == 0 { checkpoints.append(offset) }
        scalars += 1
      }
      if byte == UInt8(ascii: "\n") { lineStarts.append(offset + 1) }
    }
    self.lineStarts = lineStarts
    self.checkpoints = scalars == self.bytes.count ? [] : checkpoints
  }

  /// Line and column, the column in bytes, both from 1.
  func position(of mark: Mark) -> Position { position(ofByte: byteOffset(of: mark)) }

  func position(ofByte offset: Int) -> Position {
    var low = 0
    var high = lineStarts.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if lineStarts[middle] <= offset { low = middle } else { high = middle }
    }
    return Position(file: file, line: low + 1, column: offset - lineStarts[low] + 1)
  }

  func byte(at mark: Mark) -> UInt8? {
    let offset = byteOffset(of: mark)
    return offset < bytes.count ? bytes[offset] : nil
  }

  private func byteOffset(of mark: Mark) -> Int {
    guard !checkpoints.isEmpty else { return min(max(mark, 0), bytes.count) }
    guard mark >= 0, mark / Self.stride < checkpoints.count else { return bytes.count }
    var offset = checkpoints[mark / Self.stride]
    var rest = mark % Self.stride
    while offset < bytes.count {
      if bytes[offset] & 0xC0 != 0x80 {
        if rest == 0 { break }
        rest -= 1
      }
      offset += 1
    }
    return offset
  }
}

extension SourceText {
  /// The first thing that keeps the bytes from being text at all: invalid UTF-8, or a character that
  /// is a control, an unusual line break or an invisible change of direction.
  func firstFault() -> Failure? {
    if let offset = invalidByte() {
      return Failure(.user, "not-utf8", "the file is not valid UTF-8", at: position(ofByte: offset))
    }
    if let directive = directive() { return directive }
    for offset in bytes.indices {
      guard let word = forbidden(at: offset) else { continue }
      return Failure(
        .user, "control-character", "\(word) cannot stand in a pipeline file", at: position(ofByte: offset))
    }
    return nil
  }

  /// A directive other than `%YAML`. The only one that YAML knows declares tags, which are not read here;
  /// and libyaml compares each of them with all before it.
  private func directive() -> Failure? {
    for (number, start) in lineStarts.enumerated() {
      let end = number + 1 < lineStarts.count ? lineStarts[number + 1] : bytes.count
      let line = bytes[start..<end]
      if line.starts(with: "%".utf8) {
        if line.starts(with: "%YAML".utf8) { continue }
        return Failure(
          .user, "directive", "directives (%TAG and the like) are not read here", at: position(ofByte: start),
          hint: "remove the line")
      }
      // What follows the first line of content is no directive any more.
      if let first = line.first(where: { !" \t\r\n".utf8.contains($0) }), first != UInt8(ascii: "#") { return nil }
    }
    return nil
  }

  private func invalidByte() -> Int? {
    guard String(validating: bytes, as: UTF8.self) == nil else { return nil }
    var decoder = UTF8()
    var iterator = bytes.makeIterator()
    var offset = 0
    while case .scalarValue(let scalar) = decoder.decode(&iterator) { offset += UTF8.width(scalar) }
    return offset
  }

  private func forbidden(at offset: Int) -> String? {
    func next(_ distance: Int) -> UInt8 { offset + distance < bytes.count ? bytes[offset + distance] : 0 }
    switch bytes[offset] {
    case 0x09, 0x0A: return nil
    case 0x0D: return next(1) == 0x0A ? nil : "a carriage return without a line feed"
    case 0x00..<0x20, 0x7F: return "the control character U+\(hex(UInt32(bytes[offset])))"
    case 0x21..<0x7F: return nil
    case 0xC2 where next(1) < 0xA0: return "the control character U+\(hex(UInt32(next(1))))"
    case 0xE2 where next(1) == 0x80 && (0xA8...0xAE).contains(next(2)):
      return "the invisible character U+\(hex(0x2000 + UInt32(next(2)) - 0x80))"
    case 0xE2 where next(1) == 0x81 && (0xA6...0xA9).contains(next(2)):
      return "the invisible character U+\(hex(0x2040 + UInt32(next(2)) - 0x80))"
    case 0xEE where next(1) == 0x80 && next(2) <= 0x81:
      return "the private-use character U+\(hex(0xE000 + UInt32(next(2)) - 0x80))"
    case 0xEF where next(1) == 0xBB && next(2) == 0xBF: return "a byte order mark"
    case 0xEF where next(1) == 0xBF && next(2) >= 0xBE: return "the noncharacter U+FFF\(next(2) == 0xBE ? "E" : "F")"
    default: return nil
    }
  }

  private func hex(_ value: UInt32) -> String {
    let digits = String(value, radix: 16, uppercase: true)
    return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }
}

/// In YAML's flow context a brace ends a plain scalar, so `{ size: ${params.sizes} }` would not
/// parse. The braces of `${...}` are therefore handed to libyaml as two private-use characters and
/// put back in every scalar. One scalar stands for one scalar: the marks stay exact.
enum Braces {
  private static let open: [UInt8] = [0xEE, 0x80, 0x80]
  private static let close: [UInt8] = [0xEE, 0x80, 0x81]
  private static let leftBrace = UInt8(ascii: "{")
  private static let rightBrace = UInt8(ascii: "}")

  /// The text with the braces of every complete `${...}` hidden.
  static func hide(in bytes: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count + bytes.count / 16)
    var copied = 0
    var index = 0
    while index + 1 < bytes.count {
      guard bytes[index] == UInt8(ascii: "$"), bytes[index + 1] == leftBrace, let end = tokenEnd(bytes, index + 2)
      else {
        index += 1
        continue
      }
      result += bytes[copied...index]
      result += open
      result += bytes[(index + 2)..<end]
      result += close
      index = end + 1
      copied = index
    }
    result += bytes[copied...]
    return result
  }

  /// A scalar's bytes with the braces back.
  static func restore(in bytes: UnsafeBufferPointer<UInt8>) -> [UInt8] {
    guard bytes.contains(open[0]) else { return Array(bytes) }
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var index = 0
    while index < bytes.count {
      if bytes[index] == open[0], index + 2 < bytes.count, bytes[index + 1] == open[1], bytes[index + 2] <= close[2] {
        result.append(bytes[index + 2] == open[2] ? leftBrace : rightBrace)
        index += 3
      } else {
        result.append(bytes[index])
        index += 1
      }
    }
    return result
  }

  /// Where the brace stands that closes a token on the same line, if what is between could be one.
  private static func tokenEnd(_ bytes: [UInt8], _ start: Int) -> Int? {
    var index = start
    while index < bytes.count, index - start <= 256 {
      switch bytes[index] {
      case rightBrace: return index
      case leftBrace, UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: ","), UInt8(ascii: "\""), UInt8(ascii: "'"),
        UInt8(ascii: "\n"), UInt8(ascii: "\r"):
        return nil
      default: index += 1
      }
    }
    return nil
  }
}
