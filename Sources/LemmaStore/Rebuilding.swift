import Glibc
import LemmaBasics
import LemmaHash

/// Making the index anew from what lies in the store.
extension Store {
  /// What making the index anew came to.
  public struct Rebuilt: Sendable {
    /// Objects found in packs; those with files of their own are found by their names when they are asked for.
    public var packedObjects = 0
    /// Where the old index was put, when it was damaged; then results are gone too, and come from the
    /// ledger, by `flush(recording:)`.
    public var aside: String?
  }

  /// Finds every object again by reading the packs. A whole index keeps what it knows of actions,
  /// workspaces and files; a damaged one is put aside. Whatever nothing vouches for any more is hashed
  /// when it is next needed.
  /// - Throws: `Failure` of code `store-in-use` while another process writes to the store, or of code
  ///   `index-newer` when the index is of a later version.
  public func rebuildIndex() throws -> Rebuilt {
    if index.isReadOnly { throw readOnly() }
    let alone = try useAlone()
    defer { withExtendedLifetime(alone) {} }
    var rebuilt = Rebuilt()
    rebuilt.aside = try index.renew()
    for stray in try Files.list(root) where stray.hasSuffix(".sqlite-journal") { try Files.remove("\(root)/\(stray)") }
    try index.update { database in
      try database.script("DELETE FROM objects; DELETE FROM packed; DELETE FROM packs; DELETE FROM holdings;")
      try Store.adopt(Store.packsOnDisk(root), in: root, database)
    }
    rebuilt.packedObjects = try index.packedCount()
    return rebuilt
  }
}
