import LemmaBasics

/// A mapping that is read member by member, so that every complaint names the member and the place.
public struct Record: Sendable {
  public let members: [String: JSON]
  public let subject: String
  public let position: Position?

  /// - Throws: `Failure` when `json` is no mapping; `subject` says in the message what was expected.
  public init(_ json: JSON, _ subject: String, at position: Position?) throws {
    guard let members = json.object else {
      throw Failure(.user, "record-type", "\(subject) must be a mapping, and this is a \(json.typeName)", at: position)
    }
    self.members = members
    self.subject = subject
    self.position = position
  }

  /// The member, where it is present and not null.
  public func member(_ key: String) -> JSON? { members[key].flatMap { $0.isNull ? nil : $0 } }

  public func text(_ key: String) throws -> String {
    if let text = try optionalText(key) { return text }
    let hint = nearest(to: key, among: members.keys.sorted()).map { "is '\($0)' meant?" }
    throw Failure(.user, "record-member", "\(subject) needs '\(key)'", at: position, hint: hint)
  }

  public func optionalText(_ key: String) throws -> String? {
    guard let json = member(key) else { return nil }
    guard let text = json.string else { throw mistyped(key, json, "text") }
    guard !text.utf8.contains(0) else {
      throw Failure(.user, "record-nul", "'\(key)' of \(subject) holds a NUL character", at: position)
    }
    return text
  }

  /// A whole number that is not negative.
  public func count(_ key: String) throws -> Int? {
    guard let json = member(key) else { return nil }
    guard let count = json.int, count >= 0 else { throw mistyped(key, json, "a whole number from 0") }
    return count
  }

  public func list(_ key: String) throws -> [JSON] {
    guard let json = member(key) else { return [] }
    guard let list = json.array else { throw mistyped(key, json, "a list") }
    return list
  }

  /// One of a fixed set of words.
  public func word<T: RawRepresentable & CaseIterable>(_ key: String) throws -> T where T.RawValue == String {
    let text = try text(key)
    if let value = T(rawValue: text) { return value }
    let known = T.allCases.map(\.rawValue)
    throw Failure(
      .user, "record-word", "'\(key)' of \(subject) cannot be '\(text)'", at: position,
      hint: nearest(to: text, among: known).map { "is '\($0)' meant?" }
        ?? "it is one of \(known.joined(separator: ", "))")
  }

  private func mistyped(_ key: String, _ json: JSON, _ expected: String) -> Failure {
    Failure(
      .user, "record-type", "'\(key)' of \(subject) must be \(expected), and this is \(json.canonical.prefix(60))",
      at: position)
  }
}
