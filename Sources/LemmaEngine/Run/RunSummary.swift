import LemmaBasics
import LemmaHash
import LemmaPipeline

/// How a run went: what the command line shows and the ledger records. Stages that are as the last run
/// left them have no record here.
public struct RunSummary: Sendable {
  public struct StageRecord: Sendable {
    /// The stage's number in the pipeline's order.
    public var number: Int
    public var stage: Stage
    public var outcome: Outcome
    public var action: ActionDocument?
    var inputs: [ResolvedInput]
    /// What a second execution gives; nil when the stage was not looked at.
    public var determinism: Determinism?
    public var reason: Reason?
    public var result: ActionResult?
    /// The files its action was made from, as far as it was looked at.
    var watches: [Watch]

    /// Why it ran, or why it did not, in one line.
    public var reasonText: String {
      if let reason { return reason.text }
      if case .cached = outcome, action == nil { return "its outputs were put back into the workspace" }
      return outcome.words
    }

    public var failure: Failure? { if case .failed(let failure) = outcome { failure } else { nil } }
  }

  /// Why a stage did not run that has no record.
  public static let unchanged = "nothing that it depends on changed"

  /// What is known of a stage after the run.
  enum State: Sendable {
    /// As the last run left it, but maybe for its place in the workspace.
    case unchanged
    /// Looked at in this run, with a result.
    case examined
    /// Not asked for, and not known to be up to date.
    case skipped
    /// Failed, cancelled or never started.
    case open
  }

  /// Seconds since the epoch.
  public var began: Int64
  public var seconds: Double
  public var wasCancelled: Bool
  /// In the pipeline's order.
  public var records: [StageRecord]
  /// By stage number.
  var states: [State]
}

extension RunSummary {
  /// How many stages ended with each word: `ran`, `cached`, `failed`, `cancelled`, `blocked`,
  /// `skipped`.
  public func count(_ word: String) -> Int {
    switch word {
    case "cached": states.count { $0 == .unchanged } + records.count { $0.action != nil && $0.outcome.word == word }
    case "skipped": states.count { $0 == .skipped }
    default: records.count { $0.outcome.word == word }
    }
  }

  public var stageCount: Int { states.count }

  /// A run that found everything up to date.
  public static func unchanged(stages: Int, began: Int64, seconds: Double) -> RunSummary {
    RunSummary(
      began: began, seconds: seconds, wasCancelled: false, records: [],
      states: Array(repeating: .unchanged, count: stages))
  }

  public var failures: [Failure] { records.compactMap(\.failure) }

  /// `complete`, `failed` or `interrupted`.
  public var status: String {
    if !failures.isEmpty { return "failed" }
    return records.allSatisfy { ["ran", "cached"].contains($0.outcome.word) } ? "complete" : "interrupted"
  }
}
