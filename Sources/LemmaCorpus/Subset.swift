import LemmaBasics

/// Nested samples for scaling ladders: the first rows of one fixed order, so that 1,000 rows are a
/// part of 2,000, and these of 4,000.
public enum Subset {
  /// The rows that a subset may be taken of, in their order.
  /// - Parameters:
  ///   - steps: numbers of worked steps; a row whose number is not known belongs to no range.
  ///   - onlyVerified: whether rows that were not checked, or failed a check, are left out.
  public static func select(_ rows: [Row], steps: ClosedRange<Int>?, onlyVerified: Bool) -> [Row] {
    rows.filter { row in
      (steps.map { steps in row.steps.map(steps.contains) ?? false } ?? true) && (row.isVerified || !onlyVerified)
    }
  }

  /// The first `count` rows in the order of a hash of (`seed`, row id); the order of `rows` does not matter.
  /// - Throws: `Failure` when there are fewer rows.
  public static func take(_ count: Int, of rows: [Row], seed: UInt64) throws -> [Row] {
    guard count >= 0, count <= rows.count else {
      throw Failure(
        .user, "too-few-rows", "\(count) rows are asked for, and there are \(rows.count)",
        hint: "make more rows, or take at most \(rows.count)")
    }
    let places = rows.map { Place(seed: seed, id: $0.id) }
    return rows.indices.sorted { places[$0] < places[$1] }.prefix(count).map { rows[$0] }
  }

  /// `ids` in the seeded order.
  static func order(_ ids: [String], seed: UInt64) -> [String] {
    ids.map { Place(seed: seed, id: $0) }.sorted().map(\.id)
  }

  private struct Place: Comparable {
    let key: UInt64
    let id: String

    init(seed: UInt64, id: String) {
      var stream = RandomStream(seed: seed, id: id)
      key = stream.next()
      self.id = id
    }

    static func < (a: Place, b: Place) -> Bool { (a.key, a.id) < (b.key, b.id) }
  }
}
