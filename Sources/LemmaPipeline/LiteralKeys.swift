import LemmaBasics

/// Keys that stand in a text for everybody to read. The text goes into the ledger as it is, comments and
/// all, so it is searched as it is.
extension Diagnostics {
  /// A failure for every line that looks as if it held a key.
  func literalKeys() -> [Failure] {
    text.bytes.withUnsafeBufferPointer { bytes in
      var found: [Failure] = []
      var offset = 0
      while found.count < Self.limit, let match = KeyShapes.first(in: bytes, from: offset) {
        found.append(
          Failure(
            .user, "literal-key", "this looks like \(match.name); a pipeline file is kept in every run's record",
            at: text.position(ofByte: match.range.lowerBound),
            hint:
              "write env: { NAME: env:NAME } and set NAME where you run; a key that was in a file is known: renew it"
          ))
        offset = match.range.upperBound
      }
      return found
    }
  }
}
