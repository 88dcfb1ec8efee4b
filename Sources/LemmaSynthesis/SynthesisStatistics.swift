import LemmaBasics

/// What became of the seeds and of every attempt, by operator and reason.
public struct SynthesisStatistics: Hashable, Sendable {
  /// The counts of one operator.
  public struct Counts: Hashable, Sendable {
    /// Seeds that the operator can be applied to.
    public internal(set) var eligible = 0
    /// Seeds that it cannot be applied to, by reason.
    public internal(set) var ineligible: [Reject: Int] = [:]
    public internal(set) var emitted = 0
    /// Attempts that made no row, by reason.
    public internal(set) var rejected: [Reject: Int] = [:]
  }

  public internal(set) var seeds = 0
  public internal(set) var requested = 0
  public internal(set) var operators: [SynthesisOperator: Counts] = [:]

  /// Rows that were made.
  public var emitted: Int { operators.values.reduce(0) { $0 + $1.emitted } }
  /// Rows that were asked for and for which no new problem was found.
  public var missing: Int { requested - emitted }

  public var json: JSON {
    let members = SynthesisOperator.allCases.compactMap { name -> (String, JSON)? in
      guard let counts = operators[name] else { return nil }
      return (
        name.rawValue,
        [
          "eligible": JSON(counts.eligible), "ineligible": reasons(counts.ineligible), "emitted": JSON(counts.emitted),
          "rejected": reasons(counts.rejected),
        ]
      )
    }
    return [
      "seeds": JSON(seeds), "requested": JSON(requested), "emitted": JSON(emitted), "missing": JSON(missing),
      "operators": .object(Dictionary(uniqueKeysWithValues: members)),
    ]
  }

  private func reasons(_ counts: [Reject: Int]) -> JSON {
    .object(Dictionary(uniqueKeysWithValues: counts.map { ($0.rawValue, JSON($1)) }))
  }
}
