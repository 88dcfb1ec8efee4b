/// A definition made ready for speed: the way of a text from added tokens through normalization and cutting to
/// merges.
final class CompiledTokenizer: Sendable {
  /// What calls in a row share.
  struct State {
    fileprivate var cache = PieceCache()
    fileprivate var scratch = MergeModel.Scratch()
  }

  let ids: ByteTable
  let isSpecial: Set<Int32>
  /// The bytes of each token of byte-level text; those of special tokens are empty.
  let tokenBytes: [[UInt8]]
  private let definition: TokenizerDefinition
  private let model: MergeModel
  private let finder: AddedTokenFinder
  private let normalizedFinder: AddedTokenFinder
  private let normalForms: [Int32: [UInt8]]

  init(_ definition: TokenizerDefinition) {
    self.definition = definition
    model = MergeModel(definition)
    let isSpecial = Set(definition.added.filter(\.isSpecial).map(\.id))
    self.isSpecial = isSpecial
    var ids = ByteTable(minimumCapacity: definition.spellings.count)
    for (id, spelling) in definition.spellings.enumerated() { ids.insert(spelling, Int32(id)) }
    self.ids = ids
    let asIs = definition.added.filter { !$0.isNormalized }
    finder = AddedTokenFinder(asIs, spellings: asIs.map(\.content))
    let normalized = definition.added.filter(\.isNormalized)
    let forms = normalized.map { token in
      var startsText = true
      return definition.normalize(token.content, startsText: &startsText)
    }
    normalizedFinder = AddedTokenFinder(normalized, spellings: forms)
    let normalForms = Dictionary(zip(normalized.lazy.map(\.id), forms)) { first, _ in first }
    self.normalForms = normalForms
    let spellings = definition.isByteLevel ? definition.spellings : []
    tokenBytes = spellings.enumerated().map { id, spelling in
      isSpecial.contains(Int32(id)) ? [] : TokenDecoding.byteLevelBytes(normalForms[Int32(id)] ?? spelling)
    }
  }

  /// What decoding makes text of: the spelling of a token, in its normal form if that is what is looked for.
  func form(_ id: Int32) -> [UInt8] { normalForms[id] ?? definition.spellings[Int(id)] }

  /// - Parameter text: UTF-8; any bytes where the definition is of the kind that Lemma trains.
  func encode(_ text: [UInt8], allowingSpecial: Bool, _ state: inout State) -> [Int32] {
    var result: [Int32] = []
    eachText(text, finder, allowingSpecial, into: &result) { part, startsText, result in
      if definition.normalization.isEmpty, !normalizedFinder.canFind(allowingSpecial: allowingSpecial) {
        return encode(part, startsText: startsText, into: &result, &state)
      }
      var startsText = startsText
      let normal = definition.normalize(Array(part), startsText: &startsText)
      eachText(normal, normalizedFinder, allowingSpecial, into: &result) { part, isFirst, result in
        encode(part, startsText: startsText && isFirst, into: &result, &state)
      }
    }
    return result
  }

  /// The added tokens that a text has, as it is or in its normal form.
  func addedTokens(in text: [UInt8]) -> [Int32] {
    var result: [Int32] = []
    eachText(text, finder, true, into: &result) { part, startsText, result in
      guard normalizedFinder.canFind(allowingSpecial: true) else { return }
      var startsText = startsText
      let normal = definition.normalize(Array(part), startsText: &startsText)
      eachText(normal, normalizedFinder, true, into: &result) { _, _, _ in }
    }
    return result
  }

  /// Appends the added tokens in a text, and calls `body` with what is between them and whether it comes first.
  private func eachText(
    _ text: [UInt8], _ finder: AddedTokenFinder, _ allowingSpecial: Bool, into result: inout [Int32],
    _ body: (UnsafeBufferPointer<UInt8>, Bool, inout [Int32]) -> Void
  ) {
    text.withUnsafeBufferPointer { buffer in
      for part in finder.parts(buffer, allowingSpecial: allowingSpecial) {
        switch part {
        case .token(let id): result.append(id)
        case .text(let range):
          body(UnsafeBufferPointer(rebasing: buffer[range]), range.lowerBound == 0, &result)
        }
      }
    }
  }

  /// Appends the ids of normalized text without added tokens.
  private func encode(
    _ text: UnsafeBufferPointer<UInt8>, startsText: Bool, into result: inout [Int32], _ state: inout State
  ) {
    if definition.splits == [.own] {
      PreTokenizer.split(text) { encodePiece(UnsafeBufferPointer(rebasing: text[$0]), into: &result, &state) }
      return
    }
    var pieces = Pieces(Array(text), startsText: startsText)
    for step in definition.splits { pieces.apply(step) }
    pieces.bytes.withUnsafeBufferPointer { buffer in
      for range in pieces.ranges {
        encodePiece(UnsafeBufferPointer(rebasing: buffer[range]), into: &result, &state)
      }
    }
  }

  @inline(__always)
  private func encodePiece(_ piece: UnsafeBufferPointer<UInt8>, into result: inout [Int32], _ state: inout State) {
    state.cache.append(piece, to: &result) { model.encode(piece, scratch: &state.scratch, into: &$0) }
  }
}
