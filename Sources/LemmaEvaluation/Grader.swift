import LemmaCorpus

/// Decides whether a response gives the gold answer, strictly and leniently side by side. It knows
/// exact numbers and texts, not algebra: `(2+r)/4` and `1/2 + r/4` are two texts to it.
///
/// Strict is the paper's rule: the marker, and behind it the answer alone. Lenient also takes the
/// kinds that Skywork-Math's appendix B finds rejected by it: percentages for decimals, lists in
/// another order, texts in quotes, another sentence, words behind the answer, no marker, chains.
public enum Grader {
  /// Goes into whatever a grade is recorded in; it changes when any verdict could.
  public static let version = "lemma-grader/1"

  /// What decided a verdict.
  public enum Rule: String, Sendable, CaseIterable {
    /// No answer was found, or an empty one.
    case noAnswer = "no-answer"
    /// Both are numbers; their exact values were compared.
    case number
    /// Both are numbers once units and words are set aside.
    case numberWithWords = "number-with-words"
    /// One is a percentage, and the other the same as a decimal or a bare number.
    case percent
    /// The texts were compared, without spaces, quotes and LaTeX that only lays them out.
    case text
    /// Lists of the same elements in any order.
    case list
  }

  public struct Verdict: Hashable, Sendable {
    public var isCorrect: Bool
    public var rule: Rule
    /// Where the answer was found, and its text.
    public var extraction: AnswerExtraction?
    /// What was compared: the canonical text of a number, else the normalised text.
    public var normalForm: String?
  }

  public struct Grade: Hashable, Sendable {
    public var strict: Verdict
    public var lenient: Verdict
  }

  /// Grades `response` against the gold answer's text, such as a row's `answer`.
  public static func grade(response: String, gold: String) -> Grade {
    let strict = AnswerExtraction.strict(response)
    let lenient = AnswerExtraction.lenient(response)
    var grade = Grade(
      strict: verdict(strict) { compareStrictly($0, gold) }, lenient: verdict(lenient) { compareLeniently($0, gold) })
    // Lenient takes whatever strict takes.
    if grade.strict.isCorrect, !grade.lenient.isCorrect { grade.lenient = grade.strict }
    return grade
  }

  private typealias Comparison = (isEqual: Bool, rule: Rule, normalForm: String)

  private static func verdict(_ extraction: AnswerExtraction?, _ compare: (String) -> Comparison) -> Verdict {
    guard let extraction else { return Verdict(isCorrect: false, rule: .noAnswer) }
    let (isEqual, rule, normalForm) = compare(extraction.text)
    return Verdict(isCorrect: isEqual, rule: rule, extraction: extraction, normalForm: normalForm)
  }

  private static func compareStrictly(_ answer: String, _ gold: String) -> Comparison {
    if let a = AnswerValue(strict: answer), let b = AnswerValue(strict: gold) {
      return (a.value == b.value && a.isPercent == b.isPercent, .number, a.value.description + (a.isPercent ? "%" : ""))
    }
    let normal = AnswerText.normalised(answer)
    return (normal == AnswerText.normalised(gold), .text, normal)
  }

  private static func compareLeniently(_ answer: String, _ gold: String) -> Comparison {
    if let a = AnswerValue(lenient: answer), let b = AnswerValue(lenient: gold) {
      let rule: Rule = a.hasWords || b.hasWords ? .numberWithWords : .number
      let normal = a.value.description + (a.isPercent ? "%" : "")
      if a.isPercent == b.isPercent { return (a.value == b.value, rule, normal) }
      // 50% is 0.5; and a gold answer that asks for "what percent" is often the bare 50.
      let (percentage, other) = a.isPercent ? (a.value, b.value) : (b.value, a.value)
      let isEqual = percentage == other || percentage.divided(by: Rational(100)) == other
      return (isEqual, .percent, normal)
    }
    let normal = AnswerText.normalised(AnswerText.withoutQuotes(answer))
    let goldNormal = AnswerText.normalised(AnswerText.withoutQuotes(gold))
    if normal == goldNormal { return (true, .text, normal) }
    let (a, b) = (AnswerText.elements(normal), AnswerText.elements(goldNormal))
    guard a.count > 1, b.count > 1 else { return (false, .text, normal) }
    return (a.sorted() == b.sorted(), .list, a.sorted().joined(separator: ","))
  }
}

/// Answers that are no numbers.
enum AnswerText {
  /// Without spaces and without the LaTeX that only lays a formula out; case is kept, as `A` and
  /// `a` can be two variables.
  static func normalised(_ text: String) -> String {
    var text = withoutFullStop(text)
    for (dress, plain) in [
      ("\\left", ""), ("\\right", ""), ("\\!", ""), ("\\,", ""), ("\\;", ""), ("\\ ", ""), ("\\$", ""), ("$", ""),
      ("\\dfrac", "\\frac"), ("\\tfrac", "\\frac"), ("\\%", "%"), ("^\\circ", ""), ("^{\\circ}", ""),
    ] {
      text = replacing(dress, with: plain, in: text)
    }
    return text.filter { !$0.isWhitespace }
  }

  static func withoutQuotes(_ text: String) -> String {
    let text = withoutFullStop(text)
    for (open, close) in [("\"", "\""), ("'", "'"), ("\u{201C}", "\u{201D}"), ("\\text{", "}")]
    where text.hasPrefix(open) && text.hasSuffix(close) && text.count > open.count + close.count {
      return String(text.dropFirst(open.count).dropLast(close.count))
    }
    return text
  }

  /// The parts of a list around its commas and `and`; brackets nest, and a tuple is one element.
  static func elements(_ text: String) -> [String] {
    var elements: [String] = []
    var current = ""
    var depth = 0
    for character in text {
      if "([{".contains(character) { depth += 1 }
      if ")]}".contains(character) { depth -= 1 }
      if character == ",", depth == 0 {
        elements.append(current)
        current = ""
      } else {
        current.append(character)
      }
    }
    elements.append(current)
    return elements.map { AnswerValue(strict: $0)?.value.description ?? $0 }
  }
}
