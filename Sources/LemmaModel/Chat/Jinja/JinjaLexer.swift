import Glibc
import LemmaBasics

/// One word of a template, with the offset of its first code point.
struct JinjaToken: Sendable {
  enum Kind: Hashable, Sendable {
    /// What is printed as it stands, white space around tags already taken off.
    case data(Scalars)
    case outputBegin, outputEnd
    case blockBegin, blockEnd
    case name(String)
    case text(Scalars)
    case integer(Int)
    case number(Double)
    case mark(String)
    case end
  }

  let kind: Kind
  let offset: Int
}

/// Cuts a template into tokens, with white space treated as under `trim_blocks` and `lstrip_blocks`, which is how
/// `transformers` sets them. Language: https://jinja.palletsprojects.com/en/stable/templates/#whitespace-control.
struct JinjaLexer {
  private let source: JinjaSource
  private let scalars: Scalars
  private var at = 0
  private var tokens: [JinjaToken] = []

  init(_ source: JinjaSource) {
    self.source = source
    scalars = source.scalars
  }

  static func tokens(of source: JinjaSource) throws -> [JinjaToken] {
    var lexer = JinjaLexer(source)
    try lexer.run()
    return lexer.tokens
  }

  private mutating func run() throws {
    while at < scalars.count {
      guard let tag = nextTag() else {
        add(.data(Array(scalars[at...])), at)
        at = scalars.count
        break
      }
      let kind = scalars[tag + 1]
      let sign = sign(tag + 2)
      addData(upTo: tag, sign: sign, isOutput: kind == "{")
      at = tag + (sign == nil ? 2 : 3)
      if kind == "#" {
        try comment(tag)
      } else if kind == "%", let end = rawBegin() {
        at = end
        try raw(tag)
      } else {
        add(kind == "{" ? .outputBegin : .blockBegin, tag)
        try inside(tag, isOutput: kind == "{")
      }
    }
    add(.end, scalars.count)
  }

  private mutating func add(_ kind: JinjaToken.Kind, _ offset: Int) {
    if case .data(let data) = kind, data.isEmpty { return }
    tokens.append(JinjaToken(kind: kind, offset: offset))
  }

  private func scalar(_ offset: Int) -> Unicode.Scalar? { offset < scalars.count ? scalars[offset] : nil }

  private func stands(_ text: StaticString, _ offset: Int) -> Bool {
    var offset = offset
    return text.withUTF8Buffer { bytes in
      for byte in bytes {
        guard scalar(offset)?.value == UInt32(byte) else { return false }
        offset += 1
      }
      return true
    }
  }

  /// The `-` or `+` of a tag that controls the white space before it.
  private func sign(_ offset: Int) -> Unicode.Scalar? {
    scalar(offset).flatMap { $0 == "-" || $0 == "+" ? $0 : nil }
  }

  private func nextTag() -> Int? {
    var offset = at
    while offset + 1 < scalars.count {
      if scalars[offset] == "{", ["{", "%", "#"].contains(scalars[offset + 1]) { return offset }
      offset += 1
    }
    return nil
  }

  private func skippingSpace(_ offset: Int) -> Int {
    var offset = offset
    while let scalar = scalar(offset), scalar.isPythonSpace { offset += 1 }
    return offset
  }

  /// The text before a tag: without its trailing white space after `-`, without a tag's indentation by default.
  private mutating func addData(upTo tag: Int, sign: Unicode.Scalar?, isOutput: Bool) {
    var end = tag
    if sign == "-" {
      while end > at, scalars[end - 1].isPythonSpace { end -= 1 }
    } else if sign == nil, !isOutput {
      var start = end
      while start > at, scalars[start - 1] != "\n", scalars[start - 1].isPythonSpace { start -= 1 }
      if start == 0 || scalars[start - 1] == "\n" { end = start }
    }
    add(.data(Array(scalars[at..<end])), at)
  }

