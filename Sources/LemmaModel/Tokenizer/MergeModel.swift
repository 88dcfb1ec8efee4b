/// Turns a piece of text into tokens by merging pairs (Sennrich et al., 2016), made from a definition for speed.
struct MergeModel: Sendable {
  private let merges: MergeTable
  /// The token of each byte of byte-level text, or that stands in for a byte; -1 where there is none.
  private let byteIDs: [Int32]
  /// The token of each scalar; those of ASCII apart, -1 where there is none.
  private let asciiIDs: [Int32]
  private let scalarIDs: [UInt32: Int32]
  /// Whole pieces that are a token; nil when merges decide alone.
  private let pieces: ByteTable?
  /// The spellings of tokens; needed only where symbols have a prefix or a suffix.
  private let vocabulary: ByteTable?
  private let isByteLevel: Bool
  private let fallsBack: Bool
  private let unknown: Int32?
  private let fusesUnknown: Bool
  private let prefix: [UInt8]
  private let suffix: [UInt8]

  init(_ definition: TokenizerDefinition) {
    merges = MergeTable(definition.merges)
    isByteLevel = definition.isByteLevel
    unknown = definition.unknown
    fusesUnknown = definition.fusesUnknown
    prefix = definition.continuingPrefix
    suffix = definition.endSuffix
    // No spelling in a text makes a special token: that is for who looks for them.
    let special = Set(definition.added.lazy.filter(\.isSpecial).map(\.id))
    var bytes = [Int32](repeating: -1, count: 256)
    var fallback = bytes
    var ascii = bytes
    var scalars: [UInt32: Int32] = [:]
    var whole = ByteTable(minimumCapacity: definition.ignoresMerges ? definition.spellings.count : 0)
    var spellings = ByteTable()
    let hasAffixes = !prefix.isEmpty || !suffix.isEmpty
    for (index, spelling) in definition.spellings.enumerated() where definition.isInModel[index] {
      let id = Int32(index)
      if special.contains(id) { continue }
      if definition.isByteLevel {
        let content = TokenDecoding.alphabetBytes(spelling)
        if let content, content.count == 1 { bytes[Int(content[0])] = id }
        if definition.ignoresMerges, let content { whole.insert(content, id) }
      } else {
        let isScalar = spelling.count <= 4 && UTF8Text.length(spelling[0]) == spelling.count
        if isScalar {
          let scalar = spelling.withUnsafeBufferPointer { UTF8Text.scalar($0, 0) }
          if scalar.isASCII { ascii[Int(scalar.value)] = id } else { scalars[scalar.value] = id }
        }
        if definition.ignoresMerges { whole.insert(spelling, id) }
      }
      if hasAffixes { spellings.insert(spelling, id) }
      if let byte = TokenDecoding.byte(spelling), !spelling.contains(where: { (97...122).contains($0) && $0 != 120 }) {
        fallback[Int(byte)] = id
      }
    }
    fallsBack = definition.fallsBackToBytes
    byteIDs = definition.isByteLevel ? bytes : fallback
    asciiIDs = ascii
    scalarIDs = scalars
    pieces = definition.ignoresMerges ? whole : nil
    vocabulary = hasAffixes ? spellings : nil
  }

  /// Whether every text has tokens.
  var coversAllText: Bool { (isByteLevel || fallsBack) && vocabulary == nil && byteIDs.allSatisfy { $0 >= 0 } }

  /// The memory of one call, kept for the next.
  struct Scratch {
    fileprivate var ids: [Int32] = []
    fileprivate var next: [Int32] = []
    fileprivate var previous: [Int32] = []
    /// Rank and position of what may merge.
    fileprivate var queue = Heap<UInt64>()
  }

  /// Appends the tokens of a piece.
  func encode(_ piece: UnsafeBufferPointer<UInt8>, scratch: inout Scratch, into result: inout [Int32]) {
    if let id = pieces?.value(piece) {
      result.append(id)
      return
    }
    scratch.ids.removeAll(keepingCapacity: true)
    if vocabulary != nil {
      appendAffixedSymbols(piece, to: &scratch.ids)
    } else if isByteLevel, unknown == nil {
      for byte in piece where byteIDs[Int(byte)] >= 0 { scratch.ids.append(byteIDs[Int(byte)]) }
    } else {
      appendSymbols(piece, to: &scratch.ids)
    }
    merge(&scratch, into: &result)
  }

