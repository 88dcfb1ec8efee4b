import LemmaBasics
import LemmaHash

/// Making durable what was taken in, and only then recording what refers to it.
extension Store {
  /// Makes everything that was taken in before this call durable, then records it and `results` in
  /// one transaction. Threads may take in and flush at the same time. A result is recorded here and
  /// nowhere else, so that none refers to what a power cut could take away.
  /// - Throws: `Failure` when the disk is full or fails; then nothing of this call is recorded.
  public func flush(recording results: [ActionRecord] = []) throws {
    try index.record(results: results)
  }

  /// The store's files whose stamps vouch for an artifact: while all are unchanged, so is every byte
  /// of it. For a folder those of its manifest and of all its files.
  /// - Throws: `ObjectFault` when something of it is missing or altered.
  public func files(holding artifact: Artifact) throws -> [String] {
    var identities = [artifact.identity]
    if artifact.kind == .folder { identities += try tree(artifact.identity).files }
    return try Set(
      identities.map { identity in
        guard try isSound(identity) else { throw ObjectFault(identity: identity, reason: .missing) }
        return path(of: identity)
      }
    ).sorted()
  }
}