  private mutating func comment(_ start: Int) throws {
    var offset = at
    while offset < scalars.count, !stands("#}", offset) { offset += 1 }
    guard offset < scalars.count else { throw source.failure(.syntax, "the comment has no end '#}'", at: start) }
    close(after: offset + 2, sign: offset > at ? sign(offset - 1) : nil)
  }

  /// Goes behind a tag of blocks or comments, and the line end that it takes along.
  private mutating func close(after end: Int, sign: Unicode.Scalar?) {
    at = sign == "-" ? skippingSpace(end) : sign == nil && scalar(end) == "\n" ? end + 1 : end
  }

  /// The offset behind `raw %}`, if that stands here.
  private func rawBegin() -> Int? {
    var offset = skippingSpace(at)
    guard stands("raw", offset) else { return nil }
    offset = skippingSpace(offset + 3)
    if stands("-%}", offset) { return skippingSpace(offset + 3) }
    return stands("%}", offset) ? offset + 2 : nil
  }

  private mutating func raw(_ start: Int) throws {
    for tag in at..<max(at, scalars.count) where stands("{%", tag) {
      let sign = sign(tag + 2)
      var offset = skippingSpace(tag + (sign == nil ? 2 : 3))
      guard stands("endraw", offset) else { continue }
      offset = skippingSpace(offset + 6)
      let ending = self.sign(offset)
      guard stands("%}", offset + (ending == nil ? 0 : 1)) else { continue }
      addData(upTo: tag, sign: sign, isOutput: false)
      close(after: offset + (ending == nil ? 2 : 3), sign: ending)
      return
    }
    throw source.failure(.syntax, "the block 'raw' has no end '{% endraw %}'", at: start)
  }

