import LemmaBasics
import LemmaHash

/// One record of a dataset: a problem, its worked response, and where both come from. Its `id` is
/// a digest of everything but the checks, so what a row was made from cannot change under its name.
public struct Row: Hashable, Sendable {
  /// XXH3-128, in hexadecimal, of the canonical JSON of the row without `id` and `checks`.
  public let id: String
  /// The question, as it is asked.
  public let problem: String
  /// What a model learns to write; its last line is `The answer is X`.
  public let response: String
  /// The final answer: the canonical text of a number, else the text as given.
  public let answer: String
  /// The worked solution in GSM8K's notation, with `<<expression=value>>` notes: what the
  /// symbolic teacher executes. Absent where there is none.
  public let solution: String?
  public let lineage: Lineage
  /// The number of worked steps, where it is known.
  public let steps: Int?
  /// The difficulty as the source names it, such as MATH's `Level 3`.
  public let level: String?
  /// Where a seed was read or generated; derived rows reach it through their seed.
  public let source: Source?
  /// What was checked, with the verdicts.
  public var checks: [Check]

  public init(
    problem: String, response: String, answer: String, solution: String? = nil, lineage: Lineage = .seed,
    steps: Int? = nil, level: String? = nil, source: Source? = nil, checks: [Check] = []
  ) {
    self.problem = problem
    self.response = response
    self.answer = answer
    self.solution = solution
    self.lineage = lineage
    self.steps = steps
    self.level = level
    self.source = source
    self.checks = checks
    let content = Row.content(
      problem: problem, response: response, answer: answer, solution: solution, lineage: lineage, steps: steps,
      level: level, source: source)
    id = ContentID.of(.object(content))
  }

  /// The id of the seed problem that this row goes back to: its own for a seed.
  public var seed: String { lineage.seed ?? id }

  /// Whether it was checked, and every check passed.
  public var isVerified: Bool { !checks.isEmpty && checks.allSatisfy { $0.verdict == .pass } }
}

/// Names for records: what a record was made from is its name.
public enum ContentID {
  /// XXH3-128 of the canonical bytes, in hexadecimal.
  public static func of(_ content: JSON) -> String { Digest(of: content.canonicalBytes).hex }
  /// XXH3-128 of the text's bytes, in hexadecimal.
  public static func of(text: String) -> String { Digest(of: text.utf8).hex }
}

/// How a row was made.
public struct Lineage: Hashable, Sendable {
  /// What made it: `seed`, `metamath.fobar`, `metamath.sv`, `metamath.rephrase`, `xwin.numbers`, `evol.add-step`.
  public var `operator`: String
  /// The seed row's id; absent for a seed.
  public var seed: String?
  /// The id of the row that the operator was applied to; absent for a seed.
  public var parent: String?
  /// How many evolution steps lie between the seed and this row.
  public var depth: Int
  /// Who made it; absent for problems that were read.
  public var teacher: Teacher?

  public static let seed = Lineage(operator: "seed")

  public init(
    operator: String, seed: String? = nil, parent: String? = nil, depth: Int = 0, teacher: Teacher? = nil
  ) {
    self.operator = `operator`
    self.seed = seed
    self.parent = parent
    self.depth = depth
    self.teacher = teacher
  }

  /// The family of the operator: `metamath` for `metamath.fobar`.
  public var method: String { `operator`.prefix { $0 != "." }.description }
}

/// Who made a row: a program or a model, with its version.
public struct Teacher: Hashable, Sendable {
  public var name: String
  public var version: String

  public init(name: String, version: String) {
    self.name = name
    self.version = version
  }
}

/// The dataset that a seed belongs to.
public struct Source: Hashable, Sendable {
  public var name: String
  public var split: String
  /// Counts from 0 in the order of the source.
  public var row: Int
  public var licence: String

  public init(name: String, split: String, row: Int, licence: String) {
    self.name = name
    self.split = split
    self.row = row
    self.licence = licence
  }
}

/// One thing that was checked about a row.
public struct Check: Hashable, Sendable {
  /// What was done.
  public enum Kind: String, Sendable, CaseIterable {
    /// Every worked step was executed again with exact arithmetic.
    case steps
    /// The last step's value was compared with the answer of the source.
    case gold
    /// The unknown that was found was put back and the problem computed forward.
    case backward
    /// Several independent responses were compared.
    case majority
  }

  public enum Verdict: String, Sendable, CaseIterable {
    case pass, fail
    /// It could not be decided; `detail` says why.
    case unknown
  }

  public var kind: Kind
  public var verdict: Verdict
  public var detail: String?

  public init(_ kind: Kind, _ verdict: Verdict, _ detail: String? = nil) {
    self.kind = kind
    self.verdict = verdict
    self.detail = detail
  }
}
