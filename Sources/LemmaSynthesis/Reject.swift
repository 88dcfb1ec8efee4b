import LemmaCorpus

/// Why a method made no row of a problem; counted in the statistics under its raw value.
public enum Reject: String, Error, Sendable, CaseIterable {
  // The seed.
  /// The solution is no program: see `Program.Fault`.
  case notAProgram = "not-a-program"
  /// An operand is neither in the problem nor an earlier result.
  case untracedOperand = "untraced-operand"
  /// No number can change without being mistaken for another.
  case ambiguousNumbers = "ambiguous-numbers"
  /// The solution speaks of a number that is neither in the problem nor a result.
  case strayNumber = "stray-number"
  /// The question is of no shape that can be folded into a statement.
  case questionShape = "question-shape"
  /// The masked number enters the answer more than once, or not at all.
  case notInvertible = "not-invertible"
  /// The problem uses the letter that stands for the unknown.
  case usesUnknown = "uses-x"
  /// There is nothing that a template replaces.
  case nothingToReplace = "nothing-to-replace"

  // The numbers.
  /// No numbers were found that keep every step in its kind and range.
  case noNumbers = "no-numbers"
  case sameAnswer = "same-answer"
  case outOfRange = "out-of-range"
  /// A value has no ending decimals, so that it cannot be written exactly.
  case endlessDecimals = "endless-decimals"

  // The finished row.
  /// Executing the finished row again did not give what was computed.
  case verification
  /// The same problem, by `TextForm`, is already there.
  case duplicate
}

/// A problem that a method has made, before it becomes a row.
struct Draft: Sendable {
  var problem: String
  /// In GSM8K's notation, the last line `#### answer`.
  var solution: String
  var answer: Rational
  var checks: [Check] = []
  /// Evolution steps that were added.
  var depth = 0
}
