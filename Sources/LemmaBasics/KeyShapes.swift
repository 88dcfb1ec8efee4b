/// Knows what access keys look like, so that one that got into an error, a log or a pipeline file by
/// mistake is found. It knows shapes only: a secret without one is known by its value alone.
public enum KeyShapes {
  /// A stretch of a text that looks like a key.
  public struct Match: Hashable, Sendable {
    /// Byte offsets of the part to strike out.
    public var range: Range<Int>
    /// What it looks like, such as `an access key of AWS`.
    public var name: String
  }

  /// The first match at or after `start`, which counts as the beginning of a word: behind one key the next may begin.
  public static func first(in bytes: UnsafeBufferPointer<UInt8>, from start: Int = 0) -> Match? {
    var offset = start
    while offset < bytes.count {
      if isBeginning[Int(bytes[offset])], let match = match(bytes, at: offset, from: start) { return match }
      offset += 1
    }
    return nil
  }

  /// The bytes with `***` in the place of what looks like a key; its telling beginning stays.
  public static func redact(_ bytes: [UInt8]) -> [UInt8] {
    bytes.withUnsafeBufferPointer { buffer -> [UInt8]? in
      guard var match = first(in: buffer) else { return nil }
      var result: [UInt8] = []
      var copied = 0
      while true {
        result += buffer[copied..<match.range.lowerBound]
        result += "***".utf8
        copied = match.range.upperBound
        guard let next = first(in: buffer, from: copied) else { break }
        match = next
      }
      result += buffer[copied...]
      return result
    } ?? bytes
  }

  /// The text with `***` in the place of what looks like a key.
  public static func redact(_ text: String) -> String {
    let bytes = Array(text.utf8)
    let clean = redact(bytes)
    return clean == bytes ? text : String(decoding: clean, as: UTF8.self)
  }

  // MARK: Shapes

  /// A key that is told by how it begins.
  private struct Prefixed {
    let prefix: [UInt8]
    let name: String
    /// Which bytes it goes on with, and how many of them it has.
    let isBody: @Sendable (UInt8) -> Bool
    let count: ClosedRange<Int>
    /// Whether capitals and small letters must both be there, as random text has them and names do not.
    let isMixed: Bool

    init(
      _ prefix: String, _ name: String, _ count: ClosedRange<Int>, isMixed: Bool = false,
      isBody: @escaping @Sendable (UInt8) -> Bool = isWordOrDash
    ) {
      self.prefix = Array(prefix.utf8)
      self.name = name
      self.count = count
      self.isMixed = isMixed
      self.isBody = isBody
    }
  }

  /// How far a candidate is read before it is known to be one: a text made of beginnings costs a small
  /// multiple of its length, not its square.
  private static let lookAhead = 256
  private static let many = Int.max

  private static let prefixed: [Prefixed] =
    [
      Prefixed("sk-", "an API key", 20...many, isMixed: true),
      Prefixed("github_pat_", "a token of GitHub", 22...many),
      Prefixed("glpat-", "a token of GitLab", 20...many),
      Prefixed("hf_", "a token of Hugging Face", 20...many, isMixed: true, isBody: isAlphanumeric),
      Prefixed("npm_", "a token of npm", 30...many, isBody: isAlphanumeric),
      // No upper bound: what is struck out behind it would leave just so many.
      Prefixed("AIza", "an API key of Google", 35...many),
    ] + "pousr".map { Prefixed("gh\($0)_", "a token of GitHub", 20...many, isBody: isAlphanumeric) }
    + ["AKIA", "ASIA"].map { Prefixed($0, "an access key of AWS", 16...16, isBody: isUpperOrDigit) }
    + "abps".map { Prefixed("xox\($0)-", "a token of Slack", 20...many) }

  private static let isBeginning: [Bool] = {
    var table = [Bool](repeating: false, count: 256)
    for shape in prefixed { table[Int(shape.prefix[0])] = true }
    for byte in ":-eBb".utf8 { table[Int(byte)] = true }
    return table
  }()

  private static func match(_ bytes: UnsafeBufferPointer<UInt8>, at offset: Int, from start: Int) -> Match? {
    switch bytes[offset] {
    case UInt8(ascii: ":"): return userInfo(bytes, at: offset)
    case UInt8(ascii: "-"): return privateKey(bytes, at: offset)
    default: break
    }
    // In the middle of a word nothing begins.
    if offset > start, isAlphanumeric(bytes[offset - 1]) || bytes[offset - 1] == UInt8(ascii: "_") { return nil }
    switch bytes[offset] {
    case UInt8(ascii: "e"): return webToken(bytes, at: offset)
    case UInt8(ascii: "B"), UInt8(ascii: "b"): return bearer(bytes, at: offset)
    default: return prefixed.lazy.compactMap { match($0, bytes, at: offset) }.first
    }
  }

