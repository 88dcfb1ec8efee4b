import LemmaBasics

/// An object of a `tokenizer.json` on its way to being understood: every key in it must be one that is known.
struct TokenizerPart {
  /// Where it stands, such as `pre_tokenizer.pretokenizers[1]`.
  let name: String
  let file: String
  private let members: [String: JSON]

  init(_ json: JSON, _ name: String, file: String) throws {
    self.name = name
    self.file = file
    guard let members = json.object else {
      throw Failure(.user, "tokenizer", "'\(name)' must be an object", at: Position(file: file))
    }
    self.members = members
  }

  func refusal(_ message: String) -> Failure {
    Failure(
      .user, "tokenizer", "not a tokenizer that Lemma reads: \(message)", at: Position(file: file))
  }

  private func mustBe(_ key: String, _ kind: String) -> Failure { refusal("'\(name).\(key)' must be \(kind)") }

  /// - Throws: `Failure` when there are other keys.
  func allow(_ keys: String...) throws {
    if let other = members.keys.filter({ !keys.contains($0) }).min() {
      throw refusal("'\(name)' has the key '\(other)', which is not understood")
    }
  }

  /// The value of a key; nil when it is missing or null.
  subscript(key: String) -> JSON? {
    guard let value = members[key], !value.isNull else { return nil }
    return value
  }

  var type: String { self["type"]?.string ?? "" }

  func string(_ key: String) throws -> String {
    guard let value = self[key]?.string else { throw mustBe(key, "a text") }
    return value
  }

  func bytes(_ key: String) throws -> [UInt8] { Array(try string(key).utf8) }

  /// - Parameter standard: what a missing key means; nil when it must be there.
  func bool(_ key: String, _ standard: Bool? = nil) throws -> Bool {
    guard let value = self[key] else {
      if let standard { return standard }
      throw mustBe(key, "true or false")
    }
    guard let flag = value.bool else { throw mustBe(key, "true or false") }
    return flag
  }

  func integer(_ key: String, _ range: ClosedRange<Int>) throws -> Int {
    guard let value = self[key]?.int, range.contains(value) else {
      throw mustBe(key, "a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  func list(_ key: String) throws -> [JSON] {
    guard let value = self[key]?.array else { throw mustBe(key, "a list") }
    return value
  }

  /// The objects of a list.
  func parts(_ key: String) throws -> [TokenizerPart] {
    try list(key).enumerated().map { try TokenizerPart($1, "\(name).\(key)[\($0)]", file: file) }
  }

  /// A single character.
  func scalar(_ key: String) throws -> [UInt8] {
    let text = try string(key)
    guard text.unicodeScalars.count == 1 else { throw mustBe(key, "one character") }
    return Array(text.utf8)
  }

  /// `{"String": ...}` or `{"Regex": ...}`.
  func pattern(_ key: String) throws -> TextPattern {
    let part = try TokenizerPart(self[key] ?? nil, "\(name).\(key)", file: file)
    try part.allow("String", "Regex")
    if part["Regex"] != nil { return try TextPattern(regex: part.string("Regex"), file: file) }
    return TextPattern(literal: try part.string("String"))
  }
}
