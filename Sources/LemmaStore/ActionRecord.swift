import LemmaBasics
import LemmaHash

/// The result of an action, to be recorded when everything that it refers to is durable.
public struct ActionRecord: Sendable {
  /// The digest of the action document.
  public var key: Digest
  /// Its seal, so that two documents with one XXH3-128 are two actions.
  public var documentSeal: Seal
  public var result: JSON

  public init(key: Digest, documentSeal: Seal, result: JSON) {
    self.key = key
    self.documentSeal = documentSeal
    self.result = result
  }
}
