import CLinux
import Glibc
import LemmaBasics
import LemmaHash

/// Making durable what was taken in, and only then recording what refers to it.
extension Store {
  /// Makes everything that was taken in before this call durable, then records it and `results` in
  /// one transaction. Threads may take in and flush at the same time; those that flush together share
  /// the work. A result is recorded here and nowhere else, so that none refers to what a power cut could
  /// take away.
  /// - Throws: `Failure` when the disk is full or fails. Then nothing of this call is recorded, what was
  ///   not durable is given up, and this store takes in no more.
  public func flush(recording results: [ActionRecord] = []) throws {
    if index.isReadOnly {
      if results.isEmpty { return }
      throw readOnly()
    }
    let mark = try pending.mark(adding: results)
    try flushed.withLock { flushed in
      // Another thread's flush, begun after our mark, took ours along.
      if flushed >= mark { return }
      let cut = try pending.cut()
      if !cut.isEmpty {
        do {
          var cut = cut
          try makeDurable(&cut)
          try index.commit(cut.batch)
        } catch {
          pending.abandon(cut, because: error)
          throw error
        }
        pending.forget(cut)
      }
      flushed = cut.number
    }
  }

  /// From this many files on one flush of the file system is cheaper than one for each.
  private static let groupFlush = 24

  private func makeDurable(_ cut: inout Pending.Cut) throws {
    for writer in cut.writers {
      guard fsync(writer.descriptor) == 0 else {
        throw Failure.system("fsync", path: writer.path, errno: errno)
      }
    }
    if cut.writers.contains(where: { $0.durable == 0 }) { try Files.syncFolder("\(root)/packs") }
    try publish(cut.files, into: &cut.batch)
  }

  /// Files first, then their names, then the folders that hold the names.
  private func publish(_ files: [(temporary: String, identity: Identity)], into batch: inout IndexBatch) throws {
    guard !files.isEmpty else { return }
    try sync(files.map(\.temporary))
    var folders: Set<String> = []
    for (temporary, identity) in files {
      let path = path(of: identity)
      if folders.insert(Files.parent(path)).inserted { try Files.makeFolder(Files.parent(path)) }
      guard rename(temporary, path) == 0 else { throw Failure.system("rename", path: path, errno: errno) }
    }
    try sync(folders.sorted() + ["\(root)/objects"])
    for (_, identity) in files {
      guard let stamp = Stamp.of(path(of: identity)) else {
        throw Failure.system("stat", path: path(of: identity), errno: errno)
      }
      batch.alone.append((identity, stamp))
    }
  }

  private func sync(_ paths: [String]) throws {
    let isGroup = paths.count >= Store.groupFlush
    for path in isGroup ? [root] : paths {
      let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else { throw Failure.system("open", path: path, errno: errno) }
      defer { close(descriptor) }
      guard (isGroup ? lemma_sync_file_system(descriptor) : fsync(descriptor)) == 0 else {
        throw Failure.system("fsync", path: path, errno: errno)
      }
    }
  }
}
