import LemmaBasics
import LemmaCorpus
import LemmaHash

/// What a synthesis gave.
public struct Synthesis: Sendable {
  public var rows: [Row]
  public var statistics: SynthesisStatistics
}

/// Makes new problems of seeds, each a function of the seeds, the configuration and its index, with
/// one tie to the others: no two problems are the same by `TextForm`, and none is a seed's.
public struct Synthesizer: Sendable {
  /// How often a row is tried with its own operator before any other may fill its place, and how
  /// often then.
  private static let attempts = 64
  /// So many rows in a row without a new problem: the space is exhausted.
  private static let patience = 200

  private let configuration: SynthesisConfiguration

  /// - Throws: `Failure` for a setting that cannot be.
  public init(_ configuration: SynthesisConfiguration) throws {
    try configuration.validate()
    self.configuration = configuration
  }

  /// - Parameters:
  ///   - progress: told (rows tried, rows asked for) now and then, and at the end.
  ///   - isCancelled: asked now and then.
  /// - Returns: the rows in the order of their index; fewer than asked for when no further new
  ///   problem is found, which the statistics report as `missing`.
  /// - Throws: `Failure` when no operator can be applied to any seed; `CancellationError`.
  public func run(
    seeds: [Row], progress: (Int, Int) -> Void = { _, _ in }, isCancelled: () -> Bool = { false }
  ) throws -> Synthesis {
    var statistics = SynthesisStatistics()
    statistics.seeds = seeds.count
    statistics.requested = configuration.rows
    let operators = SynthesisOperator.allCases.filter { configuration.weights[$0] ?? 0 > 0 }
    let benches = try study(seeds, operators, &statistics, isCancelled)
    var seen = Set(seeds.map { Synthesizer.key($0.problem) })
    var rows: [Row] = []
    var fruitless = 0
    for index in 0..<configuration.rows {
      if index % 256 == 0 {
        if isCancelled() { throw CancellationError() }
        progress(index, configuration.rows)
      }
      if let row = row(index, benches, &seen, &statistics) {
        rows.append(row)
        fruitless = 0
      } else {
        fruitless += 1
        if fruitless == Synthesizer.patience { break }
      }
    }
    guard !rows.isEmpty || configuration.rows == 0 else {
      throw Failure(
        .user, "synthesis-exhausted", "no new problem could be made of \(seeds.count) seeds",
        hint: "reasons: \(statistics.json.canonical)")
    }
    progress(configuration.rows, configuration.rows)
    return Synthesis(rows: rows, statistics: statistics)
  }

  private struct Benches {
    var all: [Workbench] = []
    /// For each operator that can be applied: its weight, and the places of its seeds in `all`.
    var operators: [(name: SynthesisOperator, weight: Double, seeds: [Int])] = []
  }

  private func study(
    _ seeds: [Row], _ operators: [SynthesisOperator], _ statistics: inout SynthesisStatistics,
    _ isCancelled: () -> Bool
  ) throws -> Benches {
    var benches = Benches()
    var eligible: [SynthesisOperator: [Int]] = [:]
    for (index, seed) in seeds.enumerated() {
      if index % 256 == 0, isCancelled() { throw CancellationError() }
      var obstacles: [SynthesisOperator: Reject] = [:]
      do throws(Reject) {
        let bench = try Workbench(seed, operators)
        obstacles = bench.obstacles
        benches.all.append(bench)
      } catch {
        for each in operators { obstacles[each] = error }
      }
      for each in operators {
        if let obstacle = obstacles[each] {
          statistics.operators[each, default: .init()].ineligible[obstacle, default: 0] += 1
        } else {
          statistics.operators[each, default: .init()].eligible += 1
          eligible[each, default: []].append(benches.all.count - 1)
        }
      }
    }
    benches.operators = operators.compactMap { name in
      eligible[name].map { (name, configuration.weights[name] ?? 0, $0) }
    }
    guard !benches.operators.isEmpty || configuration.rows == 0 else {
      throw Failure(
        .user, "no-usable-seed", "none of the \(seeds.count) seeds can be used by any of the methods",
        hint: "the symbolic teacher needs worked solutions with <<expression=value>> notes; reasons: "
          + statistics.json.canonical)
    }
    return benches
  }

  private func row(
    _ index: Int, _ benches: Benches, _ seen: inout Set<Digest>, _ statistics: inout SynthesisStatistics
  ) -> Row? {
    let weights = benches.operators.map(\.weight)
    var choice = RandomStream(seed: configuration.seed, key: UInt64(index))
    var chosen = choice.weighted(weights)
    for attempt in 0..<2 * Synthesizer.attempts {
      var random = RandomStream(seed: configuration.seed, key: UInt64(index), UInt64(attempt))
      if attempt >= Synthesizer.attempts { chosen = random.weighted(weights) }
      guard let chosen, let bench = random.choose(benches.operators[chosen].seeds) else { return nil }
      let name = benches.operators[chosen].name
      do throws(Reject) {
        let row = try benches.all[bench].row(name, configuration, &random)
        guard seen.insert(Synthesizer.key(row.problem)).inserted else { throw .duplicate }
        statistics.operators[name, default: .init()].emitted += 1
        return row
      } catch {
        statistics.operators[name, default: .init()].rejected[error, default: 0] += 1
      }
    }
    return nil
  }

  private static func key(_ problem: String) -> Digest { Digest(of: TextForm.normalised(problem).utf8) }
}
