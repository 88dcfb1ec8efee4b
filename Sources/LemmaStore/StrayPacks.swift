import Glibc
import LemmaBasics
import LemmaHash

/// Packs that the index knows nothing of: their writer died before its first flush, a merging of packs
/// was cut short, or the index was lost. What is in them is found again.
extension Store {
  /// The numbers of the packs in the folder.
  static func packsOnDisk(_ root: String) throws -> Set<Int64> {
    guard Files.exists("\(root)/packs") else { return [] }
    return Set(try Files.list("\(root)/packs").compactMap(PackFormat.number))
  }

  /// Adopts the packs that no living process writes and the index does not know.
  func adoptStrays() throws {
    let strays = try Store.packsOnDisk(root).subtracting(index.packs().keys)
    if strays.isEmpty { return }
    try index.update { try Store.adopt(strays, in: root, $0) }
  }

  /// Takes the objects of some packs into the index, as far as it has them nowhere else. Nothing vouches
  /// for such a pack, so that its objects are hashed before they count. A pack that has nothing new goes.
  static func adopt(_ packs: Set<Int64>, in root: String, _ database: Database) throws {
    for pack in packs.sorted() {
      let path = PackFormat.path(of: pack, in: root)
      let descriptor = Glibc.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
      guard descriptor >= 0 else {
        // One that cannot be read keeps nobody from working; a verification names it.
        continue
      }
      defer { close(descriptor) }
      guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { continue }
      var isNew = false
      try PackFormat.scan(descriptor, path: path) { identity, offset, _ in
        if try database.isPacked(identity) { return }
        try database.setPlace(of: identity, pack: pack, offset: offset)
        isNew = true
      }
      if isNew {
        // A result will count on it from now on.
        guard fsync(descriptor) == 0 else { throw Failure.system("fsync", path: path, errno: errno) }
        try database.setPack(pack, Stamp.none)
      } else {
        unlink(path)
      }
    }
  }
}
