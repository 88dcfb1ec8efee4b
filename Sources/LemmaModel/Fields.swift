import LemmaBasics

/// Reads the keys of a JSON mapping one by one and gathers every mistake, so that a person sees all of them at once.
struct Fields {
  private let members: [String: JSON]
  private let file: String
  private let subject: String
  private var known: Set<String> = []
  private var failures: [Failure] = []

  init(_ json: JSON, file: String, of subject: String) throws {
    guard let members = json.object else {
      throw Failure(.user, "type", "a \(subject) is a mapping, not a \(json.typeName)", at: Position(file: file))
    }
    self.members = members
    self.file = file
    self.subject = subject
  }

  private mutating func note(_ code: String, _ message: String, hint: String? = nil) {
    failures.append(Failure(.user, code, message, at: Position(file: file), hint: hint))
  }

  private mutating func value(_ key: String) -> JSON? {
    known.insert(key)
    guard let value = members[key], !value.isNull else { return .none }
    return value
  }

  mutating func int(_ key: String, default fallback: Int?) -> Int? {
    guard let value = value(key) else { return fallback }
    guard let int = value.int else {
      note("type", "'\(key)' is a whole number, not a \(value.typeName)")
      return fallback
    }
    return int
  }

  mutating func int(_ key: String, default fallback: Int) -> Int { int(key, default: Optional(fallback)) ?? fallback }

  /// A required number; a missing one is noted once and stands as 1 until `finish`.
  mutating func int(_ key: String) -> Int {
    let isNew = !known.contains(key)
    if value(key) == nil, isNew { note("missing-key", "the \(subject) needs '\(key)'") }
    return int(key, default: 1)
  }

  mutating func number(_ key: String, default fallback: Double) -> Double {
    guard let value = value(key) else { return fallback }
    guard let number = value.double else {
      note("type", "'\(key)' is a number, not a \(value.typeName)")
      return fallback
    }
    return number
  }

  mutating func bool(_ key: String, default fallback: Bool) -> Bool {
    guard let value = value(key) else { return fallback }
    guard let bool = value.bool else {
      note("type", "'\(key)' is true or false, not a \(value.typeName)")
      return fallback
    }
    return bool
  }

  /// One of an enumeration's names.
  mutating func choice<T: RawRepresentable<String> & CaseIterable>(_ key: String, default fallback: T) -> T {
    let name = string(key, default: fallback.rawValue)
    if let choice = T(rawValue: name) { return choice }
    note("choice", "'\(key)' must be one of \(T.allCases.map(\.rawValue).joined(separator: ", ")), not '\(name)'")
    return fallback
  }

  mutating func string(_ key: String, default fallback: String) -> String {
    guard let value = value(key) else { return fallback }
    guard let string = value.string else {
      note("type", "'\(key)' is a text, not a \(value.typeName)")
      return fallback
    }
    return string
  }

  /// - Throws: `Failures` if anything was wrong, unknown keys included.
  mutating func finish() throws {
    for key in members.keys.sorted() where !known.contains(key) {
      note(
        "unknown-key", "a \(subject) has no key '\(key)'",
        hint: nearest(to: key, among: known.sorted()).map { "did you mean '\($0)'?" })
    }
    if !failures.isEmpty { throw Failures(failures) }
  }
}
