import LemmaCorpus

/// Turns a problem round: its answer is given and one of its numbers is asked for. FOBAR leaves the
/// question and states its answer behind it; self-verification folds the answer into a statement
/// (MetaMath, Yu et al., 2023).
enum Backward {
  /// The letter for the masked number.
  static let unknown = "x"

  /// The mentions of `trace` that can be masked, with the inverse steps.
  static func maskable(_ trace: Trace) throws(Reject) -> [(mention: Int, lines: [String])] {
    guard trace.isComplete else { throw .untracedOperand }
    guard !trace.variables.isEmpty else { throw .ambiguousNumbers }
    let words = WordTokenizer.wordsAndSigns.tokens(of: trace.problem)
    guard !words.contains(unknown) else { throw .usesUnknown }
    var result: [(mention: Int, lines: [String])] = []
    var lastReject = Reject.notInvertible
    for mention in trace.variables {
      do throws(Reject) {
        result.append((mention, try Inversion.lines(of: trace, unknown: mention)))
      } catch {
        lastReject = error
      }
    }
    guard !result.isEmpty else { throw lastReject }
    return result
  }

  static func fobar(_ trace: Trace, mention: Int, lines: [String]) throws(Reject) -> Draft {
    let question = "If we know the answer is \(trace.program.answer), what is the value of \(unknown)?"
    return try draft(trace, mention, lines, problem: "\(masked(trace, mention)) \(question)")
  }

  static func selfVerification(_ trace: Trace, mention: Int, lines: [String]) throws(Reject) -> Draft {
    guard let question = Question(masked(trace, mention)) else { throw .questionShape }
    let statement = question.sentence(answer: trace.program.answer.description)
    return try draft(
      trace, mention, lines, problem: "\(question.before)\(statement) What is the value of \(unknown)?")
  }

  private static func masked(_ trace: Trace, _ mention: Int) -> String {
    replacing(trace.problem, [(trace.mentions[mention].range, unknown)])
  }

  private static func draft(
    _ trace: Trace, _ mention: Int, _ lines: [String], problem: String
  ) throws(Reject) -> Draft {
    let value = trace.mentions[mention].value
    try verifyForward(trace, mention)
    return Draft(
      problem: problem, solution: lines.joined(separator: "\n") + "\n#### \(value)", answer: value,
      checks: [Check(.backward, .pass, "\(unknown) = \(value) gives \(trace.program.answer), and no neighbour does")])
  }

  /// Puts the solution into the problem again: it gives the answer, and its neighbours do not.
  private static func verifyForward(_ trace: Trace, _ mention: Int) throws(Reject) {
    let value = trace.mentions[mention].value
    func answer(_ value: Rational) -> Rational? { Reinstantiation.values(trace, [mention: value])?.last }
    guard answer(value) == trace.program.answer else { throw .verification }
    for step in [Rational(1), Rational(-1)] {
      if let neighbour = value.adding(step), answer(neighbour) == trace.program.answer { throw .notInvertible }
    }
  }
}

/// `text` with the bytes of the ranges replaced; the ranges do not overlap.
func replacing(_ text: String, _ edits: [(range: Range<Int>, text: String)]) -> String {
  var bytes = Array(text.utf8)
  for edit in edits.sorted(by: { $0.range.lowerBound > $1.range.lowerBound }) {
    bytes.replaceSubrange(edit.range, with: edit.text.utf8)
  }
  return String(decoding: bytes, as: UTF8.self)
}
