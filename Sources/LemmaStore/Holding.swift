import LemmaHash

/// The packs and the files of their own that hold a folder's manifest and all its files. While every
/// stamp of them is the recorded one, the whole folder is sound: a hundred thousand files are vouched
/// for by a few.
struct Holding: Hashable {
  var packs: Set<Int64> = []
  var alone: Set<Identity> = []

  mutating func formUnion(_ other: Holding) {
    packs.formUnion(other.packs)
    alone.formUnion(other.alone)
  }

  mutating func insert(_ identity: Identity, at place: ObjectPlace) {
    switch place {
    case .packed(let pack, _): packs.insert(pack)
    case .alone: alone.insert(identity)
    }
  }

  /// The number of packs, then their numbers, then identities with their sizes; all of 8 bytes, the least
  /// significant first, but names as they are.
  var bytes: [UInt8] {
    var bytes: [UInt8] = []
    func append(_ word: UInt64) { withUnsafeBytes(of: word.littleEndian) { bytes += $0 } }
    append(UInt64(packs.count))
    for pack in packs.sorted() { append(UInt64(bitPattern: pack)) }
    for identity in alone.sorted(by: Index.precedes) {
      append(identity.size)
      bytes += identity.storedBytes
    }
    return bytes
  }

  init() {}

  /// Reads `bytes`; `nil` for anything else.
  init?(bytes: [UInt8]) {
    func word(_ offset: Int) -> UInt64 {
      bytes.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) }
    }
    guard bytes.count >= 8, word(0) <= UInt64(bytes.count / 8 - 1) else { return nil }
    let names = 8 + 8 * Int(word(0))
    let record = 8 + Identity.storedSize
    guard (bytes.count - names) % record == 0 else { return nil }
    for offset in stride(from: 8, to: names, by: 8) { packs.insert(Int64(bitPattern: word(offset))) }
    bytes.withUnsafeBytes { raw in
      for offset in stride(from: names, to: raw.count, by: record) {
        let name = UnsafeRawBufferPointer(rebasing: raw[(offset + 8)..<(offset + record)])
        alone.insert(Identity(loading: name, size: word(offset)))
      }
    }
  }
}
