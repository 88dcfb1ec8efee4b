import LemmaBasics
import LemmaCorpus

/// What a model answered to one row, and how it was graded: enough to grade it again, and to find
/// the very prompt.
public struct EvaluationItem: Hashable, Sendable {
  /// A digest of the row, the prompt, the response and the grader.
  public let id: String
  /// The row's id.
  public let row: String
  /// The digest of the prompt's bytes, in hexadecimal.
  public let prompt: String
  public let response: String
  public let gold: String
  public let grade: Grader.Grade
  /// What results are broken down by.
  public let steps: Int?
  public let level: String?

  /// Grades `response` to `row`, asked with `template`.
  public init(row: Row, response: String, template: PromptTemplate = .zeroShot) {
    self.row = row.id
    prompt = ContentID.of(text: template.prompt(for: row.problem))
    self.response = response
    gold = row.answer
    grade = Grader.grade(response: response, gold: row.answer)
    steps = row.steps
    level = row.level
    let content: JSON = [
      "row": .string(row.id), "prompt": .string(prompt), "response": .string(response), "gold": .string(gold),
      "grader": .string(Grader.version),
    ]
    id = ContentID.of(content)
  }

  public var json: JSON {
    var members: [String: JSON] = [
      "id": .string(id), "row": .string(row), "prompt": .string(prompt), "response": .string(response),
      "gold": .string(gold), "grader": .string(Grader.version), "strict": grade.strict.json,
      "lenient": grade.lenient.json,
    ]
    members["steps"] = steps.map { JSON($0) }
    members["level"] = level.map(JSON.string)
    return .object(members)
  }
}

extension Grader.Verdict {
  var json: JSON {
    var members: [String: JSON] = ["correct": .bool(isCorrect), "rule": .string(rule.rawValue)]
    members["extracted"] = extraction.map { .string($0.text) }
    members["marker"] = extraction.map { .string($0.marker.rawValue) }
    members["normalForm"] = normalForm.map(JSON.string)
    return .object(members)
  }
}
