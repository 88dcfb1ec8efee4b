import LemmaBasics
import LemmaHash
import LemmaPipeline

/// Why a stage runs. It comes from comparing the very documents that the keys are digests of.
public enum Reason: Sendable {
  /// No result under this key, and no earlier action of this stage in this workspace.
  case new
  /// The document is another one than the last time.
  case changed([Difference])
  /// The document is the same as the last time, but no result was recorded.
  case unfinished
  /// A result is known, but one of its outputs cannot be served.
  case lost(output: String)
  /// A person asked for it.
  case forced

  /// One line for people.
  public var text: String {
    switch self {
    case .new: "new here: this action has never run"
    case .changed(let differences):
      differences.isEmpty
        ? "its document changed"
        : differences.prefix(2).map(\.text).joined(separator: "; ")
          + (differences.count > 2 ? "; and \(differences.count - 2) more" : "")
    case .unfinished: "it did not finish the last time"
    case .forced: "asked for"
    case .lost(let output): "its output '\(output)' is missing from the store or altered there"
    }
  }
}
