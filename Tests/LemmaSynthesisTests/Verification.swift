import LemmaCorpus
import LemmaSynthesis
import Testing

/// Checks rows against their seeds from their texts alone, by what each operator promises.
func verify(_ rows: [Row], madeOf seeds: [Row], location: SourceLocation = #_sourceLocation) throws {
  let known = Dictionary(seeds.map { ($0.id, $0) }) { first, _ in first }
  #expect(Set(rows.map { TextForm.normalised($0.problem) }).count == rows.count, sourceLocation: location)
  for row in rows {
    let comment = Comment(rawValue: "\(row.lineage.operator): \(row.problem)\n\(row.response)")
    let seed = try #require(known[row.lineage.parent ?? ""], comment, sourceLocation: location)
    let program = try Program(executing: try #require(row.solution))
    #expect(row.answer == program.answer.description, comment, sourceLocation: location)
    #expect(row.steps == program.steps.count, comment, sourceLocation: location)
    #expect(row.response.hasSuffix("\nThe answer is \(row.answer)"), comment, sourceLocation: location)
    #expect(!row.response.contains("<<") && !row.response.contains("####"), comment, sourceLocation: location)
    #expect(
      Equations(in: row.response).failing.count <= Equations(in: seed.response).failing.count, comment,
      sourceLocation: location)
    #expect(row.lineage.seed == seed.seed, comment, sourceLocation: location)
    #expect(row.lineage.teacher == SymbolicTeacher.identity, comment, sourceLocation: location)
    #expect(row.checks.allSatisfy { $0.verdict == .pass } && !row.checks.isEmpty, comment, sourceLocation: location)
    #expect(TextForm.normalised(row.problem) != TextForm.normalised(seed.problem), comment, sourceLocation: location)
    try promise(row, seed, program, comment, location)
  }
}

private func promise(
  _ row: Row, _ seed: Row, _ program: Program, _ comment: Comment, _ location: SourceLocation
) throws {
  let original = try Program(executing: try #require(seed.solution))
  switch SynthesisOperator(rawValue: row.lineage.operator) {
  case .newNumbers:
    #expect(program.steps.map(\.expression) == original.steps.map(\.expression), comment, sourceLocation: location)
    #expect(program.answer != original.answer, comment, sourceLocation: location)
    for (new, old) in zip(program.steps, original.steps) {
      #expect(!old.value.isInteger || new.value.isInteger, comment, sourceLocation: location)
      #expect(new.value.isNegative == old.value.isNegative, comment, sourceLocation: location)
    }
    // Apart from numbers, in digits or words, the story is the seed's.
    #expect(
      row.problem.split(separator: " ").count == seed.problem.split(separator: " ").count, comment,
      sourceLocation: location)
  case .fobar:
    let (body, question) = try #require(halves(row.problem, at: " If we know the answer is "), comment)
    #expect(question == "\(original.answer), what is the value of x?", comment, sourceLocation: location)
    try forward(body, row, seed, comment, location)
  case .selfVerification:
    #expect(row.problem.hasSuffix(" What is the value of x?"), comment, sourceLocation: location)
    #expect(row.problem.contains(original.answer.description), comment, sourceLocation: location)
    #expect(row.checks.contains { $0.kind == .backward }, comment, sourceLocation: location)
  case .addStep:
    #expect(row.problem.hasPrefix(seed.problem + " "), comment, sourceLocation: location)
    #expect(
      program.steps.count == original.steps.count + row.lineage.depth - seed.lineage.depth, comment,
      sourceLocation: location)
    #expect(program.steps.prefix(original.steps.count).map(\.value) == original.steps.map(\.value), comment)
    #expect(program.steps[original.steps.count].literals[0].value == original.answer, comment)
  case .rephrase:
    #expect(program.steps.map(\.value) == original.steps.map(\.value), comment, sourceLocation: location)
  case nil: Issue.record(comment, sourceLocation: location)
  }
}

/// Putting the answer where `x` stands gives the seed's problem, in digits or in words.
private func forward(
  _ body: String, _ row: Row, _ seed: Row, _ comment: Comment, _ location: SourceLocation
) throws {
  let bodyWords = WordTokenizer.wordsAndSigns.tokens(of: body)
  let unknown = try #require(bodyWords.firstIndex(of: "x"), comment, sourceLocation: location)
  #expect(!bodyWords[(unknown + 1)...].contains("x"), comment, sourceLocation: location)
  let value = try #require(NumberText(row.answer), comment, sourceLocation: location).value
  let candidates =
    [0, 1, 2].map { NumberText(value: value, decimals: $0).text }
    + [NumberText(value: value, hasSeparators: true).text] + (words[row.answer].map { [$0] } ?? [])
  let seedWords = WordTokenizer.wordsAndSigns.tokens(of: seed.problem)
  let fits = candidates.contains { text in
    bodyWords[..<unknown] + WordTokenizer.wordsAndSigns.tokens(of: text) + bodyWords[(unknown + 1)...] == seedWords[...]
  }
  #expect(fits, comment, sourceLocation: location)
}

private let words: [String: String] = [
  "3": "three", "4": "four", "5": "five", "6": "six", "7": "seven", "8": "eight", "9": "nine", "10": "ten",
  "11": "eleven", "12": "twelve", "13": "thirteen", "14": "fourteen", "15": "fifteen", "16": "sixteen",
  "18": "eighteen", "20": "twenty", "30": "thirty", "40": "forty", "50": "fifty", "60": "sixty", "70": "seventy",
  "80": "eighty",
  "90": "ninety", "17": "seventeen", "19": "nineteen", "25": "twenty-five",
]

private func halves(_ text: String, at mark: String) -> (String, String)? {
  var start = text.startIndex
  while start < text.endIndex {
    if text[start...].hasPrefix(mark) {
      return (String(text[..<start]), String(text[text.index(start, offsetBy: mark.count)...]))
    }
    start = text.index(after: start)
  }
  return nil
}
