import Glibc
import LemmaBasics
import LemmaHash
import Synchronization

/// What this process took in and no flush has made durable yet: readable here, unknown to others.
/// Many threads add while one flushes.
final class Pending: @unchecked Sendable {
  enum Place {
    case packed(pack: Int64, offset: Int64)
    /// A file under a temporary name.
    case alone(temporary: String)
  }

  /// What one flush makes durable and records.
  struct Cut {
    var writers: [PackWriter] = []
    /// How long each writer's pack was.
    var sizes: [Int64] = []
    var files: [(temporary: String, identity: Identity)] = []
    var batch = IndexBatch()
    var number: UInt64 = 0

    var isEmpty: Bool { files.isEmpty && batch.isEmpty }
  }

  private let root: String
  // Everything below is guarded by the lock: hence @unchecked.
  private let lock = Mutex(())
  private var places: [Identity: Place] = [:]
  private var writer: PackWriter?
  /// Those that grew full since the last flush.
  private var full: [PackWriter] = []
  private var files: [(temporary: String, identity: Identity)] = []
  private var batch = IndexBatch()
  private var stamps: [FileNumber: FileStamp] = [:]
  /// Counts what was added, so that a flush can tell whether another one did its work.
  private var added: UInt64 = 0
  private var failure: Failure?

  private struct FileNumber: Hashable {
    var device: UInt64
    var inode: UInt64
  }

  init(root: String) { self.root = root }

  /// Runs `body` alone, unless a flush failed before: what was lost then cannot be told from what is
  /// kept, so that nothing more is promised.
  private func guarded<T>(_ body: () throws -> T) throws -> T {
    try lock.withLock { _ in
      if let failure { throw failure }
      return try body()
    }
  }

  // MARK: Adding

  /// Appends a small object to this process's pack, if it is not there already. Returns the pack.
  func add(_ identity: Identity, _ bytes: UnsafeRawBufferPointer) throws -> Place {
    try guarded {
      if let place = places[identity] { return place }
      do {
        let writer = try writer ?? PackWriter(in: root)
        self.writer = writer
        let offset = try writer.append(identity, bytes)
        let place = Place.packed(pack: writer.pack, offset: offset)
        places[identity] = place
        batch.packed.append((identity, writer.pack, offset))
        added += 1
        if writer.size >= PackFormat.fullSize {
          try writer.writeOut()
          full.append(writer)
          self.writer = nil
        }
        return place
      } catch {
        throw fail(error)
      }
    }
  }

  /// Adds a file that was written under a temporary name. The file goes when its object is there already.
  func add(file temporary: String, _ identity: Identity) throws {
    try guarded {
      if places[identity] != nil {
        unlink(temporary)
        return
      }
      places[identity] = .alone(temporary: temporary)
      files.append((temporary, identity))
      added += 1
    }
  }

  func remember(_ file: FileStamp) {
    lock.withLock { _ in
      stamps[FileNumber(device: file.stamp.device, inode: file.stamp.inode)] = file
      added += 1
    }
  }

  func remember(_ change: (inout IndexBatch) -> Void) {
    lock.withLock { _ in
      change(&batch)
      added += 1
    }
  }

  // MARK: Asking

  func place(of identity: Identity) -> Place? { lock.withLock { _ in places[identity] } }

  func places(of identities: [Identity]) -> [Place?] { lock.withLock { _ in identities.map { places[$0] } } }

  func identity(of stamp: Stamp) -> Identity? {
    lock.withLock { _ in
      guard let known = stamps[FileNumber(device: stamp.device, inode: stamp.inode)], known.stamp == stamp,
        !stamp.isRacy(hashedAt: known.hashedAt)
      else { return nil }
      return known.identity
    }
  }

  /// The stamp of a pack that this process appends to, after its own last write; `nil` for all others,
  /// and when somebody else wrote to it.
  func ownStamp(ofPack pack: Int64) -> Stamp? {
    lock.withLock { _ in ([writer] + full).lazy.compactMap { $0 }.first { $0.pack == pack }?.stamp }
  }

  /// Makes the kernel see a pack's buffered bytes, so that they can be read from its file.
  func writeOut(pack: Int64) throws {
    try guarded {
      guard let writer, writer.pack == pack else { return }
      do { try writer.writeOut() } catch { throw fail(error) }
    }
  }

  // MARK: Flushing

  /// How much was added so far.
  func mark(adding results: [ActionRecord]) throws -> UInt64 {
    try guarded {
      batch.results += results
      if !results.isEmpty { added += 1 }
      return added
    }
  }

  /// Takes out what is to be made durable. It can still be asked for until `forget`.
  func cut() throws -> Cut {
    try guarded {
      do {
        var cut = Cut(files: files, batch: batch, number: added)
        cut.batch.stamps += stamps.values
        var writers = full
        if let writer, !cut.batch.packed.isEmpty {
          try writer.writeOut()
          writers.append(writer)
        }
        let touched = Set(cut.batch.packed.map(\.pack))
        cut.writers = writers.filter { touched.contains($0.pack) }
        cut.sizes = cut.writers.map(\.written)
        // A stamp that does not stand for our own writes alone vouches for nothing.
        cut.batch.packs = cut.writers.map { ($0.pack, $0.stamp ?? Stamp.none) }
        files = []
        batch = IndexBatch()
        stamps = [:]
        full = []
        return cut
      } catch {
        throw fail(error)
      }
    }
  }

  /// Forgets what the index knows by now.
  func forget(_ cut: Cut) {
    lock.withLock { _ in
      for row in cut.batch.packed { places[row.identity] = nil }
      for file in cut.files { places[file.identity] = nil }
      for (writer, size) in zip(cut.writers, cut.sizes) { writer.durable = size }
    }
  }

  /// Gives up everything that is not durable, with the space it takes, and refuses all that comes.
  func abandon(_ cut: Cut, because error: any Error) {
    lock.withLock { _ in
      _ = fail(error)
      for file in cut.files { unlink(file.temporary) }
      for writer in cut.writers { writer.abandon() }
    }
  }

  private func fail(_ error: any Error) -> any Error {
    guard failure == nil, let reason = error as? Failure else { return error }
    failure = reason
    for file in files { unlink(file.temporary) }
    for writer in [writer] + full { writer?.abandon() }
    places = [:]
    files = []
    full = []
    writer = nil
    batch = IndexBatch()
    return error
  }
}

extension Stamp {
  /// The stamp of no file.
  static let none = Stamp(device: 0, inode: 0, size: 0, modified: 0, changed: 0)
}
