import LemmaBasics

/// Finds training rows that share a run of n words with a test problem (Skywork-Math, section
/// 4.3.7: n = 30), or its whole text. It removes nothing by itself from the rows that it is given.
public struct Decontamination: Sendable {
  public struct Configuration: Hashable, Sendable {
    /// The number of words in a run.
    public var n: Int
    public var tokenizer: WordTokenizer
    /// Compare problem and response, instead of the problem alone.
    public var includesResponse: Bool
    /// Leave Asymptote drawings (`[asy]` blocks) out of the text first: they repeat by nature.
    public var dropsDrawings: Bool

    public init(
      n: Int = 30, tokenizer: WordTokenizer = .whitespace, includesResponse: Bool = false, dropsDrawings: Bool = false
    ) {
      self.n = n
      self.tokenizer = tokenizer
      self.includesResponse = includesResponse
      self.dropsDrawings = dropsDrawings
    }
  }

  /// Why a row was taken out.
  public struct Hit: Hashable, Sendable {
    public enum Reason: String, Sendable, CaseIterable {
      /// The problem is that of the test row, by `TextForm`.
      case sameText = "same-text"
      /// A run of n words stands in both.
      case ngram
    }

    public var id: String
    public var reason: Reason
    /// The id of the test row.
    public var test: String
    /// The words in common, for a run.
    public var span: String?

    public var json: JSON {
      var members: [String: JSON] = ["id": .string(id), "reason": .string(reason.rawValue), "test": .string(test)]
      members["span"] = span.map(JSON.string)
      return .object(members)
    }
  }

  /// What was kept and what was hit, both in the order of the rows.
  public struct Outcome: Sendable {
    public var kept: [Row]
    public var hits: [Hit]
  }

  private struct Run {
    let test: Int
    let start: Int
  }

  private let configuration: Configuration
  private let testIDs: [String]
  private let testWords: [[String]]
  private var runs: [UInt64: Run] = [:]
  private var texts: [[UInt8]: Int] = [:]

  /// Indexes the test rows.
  /// - Throws: `Failure` for an n below 1.
  public init(against tests: [Row], configuration: Configuration = Configuration()) throws {
    guard configuration.n >= 1 else {
      throw Failure(.user, "ngram-size", "a run has at least one word, and n is \(configuration.n)")
    }
    self.configuration = configuration
    testIDs = tests.map(\.id)
    testWords = tests.map { Decontamination.words(of: $0, configuration) }
    for (index, test) in tests.enumerated().reversed() {
      texts[Array(TextForm.normalised(test.problem).utf8)] = index
    }
    for (index, words) in testWords.enumerated() {
      for (start, key) in Decontamination.keys(of: words, n: configuration.n).enumerated() where runs[key] == nil {
        runs[key] = Run(test: index, start: start)
      }
    }
  }

  /// The number of different runs in the test rows.
  public var runCount: Int { runs.count }

  public func filter(_ rows: [Row]) -> Outcome {
    var outcome = Outcome(kept: [], hits: [])
    for row in rows {
      if let hit = hit(row) { outcome.hits.append(hit) } else { outcome.kept.append(row) }
    }
    return outcome
  }

  /// Why `row` must not be trained on; `nil` when it may.
  public func hit(_ row: Row) -> Hit? {
    if let test = texts[Array(TextForm.normalised(row.problem).utf8)] {
      return Hit(id: row.id, reason: .sameText, test: testIDs[test])
    }
    let words = Decontamination.words(of: row, configuration)
    for (start, key) in Decontamination.keys(of: words, n: configuration.n).enumerated() {
      guard let run = runs[key] else { continue }
      let span = words[start..<start + configuration.n]
      // A hash that agrees is not yet a text that agrees.
      guard testWords[run.test][run.start...].starts(with: span) else { continue }
      return Hit(id: row.id, reason: .ngram, test: testIDs[run.test], span: span.joined(separator: " "))
    }
    return nil
  }

  /// Counts by reason, with what they depend on.
  public func report(_ outcome: Outcome) -> JSON {
    let counts = Hit.Reason.allCases.map { reason in
      (reason.rawValue, JSON(outcome.hits.count { $0.reason == reason }))
    }
    return [
      "n": JSON(configuration.n), "tokenizer": .string(configuration.tokenizer.version),
      "text": .string(TextForm.version), "response": .bool(configuration.includesResponse),
      "drawingsDropped": .bool(configuration.dropsDrawings), "tests": JSON(testIDs.count), "runs": JSON(runCount),
      "kept": JSON(outcome.kept.count), "removed": .object(Dictionary(uniqueKeysWithValues: counts)),
    ]
  }

  private static func words(of row: Row, _ configuration: Configuration) -> [String] {
    var text = row.problem
    if configuration.includesResponse { text += "\n" + row.response }
    if configuration.dropsDrawings { text = withoutDrawings(text) }
    return configuration.tokenizer.tokens(of: text)
  }

  /// A rolling hash of every run of `n` words, by its first word.
  private static func keys(of words: [String], n: Int) -> [UInt64] {
    guard words.count >= n else { return [] }
    let factor: UInt64 = 0x2545_F491_4F6C_DD1D
    let outgoing = (1..<n).reduce(UInt64(1)) { power, _ in power &* factor }
    let prints = words.map { fingerprint($0.utf8) }
    var key = prints[..<n].reduce(UInt64(0)) { $0 &* factor &+ $1 }
    var keys = [key]
    for next in n..<max(n, words.count) {
      key = (key &- prints[next - n] &* outgoing) &* factor &+ prints[next]
      keys.append(key)
    }
    return keys
  }
}

/// `text` without its `[asy]` … `[/asy]` blocks; one that does not end reaches to the end.
func withoutDrawings(_ text: String) -> String {
  let pieces = pieces(of: text, between: "[asy]")
  return pieces[0]
    + pieces.dropFirst().map { " " + LemmaCorpus.pieces(of: $0, between: "[/asy]").dropFirst().joined(separator: " ") }
    .joined()
}

/// The parts of `text` around every `separator`.
private func pieces(of text: String, between separator: String) -> [String] {
  let bytes = Array(text.utf8)
  let mark = Array(separator.utf8)
  var pieces: [String] = []
  var start = 0
  var index = 0
  while index + mark.count <= bytes.count {
    if bytes[index..<index + mark.count].elementsEqual(mark) {
      pieces.append(String(decoding: bytes[start..<index], as: UTF8.self))
      index += mark.count
      start = index
    } else {
      index += 1
    }
  }
  return pieces + [String(decoding: bytes[start...], as: UTF8.self)]
}
