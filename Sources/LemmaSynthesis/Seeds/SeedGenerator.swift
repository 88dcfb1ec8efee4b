import LemmaBasics
import LemmaCorpus
import LemmaHash

/// Makes short arithmetic word problems with worked steps in GSM8K's notation: a story is opened,
/// a stock grows and shrinks, and a question closes it. Every number and result is whole, at least
/// two, within the range, and different from the others of its problem.
public struct SeedGenerator: Sendable {
  public struct Configuration: Hashable, Sendable {
    /// How many steps a solution takes, within 1 to 5.
    public var steps: ClosedRange<Int>
    /// The largest number and result.
    public var maximum: Int
    /// The kinds of story to tell, by name; all of them when empty.
    public var situations: [String]
    /// How many first names of each list are used, 1 to 24.
    public var names: Int

    public init(steps: ClosedRange<Int> = 1...2, maximum: Int = 30, situations: [String] = [], names: Int = 24) {
      self.steps = steps
      self.maximum = maximum
      self.situations = situations
      self.names = names
    }
  }

  public static let source = "lemma.stories"
  public static let licence = "CC0-1.0"
  /// What stands as the maker in the rows; the version changes when a text or a choice does.
  public static let identity = Teacher(name: source, version: "1")
  /// The names of the kinds of story.
  public static let situations = Situation.all.map(\.name)

  private let configuration: Configuration
  private let stories: [Situation]

  /// - Throws: `Failure` for a setting that cannot be.
  public init(_ configuration: Configuration = Configuration()) throws {
    func refuse(_ code: String, _ message: String, _ hint: String? = nil) -> Failure {
      Failure(.user, code, message, hint: hint)
    }
    guard configuration.steps.lowerBound >= 1, configuration.steps.upperBound <= 5 else {
      throw refuse("seeds-steps", "steps lie within 1 to 5, and not within \(configuration.steps)")
    }
    guard (12...10_000).contains(configuration.maximum) else {
      throw refuse("seeds-maximum", "maximum is 12 to 10000, and is \(configuration.maximum)")
    }
    guard (1...Names.female.count).contains(configuration.names) else {
      throw refuse("seeds-names", "names is 1 to \(Names.female.count), and is \(configuration.names)")
    }
    for name in configuration.situations where !SeedGenerator.situations.contains(name) {
      throw refuse(
        "unknown-situation", "there are no stories of '\(name)'",
        nearest(to: name, among: SeedGenerator.situations).map { "is '\($0)' meant?" })
    }
    self.configuration = configuration
    stories = Situation.all.filter { configuration.situations.isEmpty || configuration.situations.contains($0.name) }
  }

  /// `count` different problems, each a function of the configuration, `seed` and its index, apart
  /// from the repetitions that are avoided.
  /// - Throws: `Failure` when the configuration has no more different problems; `CancellationError`.
  public func rows(
    count: Int, seed: UInt64, split: String = "train", progress: (Int, Int) -> Void = { _, _ in },
    isCancelled: () -> Bool = { false }
  ) throws -> [Row] {
    var rows: [Row] = []
    var seen: Set<Digest> = []
    while rows.count < count {
      if rows.count % 256 == 0 {
        if isCancelled() { throw CancellationError() }
        progress(rows.count, count)
      }
      guard let story = newStory(UInt64(rows.count), seed, &seen) else {
        throw Failure(
          .user, "seeds-exhausted", "only \(rows.count) different problems were found, and \(count) are asked for",
          hint: "raise 'maximum', allow more steps, situations or names, or ask for fewer rows")
      }
      let source = Source(
        name: SeedGenerator.source, split: split, row: rows.count, licence: SeedGenerator.licence)
      rows.append(
        Row.seed(
          problem: story.problem, solution: story.solution, source: source, teacher: SeedGenerator.identity))
    }
    progress(count, count)
    return rows
  }

  private func newStory(_ index: UInt64, _ seed: UInt64, _ seen: inout Set<Digest>) -> Story? {
    for attempt in 0..<400 {
      var random = RandomStream(seed: seed, key: index, UInt64(attempt))
      guard let situation = random.choose(stories),
        let story = Story(situation, configuration, &random),
        seen.insert(Digest(of: TextForm.normalised(story.problem).utf8)).inserted
      else { continue }
      return story
    }
    return nil
  }
}