  private static func match(_ shape: Prefixed, _ bytes: UnsafeBufferPointer<UInt8>, at offset: Int) -> Match? {
    guard stands(shape.prefix, bytes, at: offset) else { return nil }
    let start = offset + shape.prefix.count
    let head = bytes[start..<run(bytes, from: start, atMost: lookAhead, while: shape.isBody)]
    guard shape.count.contains(head.count) else { return nil }
    if shape.isMixed, !(head.contains(where: isUpper) && head.contains(where: isLower)) { return nil }
    return Match(range: start..<run(bytes, from: head.endIndex, while: shape.isBody), name: shape.name)
  }

  /// `scheme://user:password@host`, the part between the slashes and the `@`.
  private static func userInfo(_ bytes: UnsafeBufferPointer<UInt8>, at offset: Int) -> Match? {
    guard stands(Array("://".utf8), bytes, at: offset), offset > 0, isAlphanumeric(bytes[offset - 1]) else {
      return nil
    }
    let start = offset + 3
    let end = run(bytes, from: start) { byte in
      byte > 0x20 && byte < 0x7F && !"/?#\"'<>`\\@".utf8.contains(byte)
    }
    guard end < bytes.count, bytes[end] == UInt8(ascii: "@"), let colon = bytes[start..<end].firstIndex(of: 0x3A),
      colon + 1 < end, !stands(Array("***".utf8), bytes, at: colon + 1),
      // A reference such as ${params.host} is no password.
      !stands(Array("${".utf8), bytes, at: colon + 1)
    else { return nil }
    return Match(range: start..<end, name: "a URL with a password")
  }

  private static func bearer(_ bytes: UnsafeBufferPointer<UInt8>, at offset: Int) -> Match? {
    let word = Array("bearer".utf8)
    guard offset + word.count < bytes.count,
      zip(word, bytes[offset...]).allSatisfy({ $0 == $1 | 0x20 })
    else { return nil }
    let isBody = { (byte: UInt8) in isWordOrDash(byte) || ".~+/=".utf8.contains(byte) }
    let start = run(bytes, from: offset + word.count, atMost: 4) { $0 == 0x20 || $0 == 0x3A }
    let head = bytes[start..<run(bytes, from: start, atMost: lookAhead, while: isBody)]
    guard start > offset + word.count, head.count >= 16, head.contains(where: isDigit) else { return nil }
    return Match(range: start..<run(bytes, from: head.endIndex, while: isBody), name: "a bearer token")
  }

  /// A JSON Web Token: two JSON objects and a signature in base 64.
  private static func webToken(_ bytes: UnsafeBufferPointer<UInt8>, at offset: Int) -> Match? {
    let opening = Array("eyJ".utf8)
    guard stands(opening, bytes, at: offset) else { return nil }
    let first = run(bytes, from: offset, atMost: 2 * lookAhead, while: isWordOrDash)
    guard first - offset >= 12, first + 1 < bytes.count, bytes[first] == UInt8(ascii: "."),
      stands(opening, bytes, at: first + 1)
    else { return nil }
    let end = run(bytes, from: first + 1) { isWordOrDash($0) || $0 == UInt8(ascii: ".") }
    return Match(range: offset + 3..<end, name: "a JSON Web Token")
  }

  /// A PEM block of a private key, to its end or the text's.
  private static func privateKey(_ bytes: UnsafeBufferPointer<UInt8>, at offset: Int) -> Match? {
    guard stands(Array("-----BEGIN ".utf8), bytes, at: offset) else { return nil }
    let label = run(bytes, from: offset + 11, atMost: lookAhead) { isUpperOrDigit($0) || $0 == 0x20 }
    let closing = Array("PRIVATE KEY-----".utf8)
    guard label >= 11, stands(closing, bytes, at: label - 11) else { return nil }
    let start = label + 5
    let ending = Array("-----END ".utf8)
    var end = start
    while end < bytes.count, !(bytes[end] == UInt8(ascii: "-") && stands(ending, bytes, at: end)) { end += 1 }
    return end > start ? Match(range: start..<end, name: "a private key") : nil
  }

  // MARK: Bytes

  private static func stands(_ text: [UInt8], _ bytes: UnsafeBufferPointer<UInt8>, at offset: Int) -> Bool {
    offset + text.count <= bytes.count && bytes[offset..<offset + text.count].elementsEqual(text)
  }

  private static func run(
    _ bytes: UnsafeBufferPointer<UInt8>, from start: Int, atMost limit: Int = .max, while isIn: (UInt8) -> Bool
  ) -> Int {
    var end = start
    while end < bytes.count, end - start < limit, isIn(bytes[end]) { end += 1 }
    return end
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
  private static func isUpper(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte) }
  private static func isLower(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte) }
  private static func isUpperOrDigit(_ byte: UInt8) -> Bool { isUpper(byte) || isDigit(byte) }
  private static func isAlphanumeric(_ byte: UInt8) -> Bool { isUpper(byte) || isLower(byte) || isDigit(byte) }
  @Sendable private static func isWordOrDash(_ byte: UInt8) -> Bool {
    isAlphanumeric(byte) || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
  }
}
