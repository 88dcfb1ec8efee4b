import LemmaBasics
import LemmaEngine
import LemmaHash
import LemmaLedger
import LemmaStore

/// The proof of where a number came from: every step from it back to the sources, with every
/// digest on the way computed anew, and every fault by name.
public struct Audit: Sendable {
  /// One stage on the way, the audited one first.
  public struct Step: Sendable {
    public var stage: String
    public var kind: String
    public var configuration: JSON
    public var actionKey: String
    /// The run that executed it: number and commit.
    public var executedIn: (number: Int, commit: String)?
    public var inputs: [Link]
    public var outputs: [Link]
    public var metrics: [String: JSON]
  }

  /// An artifact under its role, and where it came from.
  public struct Link: Sendable {
    public var name: String
    public var artifact: Artifact
    public var origin: String
    /// Rows, where it is a dataset.
    public var rows: Int?
  }

  public struct Fault: Sendable, Hashable {
    /// The object, commit or file at fault.
    public var subject: String
    public var message: String
  }

  public var target: Target
  public var run: RecordedRun
  /// From `run.json`: the program, the platform, the parameters.
  public var circumstances: JSON
  public var steps: [Step]
  public var faults: [Fault]
  /// What is worth knowing and no fault, such as a source that has changed since.
  public var notes: [String]
  /// How many objects had both names computed anew.
  public var objectsVerified: Int
  /// How many commits of the ledger were read back.
  public var commitsVerified: Int

  public var isSound: Bool { faults.isEmpty }
}

extension RecordedStage.Origin {
  var text: String {
    switch self {
    case .source(let name): "source \(name)"
    case .path(let path): "file \(path)"
    case .stage(let id, let output): "\(id).\(output)"
    }
  }
}
