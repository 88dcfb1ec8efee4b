import LemmaCorpus

/// A worked solution as a program: its `<<expression=value>>` notes in order, and the gold answer.
/// It knows the arithmetic of the solution, not what the numbers stand for.
public struct Program: Hashable, Sendable {
  /// One note.
  public struct Step: Hashable, Sendable {
    public var expression: Expression
    public var literals: [Literal]
    /// The value as the note states it, with its bytes in the solution.
    public var result: Literal
    /// The note with its angle brackets, as bytes of the solution.
    public var note: Range<Int>

    public var value: Rational { result.value }
    var operands: [Rational] { literals.map(\.value) }
  }

  /// Why a solution is not a program that computes its answer.
  public enum Fault: String, Error, Sendable, CaseIterable {
    case noAnswer = "no-answer"
    case answerNotANumber = "answer-not-a-number"
    case noNotes = "no-notes"
    case unparsableNote = "unparsable-note"
    case inexactStep = "inexact-step"
    case notGold = "not-gold"
    /// More than `stepLimit` notes.
    case tooLong = "too-long"
  }

  /// A solution with more steps is none that a person wrote.
  public static let stepLimit = 128

  public var steps: [Step]
  public var answer: Rational

  /// Reads and executes `solution`.
  /// - Throws: `Fault` when a step does not come out exactly as written, or the last is not the answer.
  public init(executing solution: String) throws(Fault) {
    let bytes = Array(solution.utf8)
    guard let gold = WorkedText.answer(of: solution) else { throw .noAnswer }
    guard let answer = WorkedText.number(gold) else { throw .answerNotANumber }
    let notes = WorkedText.notes(in: bytes)
    guard !notes.isEmpty else { throw .noNotes }
    guard notes.count <= Program.stepLimit else { throw .tooLong }
    var steps: [Step] = []
    for note in notes {
      let inner = note.lowerBound + 2..<note.upperBound - 2
      guard let equals = bytes[inner].lastIndex(of: UInt8(ascii: "=")),
        let (expression, literals) = ExpressionParser.parse(bytes[inner.lowerBound..<equals], base: inner.lowerBound),
        let result = Program.result(bytes, equals + 1..<inner.upperBound)
      else { throw .unparsableNote }
      steps.append(Step(expression: expression, literals: literals, result: result, note: note))
    }
    for step in steps where step.expression.value(step.operands) != step.value { throw .inexactStep }
    guard let last = steps.last, last.value == answer else { throw .notGold }
    self.steps = steps
    self.answer = answer
  }

  private static func result(_ bytes: [UInt8], _ range: Range<Int>) -> Literal? {
    let isNegative = bytes[range].first == UInt8(ascii: "-")
    let start = range.lowerBound + (isNegative ? 1 : 0)
    guard var (number, length) = NumberText.prefix(of: bytes[start..<range.upperBound]) else { return nil }
    let rest = bytes[start + length..<range.upperBound]
    guard rest.isEmpty || rest.elementsEqual(".".utf8) else { return nil }
    length += rest.count
    if isNegative { number.value = number.value.negated }
    return Literal(number: number, range: range.lowerBound..<start + length)
  }
}
