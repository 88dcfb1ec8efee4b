/// The rank and the result of each pair of tokens that merges, by open addressing.
struct MergeTable: Sendable {
  private struct Slot {
    var pair: UInt64
    var rank: Int32
    var result: Int32
  }

  private var slots: [Slot]
  private let mask: Int

  /// A pair that stands in the list twice has its last rank.
  init(_ merges: [Tokenizer.Merge]) {
    var capacity = 64
    while capacity < 2 * merges.count { capacity *= 2 }
    mask = capacity - 1
    slots = Array(repeating: Slot(pair: 0, rank: -1, result: 0), count: capacity)
    for (rank, merge) in merges.enumerated() {
      let pair = Self.key(merge.pair.left, merge.pair.right)
      slots[find(pair)] = Slot(pair: pair, rank: Int32(rank), result: merge.result)
    }
  }

  @inline(__always) private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
  }

  @inline(__always) private func find(_ pair: UInt64) -> Int {
    let product = pair.multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
    var index = Int(truncatingIfNeeded: product.high ^ product.low) & mask
    while slots[index].rank >= 0, slots[index].pair != pair { index = (index + 1) & mask }
    return index
  }

  @inline(__always) func merge(_ left: Int32, _ right: Int32) -> (rank: Int32, result: Int32)? {
    let slot = slots[find(Self.key(left, right))]
    return slot.rank >= 0 ? (slot.rank, slot.result) : nil
  }
}
