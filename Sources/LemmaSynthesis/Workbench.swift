import LemmaCorpus

/// One seed, studied once: its trace, and what each operator can start from. It makes drafts, and
/// rows of those that verify.
struct Workbench: Sendable {
  let seed: Row
  private let trace: Trace
  private let maskable: [(mention: Int, lines: [String])]
  private let failingEquations: Int

  /// The operators that `seed` is of no use for, with the reason.
  let obstacles: [SynthesisOperator: Reject]

  init(_ seed: Row, _ operators: [SynthesisOperator]) throws(Reject) {
    guard let solution = seed.solution,
      case .program(let trace) = SymbolicTeacher.study(
        problem: seed.problem, solution: solution, saysAllNumbers: seed.source?.name == SeedGenerator.source)
    else { throw .notAProgram }
    self.seed = seed
    self.trace = trace
    var obstacles: [SynthesisOperator: Reject] = [:]
    var maskable: [(mention: Int, lines: [String])] = []
    for each in operators {
      do throws(Reject) {
        switch each {
        case .newNumbers: try NewNumbers.check(trace)
        case .addStep: try AddStep.check(trace)
        case .rephrase: try Rephrase.check(trace)
        case .fobar: maskable = try Backward.maskable(trace)
        case .selfVerification:
          guard Question(trace.problem) != nil else { throw .questionShape }
          maskable = try Backward.maskable(trace)
        }
      } catch {
        obstacles[each] = error
      }
    }
    self.obstacles = obstacles
    self.maskable = maskable
    failingEquations = Equations(in: WorkedText.steps(of: solution)).failing.count
  }

  /// - Precondition: there is no obstacle for the operator.
  func row(
    _ made: SynthesisOperator, _ configuration: SynthesisConfiguration, _ random: inout RandomStream
  ) throws(Reject) -> Row {
    let draft = try draft(made, configuration, &random)
    let program: Program
    do throws(Program.Fault) {
      program = try Program(executing: draft.solution)
    } catch {
      throw .verification
    }
    let steps = WorkedText.steps(of: draft.solution)
    guard program.answer == draft.answer, Equations(in: steps).failing.count <= failingEquations else {
      throw .verification
    }
    let answer = draft.answer.description
    return Row(
      problem: draft.problem, response: ResponseFormat.response(steps: steps, answer: answer), answer: answer,
      solution: draft.solution,
      lineage: Lineage(
        operator: made.rawValue, seed: seed.seed, parent: seed.id, depth: seed.lineage.depth + draft.depth,
        teacher: SymbolicTeacher.identity),
      steps: program.steps.count,
      checks: [Check(.steps, .pass, SymbolicTeacher.count(program.steps.count))] + draft.checks)
  }

  private func draft(
    _ made: SynthesisOperator, _ configuration: SynthesisConfiguration, _ random: inout RandomStream
  ) throws(Reject) -> Draft {
    switch made {
    case .newNumbers:
      return try NewNumbers(maximum: configuration.maximum, answerMayRepeat: configuration.answerMayRepeat)
        .draft(trace, &random)
    case .addStep:
      return try AddStep(maximum: configuration.maximum, depth: configuration.depth).draft(trace, &random)
    case .rephrase: return try Rephrase.draft(trace, &random)
    case .fobar, .selfVerification:
      guard let (mention, lines) = random.choose(maskable) else { throw .notInvertible }
      return made == .fobar
        ? try Backward.fobar(trace, mention: mention, lines: lines)
        : try Backward.selfVerification(trace, mention: mention, lines: lines)
    }
  }
}
