import CGit2
import LemmaBasics

/// The files of many runs, most of which are the same from run to run: each is known by its git object,
/// so that a reader of the whole history reads it once.
extension Ledger {
  /// The files directly in a folder of a run's tree, each with the id of its git object; empty when the
  /// run has no such folder.
  public func records(in folder: String, of id: String) throws -> [(name: String, object: String)] {
    guard let records = try self.folder(folder, of: id) else { return [] }
    return records.use { records in
      (0..<git_tree_entrycount(records)).compactMap { number in
        guard let entry = git_tree_entry_byindex(records, number), git_tree_entry_type(entry) == GIT_OBJECT_BLOB,
          let name = git_tree_entry_name(entry)
        else { return nil }
        return (String(cString: name), git_tree_entry_id(entry).pointee.hex)
      }
    }
  }

  /// The bytes of a git object that `records` named.
  public func read(object: String) throws -> [UInt8] {
    guard var id = git_oid(hex: object) else {
      throw Failure(.store, "ledger", "'\(object)' is not the id of an object")
    }
    let blob = try make("read object \(object)", free: git_blob_free) { git_blob_lookup($0, $1, &id) }
    return blob.use {
      Array(UnsafeRawBufferPointer(start: git_blob_rawcontent($0), count: Int(git_blob_rawsize($0))))
    }
  }
}
