/// Repeatable random numbers for data: a stream of its own for every (seed, key), so that a row
/// added, left out or retried changes no other row. SplitMix64 (Steele, Lea and Flood, 2014).
public struct RandomStream: Sendable {
  private var state: UInt64

  /// The stream of `key` under `seed`; the order of the parts of `key` matters.
  public init(seed: UInt64, key: UInt64...) {
    state = key.reduce(mix(seed &+ golden)) { mix(($0 ^ mix($1 &+ golden)) &+ golden) }
  }

  /// The stream of a row's id, or of any other text, under `seed`.
  public init(seed: UInt64, id: String) {
    self.init(seed: seed, key: fingerprint(id.utf8))
  }

  public mutating func next() -> UInt64 {
    state &+= golden
    return mix(state)
  }

  /// A uniform number in `0..<bound` (Lemire's multiplication, without bias).
  /// - Precondition: `bound > 0`.
  public mutating func below(_ bound: Int) -> Int {
    precondition(bound > 0, "a choice needs at least one possibility")
    let bound = UInt64(bound)
    var product = next().multipliedFullWidth(by: bound)
    let threshold = (0 &- bound) % bound
    while product.low < threshold { product = next().multipliedFullWidth(by: bound) }
    return Int(product.high)
  }

  /// A uniform number in `range`.
  public mutating func within(_ range: ClosedRange<Int>) -> Int { range.lowerBound + below(range.count) }

  /// A uniform element; `nil` of nothing.
  public mutating func choose<C: RandomAccessCollection>(_ elements: C) -> C.Element? {
    elements.isEmpty ? nil : elements[elements.index(elements.startIndex, offsetBy: below(elements.count))]
  }

  /// A uniform real number in `0..<1`, of 53 bits.
  public mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// An index chosen in proportion to `weights`; `nil` when they sum to nothing.
  public mutating func weighted(_ weights: [Double]) -> Int? {
    let total = weights.reduce(0, +)
    guard total > 0 else { return nil }
    var left = unit() * total
    for (index, weight) in weights.enumerated() where weight > 0 {
      if left < weight { return index }
      left -= weight
    }
    return weights.lastIndex { $0 > 0 }
  }

  /// `elements` in a random order (Fisher and Yates).
  public mutating func shuffled<T>(_ elements: [T]) -> [T] {
    var result = elements
    guard result.count > 1 else { return result }
    for last in stride(from: result.count - 1, to: 0, by: -1) { result.swapAt(last, below(last + 1)) }
    return result
  }
}

/// A 64-bit name of some bytes for choosing and for tables in memory (FNV-1a, then mixed); a row's
/// identity is a `Digest`.
public func fingerprint(_ bytes: some Sequence<UInt8>) -> UInt64 {
  mix(bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 })
}

private let golden: UInt64 = 0x9E37_79B9_7F4A_7C15

private func mix(_ value: UInt64) -> UInt64 {
  var z = value
  z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
  z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
  return z ^ (z >> 31)
}