  private func appendSymbols(_ piece: UnsafeBufferPointer<UInt8>, to ids: inout [Int32]) {
    var pending: Int32?
    if isByteLevel {
      for byte in piece { append(byteIDs[Int(byte)], fallback: nil, &pending, to: &ids) }
    } else {
      var index = 0
      while index < piece.count {
        let lead = piece[index]
        let end = min(index + UTF8Text.length(lead), piece.count)
        let id = lead < 0x80 ? asciiIDs[Int(lead)] : scalarIDs[UTF8Text.scalar(piece, index).value] ?? -1
        append(id, fallback: UnsafeBufferPointer(rebasing: piece[index..<end]), &pending, to: &ids)
        index = end
      }
    }
    if let pending { ids.append(pending) }
  }

  /// Appends a symbol, or what stands for one without a token: its bytes, or the unknown token, which waits in
  /// `pending` for others to fuse with. Bytes do not end the wait, as in `tokenizers`.
  @inline(__always)
  private func append(
    _ id: Int32, fallback: UnsafeBufferPointer<UInt8>?, _ pending: inout Int32?, to ids: inout [Int32]
  ) {
    if id >= 0 {
      if let unknown = pending { ids.append(unknown) }
      pending = nil
      ids.append(id)
    } else if fallsBack, !isByteLevel, let fallback, fallback.allSatisfy({ byteIDs[Int($0)] >= 0 }) {
      for byte in fallback { ids.append(byteIDs[Int(byte)]) }
    } else if let unknown {
      if let pending, !fusesUnknown { ids.append(pending) }
      pending = unknown
    }
  }

  private func appendAffixedSymbols(_ piece: UnsafeBufferPointer<UInt8>, to ids: inout [Int32]) {
    var pending: Int32?
    let text = isByteLevel ? Array(ByteAlphabet.text(piece).utf8) : Array(piece)
    text.withUnsafeBufferPointer { text in
      UTF8Text.eachScalar(text) { _, range in
        var spelling = Array(text[range])
        if range.lowerBound > 0 { spelling = prefix + spelling }
        if range.upperBound == text.count { spelling += suffix }
        append(vocabulary?.value(spelling) ?? -1, fallback: nil, &pending, to: &ids)
      }
    }
    if let pending { ids.append(pending) }
  }

  /// Applies the lowest-ranked merge, leftmost first, until none applies: O(n log n) in the piece's length.
  private func merge(_ scratch: inout Scratch, into result: inout [Int32]) {
    let count = scratch.ids.count
    if count < 2 {
      result += scratch.ids
      return
    }
    // A linked list over positions; a merged-away position has a negative id.
    scratch.next.removeAll(keepingCapacity: true)
    scratch.previous.removeAll(keepingCapacity: true)
    for position in 0..<count {
      scratch.next.append(Int32(position + 1))
      scratch.previous.append(Int32(position - 1))
    }
    func queue(_ position: Int) {
      let other = Int(scratch.next[position])
      guard other < count, let (rank, _) = merges.merge(scratch.ids[position], scratch.ids[other]) else { return }
      scratch.queue.push(UInt64(rank) << 32 | UInt64(position))
    }
    for position in 0..<count - 1 { queue(position) }
    while let candidate = scratch.queue.pop() {
      let position = Int(candidate & 0xFFFF_FFFF)
      guard scratch.ids[position] >= 0 else { continue }
      let gone = Int(scratch.next[position])
      guard gone < count, let (rank, merged) = merges.merge(scratch.ids[position], scratch.ids[gone]),
        rank == Int32(candidate >> 32)
      else { continue }
      scratch.ids[position] = merged
      scratch.ids[gone] = -1
      let after = scratch.next[gone]
      scratch.next[position] = after
      if after < count { scratch.previous[Int(after)] = Int32(position) }
      queue(position)
      if scratch.previous[position] >= 0 { queue(Int(scratch.previous[position])) }
    }
    for id in scratch.ids where id >= 0 { result.append(id) }
  }
}
