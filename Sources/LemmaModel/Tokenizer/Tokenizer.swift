/// A byte-level BPE tokenizer: any text to token ids and back, without loss. Digits are always single tokens.
/// It knows nothing of models; its file is in `TokenizerFile.swift`, its training in `TokenizerTraining.swift`.
public struct Tokenizer: Hashable, Sendable {
  /// The one special token: it ends a response, and pads. In a text its spelling is ordinary characters.
  public static let endOfTextSpelling = "<|endoftext|>"

  struct Pair: Hashable, Sendable {
    var left: Int32
    var right: Int32
  }

  struct Merge: Hashable, Sendable {
    var pair: Pair
    var result: Int32
  }

  /// The bytes of each token; those of the special token are empty.
  let tokens: [[UInt8]]
  let merges: [Merge]
  /// The id of the token that ends a text.
  public let endOfText: Int32
  private let byteIDs: [Int32]
  private let ranks: [Pair: Int32]

  /// - Precondition: every byte is a token, and merges name tokens that exist.
  init(tokens: [[UInt8]], merges: [Merge], endOfText: Int32) {
    self.tokens = tokens
    self.merges = merges
    self.endOfText = endOfText
    var byteIDs = [Int32](repeating: 0, count: 256)
    for (id, bytes) in tokens.enumerated() where bytes.count == 1 { byteIDs[Int(bytes[0])] = Int32(id) }
    self.byteIDs = byteIDs
    var ranks: [Pair: Int32] = [:]
    for (rank, merge) in merges.enumerated() { ranks[merge.pair] = Int32(rank) }
    self.ranks = ranks
  }

  /// The number of ids, the special one included.
  public var vocabularySize: Int { tokens.count }

  /// The ids of a text. The spelling of the special token in it is ordinary text, so data cannot end a response.
  public func encode(_ text: String) -> [Int32] {
    var cache: [ArraySlice<UInt8>: [Int32]] = [:]
    return encode(Array(text.utf8), cache: &cache)
  }

  /// The ids of many texts; faster than one by one, since they share most pieces.
  public func encode(_ texts: [String]) -> [[Int32]] {
    var cache: [ArraySlice<UInt8>: [Int32]] = [:]
    return texts.map { encode(Array($0.utf8), cache: &cache) }
  }

  /// The ids of any bytes, whether they are text or not.
  public func encode(bytes: [UInt8]) -> [Int32] {
    var cache: [ArraySlice<UInt8>: [Int32]] = [:]
    return encode(bytes, cache: &cache)
  }

  private func encode(_ bytes: [UInt8], cache: inout [ArraySlice<UInt8>: [Int32]]) -> [Int32] {
    var ids: [Int32] = []
    bytes.withUnsafeBufferPointer { buffer in
      PreTokenizer.split(buffer) { range in
        let piece = bytes[range]
        if let known = cache[piece] {
          ids += known
        } else {
          let found = merge(piece)
          // Long pieces are rarely seen twice.
          if piece.count <= 64 { cache[piece] = found }
          ids += found
        }
      }
    }
    return ids
  }

  private struct Candidate: Comparable {
    var rank: Int32
    var position: Int

    static func < (a: Candidate, b: Candidate) -> Bool { (a.rank, a.position) < (b.rank, b.position) }
  }

  /// Applies the lowest-ranked merge, leftmost first, until none applies: O(n log n) in the piece's length.
  private func merge(_ piece: ArraySlice<UInt8>) -> [Int32] {
    var ids = piece.map { byteIDs[Int($0)] }
    if ids.count == 1 { return ids }
    // A linked list over positions; a merged-away position has no next.
    var next = Array(1...ids.count)
    var previous = Array(-1..<ids.count - 1)
    var isGone = [Bool](repeating: false, count: ids.count)
    var queue = Heap<Candidate>()
    func rank(at position: Int) -> Int32? {
      let other = next[position]
      return other < ids.count ? ranks[Pair(left: ids[position], right: ids[other])] : nil
    }
    for position in ids.indices {
      if let rank = rank(at: position) { queue.push(Candidate(rank: rank, position: position)) }
    }
    while let candidate = queue.pop() {
      let position = candidate.position
      guard !isGone[position], rank(at: position) == candidate.rank else { continue }
      let gone = next[position]
      ids[position] = merges[Int(candidate.rank)].result
      isGone[gone] = true
      next[position] = next[gone]
      if next[gone] < ids.count { previous[next[gone]] = position }
      if let rank = rank(at: position) { queue.push(Candidate(rank: rank, position: position)) }
      let before = previous[position]
      if before >= 0, let rank = rank(at: before) { queue.push(Candidate(rank: rank, position: before)) }
    }
    return ids.indices.filter { !isGone[$0] }.map { ids[$0] }
  }

  /// The bytes of `ids`; the special token and ids outside the vocabulary have none.
  public func bytes(_ ids: some Sequence<Int32>) -> [UInt8] {
    ids.flatMap { tokens.indices.contains(Int($0)) ? tokens[Int($0)] : [] }
  }

  /// The text of `ids`; bytes that are not UTF-8 become U+FFFD.
  public func decode(_ ids: some Sequence<Int32>) -> String { String(decoding: bytes(ids), as: UTF8.self) }
}
