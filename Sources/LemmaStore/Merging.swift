import Glibc
import LemmaBasics
import LemmaHash

/// Writing packs anew: many small ones as one, or one without what is not needed any more.
extension Store {
  /// So many small packs are merged when a process begins to write.
  private static let tooMany = 48
  /// A pack below this size is small, bytes.
  private static let small: Int64 = 8 << 20

  /// Merges the small packs when there are many: every run that computes anything leaves one.
  func mergeSmallPacks() throws {
    let small = try index.packs().filter { $0.value != Stamp.none && $0.value.size < Store.small }.keys.sorted()
    if small.count >= Store.tooMany { try merge(small, forgetting: []) }
  }

  /// Copies the objects of some packs into a new one, points the index there in one transaction, then
  /// removes the old ones. A kill before the transaction leaves a pack that nobody knows, one after it
  /// packs that nobody knows: both are adopted, and go when they have nothing new. Packs that a living
  /// process writes are left alone, and altered objects are left behind in quarantine.
  func merge(_ packs: [Int64], forgetting doomed: Set<Identity>) throws {
    let writer = try PackWriter(in: root)
    var moved: [(identity: Identity, pack: Int64, offset: Int64)] = []
    var altered: [Identity] = []
    var emptied: [OpenPack] = []
    var numbers: [Int64] = []
    var hasher = ContentHasher()
    do {
      for pack in packs {
        guard let file = try OpenPack(PackFormat.path(of: pack, in: root)),
          flock(file.descriptor, LOCK_EX | LOCK_NB) == 0
        else { continue }
        for (identity, offset) in try index.members(ofPack: pack).sorted(by: { $0.offset < $1.offset })
        where !doomed.contains(identity) {
          let bytes = try file.read(Int(identity.size), at: offset)
          guard bytes.withUnsafeBytes({ hasher.identity(of: $0) }) == identity else {
            try keepAside(bytes, of: identity)
            altered.append(identity)
            continue
          }
          moved.append((identity, writer.pack, try bytes.withUnsafeBytes { try writer.append(identity, $0) }))
        }
        emptied.append(file)
        numbers.append(pack)
      }
      try writer.writeOut()
      guard fsync(writer.descriptor) == 0 else { throw Failure.system("fsync", path: writer.path, errno: errno) }
      try Files.syncFolder("\(root)/packs")
      try index.move(moved, to: writer.stamp ?? Stamp.none, from: numbers, forgetting: doomed.union(altered))
    } catch {
      writer.abandon()
      throw error
    }
    for (file, number) in zip(emptied, numbers) {
      openPacks.forget(number)
      unlink(file.path)
    }
    if moved.isEmpty { unlink(writer.path) }
  }
}
