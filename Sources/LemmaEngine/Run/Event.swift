import LemmaBasics

/// How far a stage is, in its own units.
public struct Progress: Sendable {
  /// What is counted: `rows`, `steps`, `problems`.
  public var unit: String
  public var done: Int
  public var total: Int
  /// What else is worth seeing, such as `loss 0.41 · 18210 tokens/s`.
  public var detail: String

  public init(unit: String, done: Int, total: Int, detail: String = "") {
    self.unit = unit
    self.done = done
    self.total = total
    self.detail = detail
  }
}

/// What a run tells while it goes on. Events come from several threads; those of one stage in order.
public enum Event: Sendable {
  /// How many stages are looked at, and how many are known to be unchanged.
  case began(stages: Int, unchanged: Int)
  case started(stage: String, reason: String)
  case progress(stage: String, Progress)
  /// The stage's output was put into the workspace.
  case restored(stage: String, path: String)
  case finished(stage: String, Outcome)
  case note(String)
}

/// How a stage ended in a run.
public enum Outcome: Sendable {
  case ran(seconds: Double)
  /// Its result was known: nothing ran.
  case cached
  case failed(Failure)
  case cancelled
  /// It did not start, since a stage before it failed or the run was stopped.
  case blocked
}

extension Outcome {
  /// The word in the ledger.
  public var word: String {
    switch self {
    case .ran: "ran"
    case .cached: "cached"
    case .failed: "failed"
    case .cancelled: "cancelled"
    case .blocked: "blocked"
    }
  }

  /// The outcome where there is no other reason to give.
  var words: String {
    switch self {
    case .ran: "it ran"
    case .cached: "its result was known"
    case .failed: "it failed"
    case .cancelled: "the run was stopped"
    case .blocked: "a stage before it failed, or the run was stopped"
    }
  }
}
