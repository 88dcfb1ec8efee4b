import LemmaCorpus

/// Numbers that a problem means without saying them: a week has seven days. A number of the problem
/// with such a value may stand for the constant in the solution, so it cannot take another.
enum ImpliedConstants {
  private static let byWord: [(words: [String], values: [Int32])] = [
    (
      ["week", "weeks", "weekly", "weekday", "weekdays", "weekend", "monday", "friday", "saturday", "sunday"],
      [2, 5, 6, 7]
    ),
    (["day", "days", "daily"], [7, 24]), (["hour", "hours", "minute", "minutes", "second", "seconds"], [24, 60]),
    (["month", "months", "monthly", "year", "years", "yearly", "annual", "annually"], [4, 12, 30, 52, 365]),
    (["foot", "feet", "inch", "inches", "yard", "yards"], [3, 12]), (["dozen", "dozens"], [12]),
    (["percent", "percentage", "%"], [100]), (["pound", "pounds", "ounce", "ounces"], [16]),
    (["quarter", "quarters"], [4, 25]), (["dime", "dimes", "decade", "decades"], [10]), (["nickel", "nickels"], [5]),
    (["cent", "cents", "century", "meter", "meters"], [100]),
    (["half", "twice", "double", "doubled", "pair", "pairs"], [2]),
    (["triple", "tripled", "thrice", "triangle", "tricycle"], [3, 180]), (["square", "rectangle", "sides"], [4]),
    (["dog", "dogs", "cat", "cats", "horse", "horses", "cow", "cows", "leg", "legs", "wheel", "wheels"], [2, 3, 4]),
  ]

  private static let values: [String: [Int32]] = Dictionary(
    byWord.flatMap { entry in entry.words.map { ($0, entry.values) } }, uniquingKeysWith: +)

  /// The constants that the words of a problem can imply.
  static func values(in problem: String) -> Set<Rational> {
    let words = problem.lowercased().split { !($0.isASCII && $0.isLetter) }.map(String.init)
    let signs = problem.contains("%") ? ["%"] : []
    return Set((words + signs).flatMap { values[$0] ?? [] }.map { Rational($0) })
  }
}
