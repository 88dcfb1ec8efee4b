import LemmaCorpus

/// Says the same problem in other words: names are exchanged in problem and solution alike, and
/// phrases of closed lists in the problem. It changes no number.
enum Rephrase {
  /// Phrases that can stand for one another, in either direction.
  private static let phrases: [(String, String)] = [
    ("in total", "altogether"), ("in all", "altogether"), ("buys", "purchases"), ("bought", "purchased"),
    ("gives away", "hands out"), ("gave away", "handed out"), ("each day", "every day"), ("each week", "every week"),
    ("each bag", "every bag"), ("each box", "every box"), ("gets", "receives"), ("puts", "places"),
    ("begins", "starts"), ("finds", "discovers"), ("a large", "a big"), ("equally among", "evenly among"),
    ("makes", "produces"), ("collects", "gathers"), ("per day", "a day"), ("How much does", "What amount does"),
  ]

  /// Whether there is anything to replace.
  static func check(_ trace: Trace) throws(Reject) {
    let problem = Words(trace.problem)
    let names = Names.female + Names.otherFemale + Names.male + Names.otherMale
    let words = names + phrases.flatMap { [$0.0, $0.1] }
    guard words.contains(where: { problem.contains($0) }) else { throw .nothingToReplace }
  }

  static func draft(_ trace: Trace, _ random: inout RandomStream) throws(Reject) -> Draft {
    var problem = Words(trace.problem)
    var solution = Words(trace.solution)
    var hasChanged = false
    for (known, given) in [
      (Names.female + Names.otherFemale, Names.female), (Names.male + Names.otherMale, Names.male),
    ] {
      let present = known.filter { problem.contains($0) }
      var free = given.filter { !problem.contains($0) && !solution.contains($0) }
      for name in present {
        guard let other = random.choose(free) else { break }
        free.removeAll { $0 == other }
        problem.replace(name, with: other)
        solution.replace(name, with: other)
        hasChanged = true
      }
    }
    for (a, b) in phrases {
      let (from, to) = problem.contains(a) ? (a, b) : (b, a)
      if problem.contains(from), random.below(2) == 0 {
        problem.replace(from, with: to)
        hasChanged = true
      }
    }
    guard hasChanged else { throw .nothingToReplace }
    return Draft(problem: problem.text, solution: solution.text, answer: trace.program.answer)
  }
}

/// A text in which whole words are found and replaced.
private struct Words {
  private var bytes: [UInt8]
  /// The words that stand in the text or stood in it: what is not here need not be looked for.
  private var vocabulary: Set<String>

  init(_ text: String) {
    bytes = Array(text.utf8)
    vocabulary = Set(bytes.split { !isASCIILetter($0) }.map { String(decoding: $0, as: UTF8.self) })
  }

  var text: String { String(decoding: bytes, as: UTF8.self) }

  func contains(_ word: String) -> Bool {
    vocabulary.contains(String(word.prefix { $0 != " " })) && first(Array(word.utf8), from: 0) != nil
  }

  mutating func replace(_ word: String, with other: String) {
    vocabulary.formUnion(other.split(separator: " ").map(String.init))
    let word = Array(word.utf8)
    var offset = 0
    while let start = first(word, from: offset) {
      bytes.replaceSubrange(start..<start + word.count, with: other.utf8)
      offset = start + other.utf8.count
    }
  }

  private func first(_ word: [UInt8], from offset: Int) -> Int? {
    guard offset + word.count <= bytes.count else { return nil }
    return (offset...bytes.count - word.count).first { start in
      bytes[start] == word[0] && bytes[start..<start + word.count].elementsEqual(word)
        && !isWordByte(start - 1) && !isWordByte(start + word.count)
    }
  }

  private func isWordByte(_ index: Int) -> Bool {
    bytes.indices.contains(index) && (isASCIILetter(bytes[index]) || isASCIIDigit(bytes[index]) || bytes[index] >= 0x80)
  }
}
