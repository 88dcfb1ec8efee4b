/// A strict reader of RFC 8259: no duplicate keys, no lone surrogates, valid UTF-8 only, bounded
/// depth, numbers that a double can hold.
extension JSON {
  /// - Throws: `Failure` of kind `user` with the position of the fault.
  public init(parsing bytes: some Sequence<UInt8>, file: String, firstLine: Int = 1) throws {
    let contiguous = ContiguousArray(bytes)
    self = try contiguous.withUnsafeBufferPointer { buffer in
      try JSON(parsing: buffer, file: file, firstLine: firstLine)
    }
  }

  /// - Parameter limit: the most values, at all depths, that the text may hold: what bounds the memory they take.
  /// - Throws: `Failure` of kind `user` with the position of the fault.
  public init(
    parsing bytes: UnsafeBufferPointer<UInt8>, file: String, firstLine: Int = 1, atMost limit: Int = .max
  ) throws {
    self = try JSON.read(bytes, file: file, firstLine: firstLine) { reader in
      reader.limit = limit
      return try reader.document()
    }
  }

  /// Reads a document whose object at the path `listing` may have keys that Unicode holds equal though their bytes
  /// differ, as the vocabulary of a tokenizer has: it becomes a list of `[key, value]` in the order of the text.
  /// Equal keys in it are the caller's to find.
  /// - Throws: `Failure` of kind `user` with the position of the fault.
  public init(parsing bytes: [UInt8], listing path: [String], file: String) throws {
    self = try bytes.withUnsafeBufferPointer { buffer in
      try JSON.read(buffer, file: file, firstLine: 1) { try $0.document(listing: path[...]) }
    }
  }

  /// The value at the end of a path of keys, found without keeping what stands beside it, which is only looked
  /// at as far as it must be to find its end.
  /// - Returns: nil when there is no such member.
  /// - Throws: `Failure` of kind `user` with the position of the fault.
  public static func member(_ path: [String], of bytes: [UInt8], file: String) throws -> JSON? {
    try bytes.withUnsafeBufferPointer { buffer in
      try read(buffer, file: file, firstLine: 1) { try $0.member(path[...]) }
    }
  }

  private static func read<T>(
    _ bytes: UnsafeBufferPointer<UInt8>, file: String, firstLine: Int, _ body: (inout JSONReader) throws -> T
  ) throws -> T {
    var reader = JSONReader(bytes: bytes)
    do {
      return try body(&reader)
    } catch let fault as JSONReader.Fault {
      let before = bytes[..<min(fault.offset, bytes.count)]
      let line = before.reduce(0) { $0 + ($1 == UInt8(ascii: "\n") ? 1 : 0) }
      let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
      throw Failure(
        .user, "json", "not valid JSON: \(fault.reason)",
        at: Position(file: file, line: firstLine + line, column: before.count - start + 1))
    }
  }
}

private struct JSONReader {
  struct Fault: Error {
    var offset: Int
    var reason: String
  }

  static let depthLimit = 128

  let bytes: UnsafeBufferPointer<UInt8>
  var offset = 0
  /// How many values may yet begin.
  var limit = Int.max

  init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  mutating func document(listing path: ArraySlice<String>? = nil) throws -> JSON {
    let value = try self.value(depth: 0, listing: path)
    skipSpace()
    if offset < bytes.count { throw fault("text after the end of the value") }
    return value
  }

  mutating func member(_ path: ArraySlice<String>) throws -> JSON? {
    guard let wanted = path.first else { return try value(depth: 0) }
    skipSpace()
    guard take("{") else { return nil }
    repeat {
      skipSpace()
      if next == UInt8(ascii: "}") { return nil }
      guard next == UInt8(ascii: "\"") else { throw fault("expected a key in quotes") }
      let key = try string()
      skipSpace()
      guard take(":") else { throw fault("expected ':'") }
      if key == wanted { return try member(path.dropFirst()) }
      try skipValue()
      skipSpace()
    } while take(",")
    return nil
  }

  /// Goes behind a value.
  private mutating func skipValue() throws {
    var depth = 0
    while let byte = next {
      switch byte {
      case UInt8(ascii: "\""):
        offset += 1
        while let byte = next, byte != UInt8(ascii: "\"") { offset += byte == UInt8(ascii: "\\") ? 2 : 1 }
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        if depth == 0 { return }
        depth -= 1
      case UInt8(ascii: ","): if depth == 0 { return }
      default: break
      }
      offset += 1
    }
    throw fault("the text ends inside of a value")
  }

  private func fault(_ reason: String) -> Fault { Fault(offset: offset, reason: reason) }

