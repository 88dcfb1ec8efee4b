import LemmaCorpus

/// Where every operand of a program comes from: a number of the problem or an earlier step. It
/// decides which numbers of the problem may be changed without losing track of them.
public struct Trace: Sendable {
  public let problem: String
  public let solution: String
  public let program: Program
  /// The numbers of the problem.
  public let mentions: [Mention]
  /// The first operand that is neither in the problem nor an earlier result.
  public let untraced: Rational?
  /// Indices of the mentions that can take another value: each stands in the problem once, is used,
  /// and neither it nor any value that depends on it can be mistaken for another number.
  public let variables: [Int]

  /// Whether every operand was found.
  public var isComplete: Bool { untraced == nil }

  /// Whether new numbers can be put in.
  public var isReinstantiable: Bool { isComplete && !variables.isEmpty }

  /// In a problem with more numbers none is varied.
  private static let mentionLimit = 200

  /// For each step, the variables that its value depends on.
  let dependencies: [Set<Int>]
  /// The numbers of the prose of the solution, notes left out.
  let prose: [Mention]

  /// - Parameter saysAllNumbers: for a problem known to imply no number, such as a generated one.
  public init(problem: String, solution: String, program: Program, saysAllNumbers: Bool = false) {
    self.problem = problem
    self.solution = solution
    self.program = program
    mentions = MentionScanner.mentions(in: Array(problem.utf8), kind: .problem)
    prose = Trace.prose(of: solution)
    untraced = Trace.firstUntraced(program, mentions)
    (variables, dependencies) =
      untraced == nil
      ? Trace.variables(program, mentions, prose, saysAllNumbers ? [] : ImpliedConstants.values(in: problem))
      : ([], program.steps.map { _ in [] })
  }

  private static func prose(of solution: String) -> [Mention] {
    var bytes = Array(solution.utf8)
    // Blanks keep the offsets, and keep the text before a note apart from the text behind it.
    for note in WorkedText.notes(in: bytes) { for index in note { bytes[index] = 0x20 } }
    return MentionScanner.mentions(in: bytes, kind: .steps)
  }

  private static func firstUntraced(_ program: Program, _ mentions: [Mention]) -> Rational? {
    var known = Set(mentions.map(\.value))
    // A percentage is written over a hundred.
    let hundredths = mentions.contains { mention in
      mention.form == .fixed && mentions.contains { $0.range == mention.range && isHundredth($0, of: mention) }
    }
    if hundredths { known.insert(Rational(100)) }
    for step in program.steps {
      if let stranger = step.operands.first(where: { !known.contains($0) }) { return stranger }
      known.insert(step.value)
    }
    return nil
  }

  private static func isHundredth(_ part: Mention, of whole: Mention) -> Bool {
    part.value.multiplied(by: Rational(100)) == whole.value && whole.value != .zero
  }

  /// Starts from every mention that could vary, and takes back those whose value, or a value that
  /// depends on them, has a second possible source.
  private static func variables(
    _ program: Program, _ mentions: [Mention], _ prose: [Mention], _ implied: Set<Rational>
  ) -> (variables: [Int], dependencies: [Set<Int>]) {
    // Every number is held against every other below.
    guard mentions.count <= mentionLimit else { return ([], program.steps.map { _ in [] }) }
    let used = Set(program.steps.flatMap(\.operands))
    var free = Set(
      mentions.indices.filter { index in
        let mention = mentions[index]
        return mention.form != .fixed && mention.value > Rational(1) && used.contains(mention.value)
          && !implied.contains(mention.value)
      })
    let fixedProse = Set(prose.filter { $0.form == .fixed }.map(\.value))
    while true {
      let dependencies = dependencies(program, mentions, free)
      var demoted: Set<Int> = []
      func consider(_ value: Rational, _ cause: Set<Int>) {
        let steps = program.steps.indices.filter { program.steps[$0].value == value }
        let sources = mentions.indices.filter { mentions[$0].value == value }
        guard sources.count + steps.count > 1 || fixedProse.contains(value) else { return }
        demoted.formUnion(cause)
        for step in steps { demoted.formUnion(dependencies[step]) }
        demoted.formUnion(sources)
      }
      for index in free { consider(mentions[index].value, [index]) }
      for (step, cause) in zip(program.steps, dependencies) where !cause.isEmpty { consider(step.value, cause) }
      demoted.formIntersection(free)
      if demoted.isEmpty { return (free.sorted(), dependencies) }
      free.subtract(demoted)
    }
  }

  private static func dependencies(_ program: Program, _ mentions: [Mention], _ free: Set<Int>) -> [Set<Int>] {
    var result: [Set<Int>] = []
    for step in program.steps {
      var own: Set<Int> = []
      for value in step.operands {
        for index in free where mentions[index].value == value { own.insert(index) }
        for earlier in result.indices where program.steps[earlier].value == value { own.formUnion(result[earlier]) }
      }
      result.append(own)
    }
    return result
  }
}
