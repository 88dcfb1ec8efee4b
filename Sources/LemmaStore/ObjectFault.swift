import LemmaBasics
import LemmaHash

/// An object that cannot be served: the one error of the store that a run mends by itself, by
/// rebuilding what made the object.
public struct ObjectFault: Error, Hashable, Sendable {
  public enum Reason: String, Sendable {
    case missing
    /// Its bytes are not those of its name. The file is in quarantine.
    case altered
  }

  public var identity: Identity
  public var reason: Reason

  public init(identity: Identity, reason: Reason) {
    self.identity = identity
    self.reason = reason
  }

  /// The same fault as a message for people.
  public var failure: Failure {
    Failure(
      .store, "object-\(reason.rawValue)",
      "object \(identity.digest.hex) (sha256 \(identity.seal.hex), \(identity.size) bytes) is \(reason.rawValue)",
      hint: "'lemma run' rebuilds it; sources are taken from the workspace again")
  }
}

extension ObjectFault: CustomStringConvertible {
  public var description: String { failure.description }
}
