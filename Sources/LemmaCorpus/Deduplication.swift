import LemmaBasics

/// Keeps the first of the rows that ask the same.
public struct Deduplication: Sendable {
  /// What counts as the same.
  public enum Form: String, Sendable, CaseIterable {
    /// The problem's text, character for character.
    case exact
    /// The problem's text by `TextForm`.
    case normalised
  }

  public struct Duplicate: Hashable, Sendable {
    public var id: String
    /// The id of the row that was kept instead.
    public var of: String
  }

  public var kept: [Row]
  public var duplicates: [Duplicate]

  public init(_ rows: [Row], form: Form = .normalised) {
    kept = []
    duplicates = []
    var first: [[UInt8]: String] = [:]
    for row in rows {
      let text = form == .exact ? row.problem : TextForm.normalised(row.problem)
      // Bytes, as strings of other bytes can compare equal (canonical equivalence).
      let key = Array(text.utf8)
      if let id = first[key] {
        duplicates.append(Duplicate(id: row.id, of: id))
      } else {
        first[key] = row.id
        kept.append(row)
      }
    }
  }
}
