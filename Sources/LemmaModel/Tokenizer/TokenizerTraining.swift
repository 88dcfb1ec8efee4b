import LemmaBasics

extension Tokenizer {
  /// The least vocabulary: every byte and the special token.
  public static let leastVocabularySize = 257

  /// Learns merges from `texts` by pair frequency (Sennrich et al., 2016). Of equally frequent pairs the one with
  /// the lower ids wins, so the result depends on nothing but the texts, whose order does not matter.
  ///
  /// The vocabulary ends up smaller than `vocabularySize` when no pair is left that occurs twice.
  /// - Throws: `Failure` when `vocabularySize` is below `leastVocabularySize` or above 1,000,000.
  public static func train(texts: some Sequence<String>, vocabularySize: Int) throws -> Tokenizer {
    guard (leastVocabularySize...1_000_000).contains(vocabularySize) else {
      throw Failure(
        .user, "vocabulary-size", "a vocabulary has \(leastVocabularySize) to 1000000 tokens, not \(vocabularySize)")
    }
    var trainer = PairTrainer(words: countPieces(texts))
    trainer.learn(until: vocabularySize)
    return Tokenizer(tokens: trainer.tokens, merges: trainer.merges, endOfText: 0)
  }

  private static func countPieces(_ texts: some Sequence<String>) -> [[UInt8]: Int] {
    var counts: [[UInt8]: Int] = [:]
    for text in texts {
      let bytes = Array(text.utf8)
      bytes.withUnsafeBufferPointer { buffer in
        PreTokenizer.split(buffer) { counts[Array(buffer[$0]), default: 0] += 1 }
      }
    }
    return counts
  }
}

/// Merges the most frequent pair again and again, keeping the pair counts as the words shrink.
private struct PairTrainer {
  /// A pair with the count it had when it was queued; the most frequent is the least.
  private struct Entry: Comparable {
    var count: Int
    var pair: Tokenizer.Pair

    static func < (a: Entry, b: Entry) -> Bool {
      (b.count, a.pair.left, a.pair.right) < (a.count, b.pair.left, b.pair.right)
    }
  }

  private(set) var tokens: [[UInt8]] = [[]] + (UInt8.min...UInt8.max).map { [$0] }
  private(set) var merges: [Tokenizer.Merge] = []
  private var ids: [[UInt8]: Int32] = [:]
  private var words: [[Int32]] = []
  private var wordCounts: [Int] = []
  private var counts: [Tokenizer.Pair: Int] = [:]
  /// Where a pair occurs or once occurred.
  private var places: [Tokenizer.Pair: Set<Int>] = [:]
  private var queue = Heap<Entry>()

  init(words pieces: [[UInt8]: Int]) {
    for (id, token) in tokens.enumerated().dropFirst() { ids[token] = Int32(id) }
    for (bytes, count) in pieces where bytes.count > 1 {
      words.append(bytes.map { Int32($0) + 1 })
      wordCounts.append(count)
      _ = recount(words.count - 1, sign: 1)
    }
    for (pair, count) in counts { queue.push(Entry(count: count, pair: pair)) }
  }

  /// Adds or takes away the pairs of a word; returns them.
  private mutating func recount(_ word: Int, sign: Int) -> Set<Tokenizer.Pair> {
    var touched: Set<Tokenizer.Pair> = []
    for (left, right) in zip(words[word], words[word].dropFirst()) {
      let pair = Tokenizer.Pair(left: left, right: right)
      counts[pair, default: 0] += sign * wordCounts[word]
      if sign > 0 { places[pair, default: []].insert(word) }
      touched.insert(pair)
    }
    return touched
  }

  mutating func learn(until size: Int) {
    while tokens.count < size, let entry = queue.pop() {
      let current = counts[entry.pair] ?? 0
      if current != entry.count {
        if current > 1 { queue.push(Entry(count: current, pair: entry.pair)) }
        continue
      }
      if current < 2 { break }
      merge(entry.pair)
    }
  }

  private mutating func merge(_ pair: Tokenizer.Pair) {
    let bytes = tokens[Int(pair.left)] + tokens[Int(pair.right)]
    // Another pair may have spelt the same token before.
    let result = ids[bytes] ?? Int32(tokens.count)
    if result == tokens.count {
      tokens.append(bytes)
      ids[bytes] = result
    }
    merges.append(Tokenizer.Merge(pair: pair, result: result))
    var touched: Set<Tokenizer.Pair> = []
    for word in places.removeValue(forKey: pair) ?? [] {
      _ = recount(word, sign: -1)
      words[word] = replace(pair, by: result, in: words[word])
      touched.formUnion(recount(word, sign: 1))
    }
    counts[pair] = nil
    for pair in touched { queue.push(Entry(count: counts[pair] ?? 0, pair: pair)) }
  }

  private func replace(_ pair: Tokenizer.Pair, by result: Int32, in word: [Int32]) -> [Int32] {
    var merged: [Int32] = []
    var index = 0
    while index < word.count {
      if index + 1 < word.count, word[index] == pair.left, word[index + 1] == pair.right {
        merged.append(result)
        index += 2
      } else {
        merged.append(word[index])
        index += 1
      }
    }
    return merged
  }
}