  /// The words of a tag, up to its end: what looks like one inside of brackets is none.
  private mutating func inside(_ start: Int, isOutput: Bool) throws {
    var brackets: [(closing: Unicode.Scalar, offset: Int)] = []
    while true {
      at = skippingSpace(at)
      guard let next = scalar(at) else {
        throw source.failure(.syntax, "the tag has no end '\(isOutput ? "}}" : "%}")'", at: start)
      }
      if brackets.isEmpty, endsTag(isOutput: isOutput) { return }
      let offset = at
      switch next {
      case "(": brackets.append((")", offset))
      case "[": brackets.append(("]", offset))
      case "{": brackets.append(("}", offset))
      case ")", "]", "}":
        guard let open = brackets.popLast(), open.closing == next else {
          throw source.failure(.syntax, "'\(next)' closes no bracket", at: offset)
        }
      default: break
      }
      add(try word(next), offset)
    }
  }

  private mutating func endsTag(isOutput: Bool) -> Bool {
    if isOutput {
      guard stands("}}", at) || stands("-}}", at) else { return false }
      add(.outputEnd, at)
      at = stands("}}", at) ? at + 2 : skippingSpace(at + 3)
      return true
    }
    let sign = sign(at)
    guard stands("%}", at + (sign == nil ? 0 : 1)) else { return false }
    add(.blockEnd, at)
    close(after: at + (sign == nil ? 2 : 3), sign: sign)
    return true
  }

  private mutating func word(_ next: Unicode.Scalar) throws -> JinjaToken.Kind {
    if next == "'" || next == "\"" { return .text(try quoted(next)) }
    if next.isDigit { return try number() }
    if next.isNamePart {
      let start = at
      while let scalar = scalar(at), scalar.isNamePart { at += 1 }
      return .name(String(scalars[start..<at]))
    }
    for mark: StaticString in ["**", "//", "==", "!=", ">=", "<="] where stands(mark, at) {
      at += 2
      return .mark("\(mark)")
    }
    guard "+-/*%~[](){}><=.:|,".unicodeScalars.contains(next) else {
      throw source.failure(.syntax, "a tag has no place for '\(next)'", at: at)
    }
    at += 1
    return .mark(String(next))
  }

  /// Whole numbers and decimal fractions.
  private mutating func number() throws -> JinjaToken.Kind {
    let start = at
    func digits(_ offset: Int) -> Int {
      var offset = offset
      while let scalar = scalar(offset), scalar.isDigit { offset += 1 }
      return offset
    }
    at = digits(at)
    var isWhole = true
    if start == 0 || scalars[start - 1] != "." {
      if scalar(at) == ".", digits(at + 1) > at + 1 {
        at = digits(at + 1)
        isWhole = false
      }
      if let mark = scalar(at), mark == "e" || mark == "E" {
        let exponent = at + (sign(at + 1) == nil ? 1 : 2)
        if digits(exponent) > exponent {
          at = digits(exponent)
          isWhole = false
        }
      }
    }
    let text = String(scalars[start..<at])
    if let scalar = scalar(at), scalar.isNamePart {
      throw source.failure(.unsupported, "'\(text)\(scalar)' is no decimal number", at: start)
    }
    if !isWhole, let value = Double(text) { return .number(value) }
    guard let value = Int(text) else {
      throw source.failure(.limit, "the number \(text.prefix(40)) is too large", at: start)
    }
    guard value == 0 || !text.hasPrefix("0") else {
      throw source.failure(.syntax, "the number \(text.prefix(40)) begins with 0", at: start)
    }
    return .integer(value)
  }

  private mutating func quoted(_ quote: Unicode.Scalar) throws -> Scalars {
    let start = at
    var text: Scalars = []
    at += 1
    while let next = scalar(at) {
      at += 1
      if next == quote { return text }
      if next == "\\" { try escape(into: &text) } else { text.append(next) }
    }
    throw source.failure(.syntax, "the text has no closing \(quote)", at: start)
  }

  /// What stands behind a backslash, as in Python; one that means nothing stays as it is.
  private mutating func escape(into text: inout Scalars) throws {
    let start = at - 1
    guard let mark = scalar(at) else { return }
    at += 1
    let simple: [Unicode.Scalar: Unicode.Scalar] = [
      "n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", "\"": "\"", "a": "\u{7}", "b": "\u{8}", "f": "\u{C}",
      "v": "\u{B}",
    ]
    if let scalar = simple[mark] { return text.append(scalar) }
    switch mark {
    case "\n": return
    case "x": text.append(try code(2, radix: 16, start))
    case "u": text.append(try code(4, radix: 16, start))
    case "U": text.append(try code(8, radix: 16, start))
    case "0"..."7":
      at -= 1
      var count = 0
      while count < 3, let digit = scalar(at + count), ("0"..."7").contains(digit) { count += 1 }
      text.append(try code(count, radix: 8, start))
    case "N": throw source.failure(.unsupported, "'\\N' is not supported", at: start)
    default: text += ["\\", mark]
    }
  }

  private mutating func code(_ count: Int, radix: Int, _ start: Int) throws -> Unicode.Scalar {
    let digits = scalars[at..<min(at + count, scalars.count)]
    at += digits.count
    guard digits.count == count, digits.allSatisfy({ $0.properties.isASCIIHexDigit }),
      let value = UInt32(String(digits), radix: radix), let scalar = Unicode.Scalar(value)
    else { throw source.failure(.syntax, "the escape names no character", at: start) }
    return scalar
  }
}

extension String {
  init(_ scalars: some Sequence<Unicode.Scalar>) {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars)
    self = String(view)
  }
}

extension Unicode.Scalar {
  var isDigit: Bool { ("0"..."9").contains(self) }

  fileprivate var isNamePart: Bool {
    isDigit || self == "_" || ("a"..."z").contains(self) || ("A"..."Z").contains(self)
  }

  /// What Python's `str.isspace` holds for space: Unicode's white space and the four separators of ASCII.
  var isPythonSpace: Bool {
    if value < 0x80 { return value == 0x20 || (0x09...0x0D).contains(value) || (0x1C...0x1F).contains(value) }
    return properties.isWhitespace
  }
}
