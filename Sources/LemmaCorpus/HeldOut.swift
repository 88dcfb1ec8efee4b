import LemmaBasics

/// Parts a dataset in two so that no held-out problem is trained on: rows of one seed stay
/// together, and a text that is held out does not stand in the training part. Two seeds may still
/// share a template, with other names and numbers.
public struct HeldOut: Sendable {
  public var train: [Row]
  public var heldOut: [Row]
  /// Ids of rows that were left out of `train` because their text is that of a held-out problem.
  public var removed: [String]

  /// Holds out whole seeds, chosen by a hash of (`seed`, seed id): a seed keeps its side whatever
  /// other rows are there.
  /// - Parameter share: the part of the seeds to hold out, 0 to 1.
  /// - Throws: `Failure` for another share.
  public static func split(_ rows: [Row], share: Double, seed: UInt64) throws -> HeldOut {
    guard (0...1).contains(share) else {
      throw Failure(.user, "held-out-share", "the share to hold out is 0 to 1, and is \(share)")
    }
    return part(rows) { RandomStream.unit(seed: seed, id: $0) < share }
  }

  /// Holds out the first seeds of a fixed seeded order until they have at least `rows` rows.
  public static func split(_ rows: [Row], rows wanted: Int, seed: UInt64) -> HeldOut {
    var sizes: [String: Int] = [:]
    for row in rows { sizes[row.seed, default: 0] += 1 }
    var chosen: Set<String> = []
    var count = 0
    for id in Subset.order(Array(sizes.keys), seed: seed) {
      guard count < wanted else { break }
      chosen.insert(id)
      count += sizes[id, default: 0]
    }
    return part(rows) { chosen.contains($0) }
  }

  private static func part(_ rows: [Row], isHeldOut: (String) -> Bool) -> HeldOut {
    var result = HeldOut(train: [], heldOut: [], removed: [])
    for row in rows where isHeldOut(row.seed) { result.heldOut.append(row) }
    let texts = Set(result.heldOut.map { TextForm.normalised($0.problem) })
    for row in rows where !isHeldOut(row.seed) {
      if texts.contains(TextForm.normalised(row.problem)) {
        result.removed.append(row.id)
      } else {
        result.train.append(row)
      }
    }
    return result
  }
}

extension RandomStream {
  /// The first real number of the stream of `id`: a fixed place in `0..<1` for every id.
  static func unit(seed: UInt64, id: String) -> Double {
    var stream = RandomStream(seed: seed, id: id)
    return stream.unit()
  }
}
