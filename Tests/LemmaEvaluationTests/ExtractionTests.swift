import LemmaEvaluation
import Testing

@Suite("Finding the answer")
struct ExtractionTests {
  @Test(
    "strictly, is reading the line behind the last marker, with or without a colon",
    arguments: [
      ("12 + 3 = 15.\nThe answer is 15", "15"), ("The answer is: 15", "15"), ("The answer is 15.", "15"),
      ("The answer is 3\nNo, wait.\nThe answer is 4 \n", "4"), ("So The answer is $1,234.50.\nDone", "$1,234.50"),
    ])
  func strict(response: String, answer: String) {
    #expect(AnswerExtraction.strict(response) == AnswerExtraction(marker: .answerIs, text: answer))
  }

  @Test(
    "strictly, finds nothing without the marker, or with nothing behind it",
    arguments: [
      "", "15", "#### 15", "\\boxed{15}", "the answer is 15", "The answer is", "The answer is \n15", "The answer is .",
    ])
  func nothing(response: String) { #expect(AnswerExtraction.strict(response) == nil) }

  @Test(
    "leniently, takes the first of the markers that there is",
    arguments: [
      ("#### 5\nThe answer is 7", .answerIs, "7"), ("\\boxed{6}\n#### 5", .hashes, "5"),
      ("so \\boxed{\\frac{1}{2}} and \\boxed{ {3} }.", .boxed, "{3}"), ("\\fbox{8}", .boxed, "8"),
      ("The correct Answer is 1, 2", .looseAnswerIs, "1, 2"), ("The value of x is 2", .lastNumber, "2"),
      ("costs $1,234,567.", .lastNumber, "$1,234,567"), ("that is 40%", .lastNumber, "40%"),
      ("it fell to -5 degrees", .lastNumber, "-5"), ("we get 10 -5", .lastNumber, "5"), ("10-5", .lastNumber, "5"),
      ("\\boxed{5 and #### 6", .hashes, "6"), ("\\boxed{5", .lastNumber, "5"), ("A4 and 3", .lastNumber, "3"),
    ] as [(String, AnswerExtraction.Marker, String)])
  func lenient(response: String, marker: AnswerExtraction.Marker, answer: String) {
    #expect(AnswerExtraction.lenient(response) == AnswerExtraction(marker: marker, text: answer))
  }

  @Test("leniently, finds nothing in words alone", arguments: ["", "I do not know", "#### ", "\\boxed{}", "\\boxed"])
  func noAnswer(response: String) { #expect(AnswerExtraction.lenient(response) == nil) }

  @Test("ends on hostile texts")
  func hostile() {
    let endless = "The answer is 1" + String(repeating: " x", count: 50_000)
    #expect(!Grader.grade(response: endless, gold: "1").lenient.isCorrect)
    let braces = String(repeating: "{", count: 50_000)
    #expect(AnswerExtraction.lenient("\\boxed" + braces) == nil)
    #expect(AnswerExtraction.lenient(String(repeating: "\\boxed{", count: 5_000)) == nil)
    #expect(AnswerExtraction.lenient(String(repeating: "9", count: 50_000)) == nil)
    #expect(AnswerExtraction.strict(String(repeating: "The answer is ", count: 5_000)) == nil)
  }
}
