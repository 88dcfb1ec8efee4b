import LemmaBasics
import LemmaCorpus

/// Reads GSM8K as it is published: JSONL with `question` and `answer`, the answer a worked
/// solution whose last line is `#### N` (Cobbe et al., 2021).
public enum GSM8K {
  public static let name = "gsm8k"
  public static let licence = "MIT"

  /// The seed rows of the file at `path`, all of them, each with the verdict on its own steps.
  /// - Throws: `Failure` with file and line for a record without question, answer or `####`.
  public static func seeds(_ path: String, split: String = "train") throws -> [Row] {
    var rows: [Row] = []
    try JSONLReader.forEach(path) { json, position in
      let record = try Record(json, "a GSM8K record", at: position)
      let solution = try record.text("answer")
      guard let answer = WorkedText.answer(of: solution), !answer.isEmpty else {
        throw Failure(
          .user, "gsm8k-answer", "the answer does not end in '#### N'", at: position,
          hint: "a worked solution gives its final answer on a last line such as '#### 72'")
      }
      rows.append(
        Row.seed(
          problem: trimmed(try record.text("question")), solution: solution,
          source: Source(name: name, split: split, row: rows.count, licence: licence)))
    }
    return rows
  }
}
