import LemmaCorpus

/// Fills the braces of a situation's texts: `{n}` the name, `{s}` the pronoun at the start of a
/// sentence, `{o}` and `{p}` its object and possessive forms, `{m}` a second name, `{a}` and `{b}`
/// numbers, `{now}` the end of the question.
struct StoryTemplate {
  private let words: [String: String]

  init(_ random: inout RandomStream, names: Int) {
    let isFemale = random.below(2) == 0
    let name = random.choose((isFemale ? Names.female : Names.male).prefix(names)) ?? ""
    let other = random.choose((isFemale ? Names.male : Names.female).prefix(names)) ?? ""
    words = [
      "n": name, "m": other, "s": isFemale ? "She" : "He", "o": isFemale ? "her" : "him", "p": isFemale ? "Her" : "His",
    ]
  }

  /// `text` with its braces filled; a number is written in digits.
  func fill(_ text: String, a: Int? = nil, b: Int? = nil, now: String? = nil) -> String {
    var result = ""
    var rest = text[...]
    while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
      result += rest[..<open]
      let key = String(rest[rest.index(after: open)..<close])
      switch key {
      case "a": result += a.map(String.init) ?? ""
      case "b": result += b.map(String.init) ?? ""
      case "now": result += now ?? ""
      default: result += words[key] ?? ""
      }
      rest = rest[rest.index(after: close)...]
    }
    return result + rest
  }
}
