import LemmaCorpus

/// A number as it stands in a text, and how it would be written with another value.
public struct Mention: Hashable, Sendable {
  public enum Form: Hashable, Sendable {
    /// Digits; the style is kept when the value changes.
    case digits(NumberText)
    /// A number word such as `seven`.
    case word(isCapitalised: Bool)
    /// A number that keeps its value: a fraction, a percentage, an ordinal, `half`, `twice`, a year.
    case fixed
  }

  public var value: Rational
  public var form: Form
  /// The bytes of the text that it takes.
  public var range: Range<Int>

  /// How `value` is written in this place; `nil` when this form has no text for it.
  func rendering(_ value: Rational) -> String? {
    switch form {
    case .digits(var number):
      number.value = value
      return number.text
    case .word(let isCapitalised):
      guard let integer = value.integer, let word = NumberWords.word(for: integer) else { return nil }
      return isCapitalised ? word.prefix(1).uppercased() + word.dropFirst() : word
    case .fixed: return nil
    }
  }
}

/// English words for numbers, and the other way round.
enum NumberWords {
  private static let small = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
  ]
  private static let tens = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]

  static let values: [String: Int] = {
    var values = Dictionary(uniqueKeysWithValues: small.enumerated().map { ($1, $0) })
    for (index, word) in tens.enumerated() {
      values[word] = (index + 2) * 10
      for unit in 1...9 { values["\(word)-\(small[unit])"] = (index + 2) * 10 + unit }
    }
    return values
  }()

  /// Values that a word brings into a problem without being a count of its own.
  static let implied: [String: [Rational]] = {
    var implied: [String: [Rational]] = [:]
    for word in ["twice", "double", "doubles", "doubled", "doubling", "couple", "pair", "pairs"] {
      implied[word] = [Rational(2)]
    }
    for word in ["thrice", "triple", "triples", "tripled"] { implied[word] = [Rational(3)] }
    for word in ["quadruple", "quadruples", "quadrupled"] { implied[word] = [Rational(4)] }
    for word in ["dozen", "dozens"] { implied[word] = [Rational(12)] }
    implied["once"] = [Rational(1)]
    implied["hundred"] = [Rational(100)]
    implied["thousand"] = [Rational(1000)]
    implied["million"] = [Rational(1_000_000)]
    let parts: [(Int32, [String])] = [
      (2, ["half", "halves", "halved"]), (3, ["third", "thirds"]),
      (4, ["quarter", "quarters", "fourth", "fourths"]), (5, ["fifth", "fifths"]), (6, ["sixth", "sixths"]),
      (7, ["seventh", "sevenths"]), (8, ["eighth", "eighths"]), (9, ["ninth", "ninths"]), (10, ["tenth", "tenths"]),
    ]
    for (divisor, words) in parts {
      for word in words { implied[word] = [Rational(divisor), Rational(1).divided(by: Rational(divisor))!] }
    }
    return implied
  }()

  static func word(for value: Int) -> String? { small.indices.contains(value) ? small[value] : nil }
}
