/// A map from byte strings to numbers by open addressing. Unlike a dictionary of `String` it tells apart what Unicode
/// holds equal, and it is asked with a slice of a text without copying it.
struct ByteTable: Sendable {
  private struct Slot {
    var offset: Int32
    var count: Int32
    var hash: UInt32
    var value: Int32
  }

  private var slots: [Slot]
  private var keys: [UInt8] = []
  /// Nobody can choose keys that fall on one slot. The order of slots never shows.
  private let seed = UInt64.random(in: .min ... .max)
  private(set) var count = 0

  init(minimumCapacity: Int = 64) {
    var capacity = 64
    while capacity < 2 * minimumCapacity { capacity *= 2 }
    slots = Array(repeating: Slot(offset: -1, count: 0, hash: 0, value: 0), count: capacity)
  }

  /// The bytes of all keys together.
  var size: Int { keys.count }

  private func hash(_ key: UnsafeBufferPointer<UInt8>) -> UInt32 {
    var hash = seed ^ UInt64(truncatingIfNeeded: key.count)
    var index = 0
    while index + 8 <= key.count {
      let word = UnsafeRawPointer(key.baseAddress! + index).loadUnaligned(as: UInt64.self)
      hash = Self.mix(hash ^ word)
      index += 8
    }
    var rest: UInt64 = 0
    while index < key.count {
      rest = rest << 8 | UInt64(key[index])
      index += 1
    }
    return UInt32(truncatingIfNeeded: Self.mix(hash ^ rest) >> 16)
  }

  @inline(__always) private static func mix(_ value: UInt64) -> UInt64 {
    let product = value.multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
    return product.high ^ product.low
  }

  /// The slot of a key, or the empty slot where it belongs.
  private func find(_ key: UnsafeBufferPointer<UInt8>, _ hash: UInt32) -> Int {
    let mask = slots.count - 1
    var index = Int(hash) & mask
    return slots.withUnsafeBufferPointer { slots in
      keys.withUnsafeBufferPointer { keys in
        while slots[index].offset >= 0 {
          let slot = slots[index]
          if slot.hash == hash, slot.count == key.count, isEqual(keys, Int(slot.offset), key) { return index }
          index = (index + 1) & mask
        }
        return index
      }
    }
  }

  @inline(__always)
  private func isEqual(_ keys: UnsafeBufferPointer<UInt8>, _ offset: Int, _ key: UnsafeBufferPointer<UInt8>) -> Bool {
    for index in 0..<key.count where keys[offset + index] != key[index] { return false }
    return true
  }

  /// Nil when the key is not in the table.
  func value(_ key: UnsafeBufferPointer<UInt8>) -> Int32? {
    let slot = slots[find(key, hash(key))]
    return slot.offset >= 0 ? slot.value : nil
  }

  func value(_ key: [UInt8]) -> Int32? { key.withUnsafeBufferPointer { value($0) } }

  /// Sets the value of a key.
  /// - Returns: false when it had one already, which then stays.
  @discardableResult
  mutating func insert(_ key: UnsafeBufferPointer<UInt8>, _ value: Int32) -> Bool {
    if 2 * (count + 1) > slots.count { grow() }
    let hash = hash(key)
    let index = find(key, hash)
    guard slots[index].offset < 0 else { return false }
    slots[index] = Slot(offset: Int32(keys.count), count: Int32(key.count), hash: hash, value: value)
    keys.append(contentsOf: key)
    count += 1
    return true
  }

  @discardableResult
  mutating func insert(_ key: [UInt8], _ value: Int32) -> Bool { key.withUnsafeBufferPointer { insert($0, value) } }

  private mutating func grow() {
    let old = slots
    slots = Array(repeating: Slot(offset: -1, count: 0, hash: 0, value: 0), count: 2 * old.count)
    let mask = slots.count - 1
    for slot in old where slot.offset >= 0 {
      var index = Int(slot.hash) & mask
      while slots[index].offset >= 0 { index = (index + 1) & mask }
      slots[index] = slot
    }
  }
}
