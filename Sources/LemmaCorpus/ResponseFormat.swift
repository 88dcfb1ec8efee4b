/// The one place that knows how a response ends and how a problem is asked. A reader accepts more
/// endings than a writer writes: see `LemmaEvaluation`'s extraction.
public enum ResponseFormat {
  /// What stands before the answer on the last line (Skywork-Math, section 3: no colon).
  public static let marker = "The answer is"

  /// The worked steps, and the answer on a line of its own behind the marker.
  public static func response(steps: String, answer: String) -> String {
    steps.isEmpty ? "\(marker) \(answer)" : "\(steps)\n\(marker) \(answer)"
  }
}

/// How a problem is put to a model: zero-shot, chain of thought, the same in training and in
/// evaluation (Skywork-Math, section 4.1). The version is part of what a prompt's digest covers.
public struct PromptTemplate: Hashable, Sendable {
  public let name: String
  public let version: Int
  private let before: String
  private let after: String

  public static let zeroShot = PromptTemplate(
    name: "zero-shot", version: 1, before: "Question: ", after: "\nAnswer:\n")

  /// The text before the response. Prompt and response are joined without anything between them.
  public func prompt(for problem: String) -> String { before + problem + after }
}