  private var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { offset += 1 }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard next == UInt8(ascii: character) else { return false }
    offset += 1
    return true
  }

  private mutating func value(depth: Int, listing path: ArraySlice<String>? = nil) throws -> JSON {
    if depth > Self.depthLimit { throw fault("nested deeper than \(Self.depthLimit) levels") }
    limit -= 1
    if limit < 0 { throw fault("more values than are read here") }
    skipSpace()
    guard let byte = next else { throw fault("the text ends where a value should stand") }
    switch byte {
    case UInt8(ascii: "{"):
      return path?.isEmpty == true ? try list(depth: depth) : try object(depth: depth, listing: path)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    case UInt8(ascii: "N"), UInt8(ascii: "I"):
      throw fault("JSON has no NaN and no Infinity; leave it out or write null")
    case 0x21..<0x7F: throw fault("a value cannot begin with '\(Character(Unicode.Scalar(byte)))'")
    default: throw fault("a value cannot begin with byte 0x\(String(byte, radix: 16))")
    }
  }

  private mutating func word(_ text: StaticString, _ value: JSON) throws -> JSON {
    let end = offset + text.utf8CodeUnitCount
    guard end <= bytes.count,
      bytes[offset..<end].elementsEqual(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    else { throw fault("expected '\(text)'") }
    offset = end
    return value
  }

  private mutating func array(depth: Int) throws -> JSON {
    offset += 1
    var elements: [JSON] = []
    skipSpace()
    if take("]") { return .array(elements) }
    while true {
      elements.append(try value(depth: depth + 1))
      skipSpace()
      if take("]") { return .array(elements) }
      guard take(",") else { throw fault("expected ',' or ']'") }
    }
  }

  private mutating func object(depth: Int, listing path: ArraySlice<String>?) throws -> JSON {
    var members: [String: JSON] = [:]
    try eachMember { reader, key, start in
      let inner = path.flatMap { $0.first == key ? $0.dropFirst() : nil }
      guard members.updateValue(try reader.value(depth: depth + 1, listing: inner), forKey: key) == nil else {
        throw Fault(offset: start, reason: "the key '\(key)' stands twice")
      }
    }
    return .object(members)
  }

  private mutating func list(depth: Int) throws -> JSON {
    var members: [JSON] = []
    try eachMember { reader, key, _ in members.append(.array([.string(key), try reader.value(depth: depth + 1)])) }
    return .array(members)
  }

  /// Calls `body` behind the colon of each member of an object, with the key and where it stands.
  private mutating func eachMember(_ body: (inout JSONReader, String, Int) throws -> Void) throws {
    offset += 1
    skipSpace()
    if take("}") { return }
    while true {
      skipSpace()
      guard next == UInt8(ascii: "\"") else { throw fault("expected a key in quotes") }
      let start = offset
      let key = try string()
      skipSpace()
      guard take(":") else { throw fault("expected ':'") }
      try body(&self, key, start)
      skipSpace()
      if take("}") { return }
      guard take(",") else { throw fault("expected ',' or '}'") }
    }
  }

  private mutating func number() throws -> JSON {
    let start = offset
    if take("-"), next == UInt8(ascii: "N") || next == UInt8(ascii: "I") { return try value(depth: 0) }
    guard let first = next, isDigit(first) else { throw fault("a number needs a digit") }
    skipDigits()
    if first == UInt8(ascii: "0"), offset - start > (bytes[start] == UInt8(ascii: "-") ? 2 : 1) {
      throw Fault(offset: start, reason: "a number cannot begin with 0")
    }
    var isInteger = true
    if take(".") {
      isInteger = false
      guard let digit = next, isDigit(digit) else { throw fault("a digit must follow '.'") }
      skipDigits()
    }
    if take("e") || take("E") {
      isInteger = false
      if !take("+") { _ = take("-") }
      guard let digit = next, isDigit(digit) else { throw fault("an exponent needs a digit") }
      skipDigits()
    }
    let text = String(decoding: bytes[start..<offset], as: UTF8.self)
    if isInteger, let value = Int64(text) { return .integer(value) }
    guard let value = Double(text), value.isFinite else {
      throw Fault(offset: start, reason: "the number is beyond what a double holds")
    }
    return JSON(value)
  }

  private func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

  private mutating func skipDigits() {
    while let byte = next, isDigit(byte) { offset += 1 }
  }

  private mutating func string() throws -> String {
    offset += 1
    let start = offset
    while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { offset += 1 }
    if next == UInt8(ascii: "\"") {  // No escapes: the common case.
      let text = try decode(bytes[start..<offset], at: start)
      offset += 1
      return text
    }
    var content = Array(bytes[start..<offset])
    while true {
      guard let byte = next else { throw fault("the string does not end") }
      switch byte {
      case UInt8(ascii: "\""):
        let text = try decode(content[...], at: start)
        offset += 1
        return text
      case UInt8(ascii: "\\"): try escape(into: &content)
      case 0..<0x20: throw fault("a control character must be escaped")
      default:
        content.append(byte)
        offset += 1
      }
    }
  }

  private func decode(_ slice: some Collection<UInt8>, at start: Int) throws -> String {
    guard let text = String(validating: slice, as: UTF8.self) else {
      throw Fault(offset: start, reason: "the string is not valid UTF-8")
    }
    return text
  }

  private mutating func escape(into content: inout [UInt8]) throws {
    offset += 1
    guard let byte = next else { throw fault("the string does not end") }
    offset += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): content.append(byte)
    case UInt8(ascii: "b"): content.append(0x08)
    case UInt8(ascii: "f"): content.append(0x0C)
    case UInt8(ascii: "n"): content.append(0x0A)
    case UInt8(ascii: "r"): content.append(0x0D)
    case UInt8(ascii: "t"): content.append(0x09)
    case UInt8(ascii: "u"):
      var code = UInt32(try hex4())
      if (0xD800..<0xDC00).contains(code) {
        guard take("\\"), take("u") else { throw fault("a lone surrogate") }
        let low = UInt32(try hex4())
        guard (0xDC00..<0xE000).contains(low) else { throw fault("a lone surrogate") }
        code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(code) else { throw fault("a lone surrogate") }
      content += String(Character(scalar)).utf8
    default: throw fault("an unknown escape")
    }
  }

  private mutating func hex4() throws -> UInt16 {
    var code: UInt16 = 0
    for _ in 0..<4 {
      guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw fault("\\u needs four hexadecimal digits")
      }
      code = code << 4 | UInt16(digit)
      offset += 1
    }
    return code
  }
}
