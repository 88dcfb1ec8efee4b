import LemmaBasics
import LemmaHash
import LemmaPipeline

/// How a run went, stage by stage: what the command line shows and the ledger records.
public struct RunSummary: Sendable {
  public struct StageRecord: Sendable {
    public var stage: Stage
    public var outcome: Outcome
    public var action: ActionDocument?
    var inputs: [ResolvedInput]
    public var reason: Reason?
    public var result: ActionResult?

    public var failure: Failure? { if case .failed(let failure) = outcome { failure } else { nil } }
  }

  /// Seconds since the epoch.
  public var began: Int64
  public var seconds: Double
  public var wasCancelled: Bool
  /// In the pipeline's order.
  public var stages: [StageRecord]
}

extension RunSummary {
  /// How many stages ended with each word: `ran`, `cached`, `failed`, `cancelled`, `blocked`.
  public func count(_ word: String) -> Int { stages.count { $0.outcome.word == word } }

  public var failures: [Failure] {
    stages.compactMap(\.failure)
  }

  /// `complete`, `failed` or `interrupted`.
  public var status: String {
    if !failures.isEmpty { return "failed" }
    return stages.allSatisfy { ["ran", "cached"].contains($0.outcome.word) } ? "complete" : "interrupted"
  }
}
