import LemmaCorpus

/// The teacher that needs no model: it executes worked solutions as programs with exact
/// arithmetic, and answers only what it has computed.
public enum SymbolicTeacher {
  /// Its name in the rows that it makes; the version changes when its texts or choices do.
  public static let identity = Teacher(name: "symbolic", version: "1")

  /// What the teacher makes of a problem with a worked solution.
  public enum Study: Sendable {
    /// The solution computes the answer; the trace says where its operands come from.
    case program(Trace)
    case fault(Program.Fault)
  }

  /// - Parameter saysAllNumbers: for a problem known to imply no number, such as a generated one.
  public static func study(problem: String, solution: String, saysAllNumbers: Bool = false) -> Study {
    do throws(Program.Fault) {
      let program = try Program(executing: solution)
      return .program(Trace(problem: problem, solution: solution, program: program, saysAllNumbers: saysAllNumbers))
    } catch {
      return .fault(error)
    }
  }

  /// The checks of a worked solution: whether its steps come out, and whether they reach the answer.
  static func checks(_ study: Study) -> [Check] {
    switch study {
    case .program(let trace):
      [Check(.steps, .pass, count(trace.program.steps.count)), Check(.gold, .pass)]
    case .fault(.notGold): [Check(.steps, .pass), Check(.gold, .fail, Program.Fault.notGold.rawValue)]
    case .fault(.inexactStep): [Check(.steps, .fail, Program.Fault.inexactStep.rawValue)]
    case .fault(let fault): [Check(.steps, .unknown, fault.rawValue)]
    }
  }

  static func count(_ steps: Int) -> String { steps == 1 ? "1 step" : "\(steps) steps" }
}

extension Row {
  /// A seed: a problem with a worked solution in GSM8K's notation, as it was found.
  static func seed(problem: String, solution: String, source: Source, teacher: Teacher? = nil) -> Row {
    let study = SymbolicTeacher.study(problem: problem, solution: solution)
    var steps: Int?
    if case .program(let trace) = study { steps = trace.program.steps.count }
    let given = WorkedText.answer(of: solution) ?? ""
    let answer = WorkedText.number(given)?.description ?? given
    return Row(
      problem: problem,
      response: ResponseFormat.response(steps: WorkedText.steps(of: solution), answer: answer), answer: answer,
      solution: solution, lineage: Lineage(operator: "seed", teacher: teacher), steps: steps, source: source,
      checks: SymbolicTeacher.checks(study))
  }
}
