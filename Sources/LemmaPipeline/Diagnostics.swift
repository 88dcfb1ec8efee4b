import LemmaBasics

/// Collects the mistakes of one file, so that they are told all at once, each once and in the order
/// of the file. Beyond a hundred it only counts.
final class Diagnostics {
  static let limit = 100
  /// Finding the nearest of very many names is dear: the first mistakes get it.
  static let hintLimit = 25

  let text: SourceText
  private var failures: [Failure] = []
  /// The same without hints: the instances of a matrix repeat each other's mistakes.
  private var told: Set<Failure> = []
  private var uncounted = 0

  init(_ text: SourceText) { self.text = text }

  /// Notes a mistake. The hint is made only when it will be told: finding the nearest name is dear.
  func report(_ code: String, _ message: String, at mark: Mark, hint: @autoclosure () -> String? = nil) {
    note(Failure(.user, code, message, at: text.position(of: mark)), hint: hint)
  }

  func add(_ failure: Failure) {
    var bare = failure
    bare.hint = nil
    note(bare) { failure.hint }
  }

  private func note(_ failure: Failure, hint: () -> String?) {
    if told.contains(failure) { return }
    guard failures.count < Self.limit else {
      uncounted += 1
      return
    }
    told.insert(failure)
    failures.append(failure)
    if failures.count <= Self.hintLimit { failures[failures.count - 1].hint = hint() }
  }

  /// - Throws: `Failures` when anything was noted.
  func check() throws {
    guard !failures.isEmpty else { return }
    var sorted = failures.enumerated()
      .map { (line: $1.position?.line ?? 0, column: $1.position?.column ?? 0, order: $0, failure: $1) }
      .sorted { ($0.line, $0.column, $0.order) < ($1.line, $1.column, $1.order) }
      .map(\.failure)
    if uncounted > 0 {
      sorted.append(
        Failure(.user, "more", "and \(uncounted) more like these", at: Position(file: text.file)))
    }
    throw Failures(sorted)
  }
}

/// `did you mean 'x'?`, or the list of what would be right if that is short.
func suggestion(for word: String, among names: [String], called plural: String) -> String? {
  if word.utf8.count <= 64, let near = nearest(to: word, among: names) { return "did you mean '\(near)'?" }
  guard !names.isEmpty else { return "there are no \(plural)" }
  return names.count <= 12 ? "\(plural): \(names.joined(separator: ", "))" : nil
}

extension Diagnostics {
  /// The members of a mapping whose keys are fixed. Unknown keys are reported with the nearest
  /// right one; nil when it is no mapping at all.
  func fields(of node: Node, called what: String, known: [String]) -> [String: Node.Member]? {
    guard let members = members(of: node, called: what) else { return nil }
    var fields: [String: Node.Member] = [:]
    for member in members {
      if known.contains(member.key) {
        fields[member.key] = member
      } else if member.key != Node.mergeKey {
        report(
          "unknown-key", "unknown key \(quoted(member.key)) in \(what)", at: member.keyMark,
          hint: suggestion(for: member.key, among: known, called: "keys"))
      }
    }
    return fields
  }

  /// Reports that `name` is missing, unless one of the keys is unknown and likely meant it.
  func missing(
    _ name: String, among keys: [String], known: [String], _ message: String, at mark: Mark,
    hint: @autoclosure () -> String? = nil
  ) {
    let isSlip = keys.contains { key in
      key == Node.mergeKey || !known.contains(key) && key.utf8.count <= 64 && nearest(to: key, among: known) == name
    }
    if !isSlip { report("missing", message, at: mark, hint: hint()) }
  }

  func members(of node: Node, called what: String) -> [Node.Member]? {
    switch node.content {
    case .mapping(let members): return members
    case .faulty: return nil
    default:
      report("wrong-type", "\(what) must be a mapping, not \(node.words)", at: node.mark)
      return nil
    }
  }

  /// Whether `name` may name a stage, a parameter, an input and so on; reported when it may not.
  func isName(_ name: String, of what: String, at mark: Mark) -> Bool {
    if isIdentifier(name) { return true }
    report(
      "bad-name", "\(quoted(name)) cannot name \(what)", at: mark,
      hint: "names begin with a letter or _, go on with letters, digits, _ and -, and have at most 128 characters")
    return false
  }
}

/// `[A-Za-z_][A-Za-z0-9_-]*`, at most 128 bytes.
func isIdentifier(_ name: String) -> Bool {
  func isLetter(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || byte == UInt8(ascii: "_")
  }
  guard let first = name.utf8.first, isLetter(first), name.utf8.count <= 128 else { return false }
  return name.utf8.allSatisfy {
    isLetter($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: "-")
  }
}
