import LemmaBasics
import LemmaPipeline

/// Parameters that several kinds share.
extension StageKind.Parameter {
  static func count(_ name: String, _ summary: String, atLeast least: Int64 = 0, default value: JSON? = nil) -> Self {
    Self(name: name, summary: summary, type: .integer(least...1_000_000_000), defaultValue: value)
  }

  static func number(_ name: String, _ summary: String, _ range: ClosedRange<Double>, default value: JSON? = nil)
    -> Self
  {
    Self(name: name, summary: summary, type: .number(range), defaultValue: value)
  }

  static let seed = Self(
    name: "seed", summary: "Decides every random choice.", type: .integer(0...Int64.max), defaultValue: 0)
}

extension StageKind.Output {
  static let rows = Self(name: "rows", summary: "The rows, as JSON lines.", fileName: "rows.jsonl")
}

extension StageKind.Input {
  static let rows = Self(name: "rows", summary: "Rows, as JSON lines.")
}
