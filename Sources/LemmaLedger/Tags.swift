import CGit2
import LemmaBasics

/// Names that people give to runs, `refs/lemma/tags/NAME`. A tagged run is kept by a collection.
extension Ledger {
  static let tagFolder = "refs/lemma/tags/"
  private static let longestTag = 100

  /// Names a run.
  /// - Parameter moves: whether a tag of that name may leave another run.
  /// - Throws: `Failure` when the name is none, or is taken.
  public func tag(_ name: String, run id: String, moves: Bool = false) throws {
    try Ledger.checkTag(name)
    _ = try run(id)
    guard var target = git_oid(hex: id) else { throw Failure(.user, "run-id", "'\(id)' is not the id of a run") }
    var reference: OpaquePointer?
    defer { git_reference_free(reference) }
    let code = repository.use {
      git_reference_create(&reference, $0, Ledger.tagFolder + name, &target, moves ? 1 : 0, "tag")
    }
    if code == GIT_EEXISTS.rawValue {
      throw Failure(
        .user, "tag-taken", "there is a tag '\(name)' already", hint: "'--force' moves it to the other run")
    }
    try Git.check(code, "write \(Ledger.tagFolder)\(name)")
  }

  /// The run that a tag names; `nil` when there is no such tag.
  public func run(ofTag name: String) throws -> String? {
    guard (try? Ledger.checkTag(name)) != nil else { return nil }
    var id = git_oid()
    let code = repository.use { git_reference_name_to_id(&id, $0, Ledger.tagFolder + name) }
    if code == GIT_ENOTFOUND.rawValue { return nil }
    try Git.check(code, "read \(Ledger.tagFolder)\(name)")
    return id.hex
  }

  /// Every tag with the run that it names, sorted by name.
  public func tags() throws -> [(name: String, run: String)] {
    let references = try make("list the tags", free: git_reference_iterator_free) {
      git_reference_iterator_glob_new($0, $1, "\(Ledger.tagFolder)*")
    }
    var names: [String] = []
    while true {
      var name: UnsafePointer<CChar>?
      let code = references.use { git_reference_next_name(&name, $0) }
      if code == GIT_ITEROVER.rawValue { break }
      try Git.check(code, "list the tags")
      if let name { names.append(String(String(cString: name).dropFirst(Ledger.tagFolder.count))) }
    }
    return try names.sorted().compactMap { name in try run(ofTag: name).map { (name, $0) } }
  }

  /// - Throws: `Failure` when there is no such tag.
  public func delete(tag name: String) throws {
    guard try run(ofTag: name) != nil else {
      throw Failure(.user, "no-such-tag", "there is no tag '\(name)'", hint: "see 'lemma tag --list'")
    }
    try Git.check(repository.use { git_reference_remove($0, Ledger.tagFolder + name) }, "remove the tag '\(name)'")
  }

  /// A tag must be no other way to name a run, and a plain file name wherever git keeps it.
  private static func checkTag(_ name: String) throws {
    func refuse(_ why: String) -> Failure {
      Failure(
        .user, "tag-name", "'\(name)' cannot be a tag: \(why)",
        hint: "letters, digits, '.', '_' and '-', beginning with a letter or digit, such as 'paper-v1'")
    }
    let bytes = Array(name.utf8)
    func isPlain(_ byte: UInt8) -> Bool {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
      default: false
      }
    }
    guard let first = bytes.first, bytes.count <= longestTag else {
      throw refuse("it must have between 1 and \(longestTag) characters")
    }
    guard isPlain(first), bytes.allSatisfy({ isPlain($0) || ".-_".utf8.contains($0) }) else {
      throw refuse("it has characters that a tag cannot have")
    }
    guard !name.contains(".."), !name.hasSuffix("."), !name.hasSuffix(".lock") else {
      throw refuse("git has no such names")
    }
    let isHexadecimal = bytes.allSatisfy { "0123456789abcdef".utf8.contains($0) }
    guard name != "latest", Int(name) == nil, !(isHexadecimal && bytes.count >= 4) else {
      throw refuse("it reads as another way to name a run")
    }
  }
}
