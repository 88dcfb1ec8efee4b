import Glibc
import LemmaBasics
import LemmaHash
import Synchronization

/// Reading the whole store: every object under both names, and whatever lies in it that is no object.
extension Store {
  /// What a verification found.
  public struct Verification: Sendable {
    public struct Progress: Sendable {
      public var objects: Int
      /// Of objects, read so far.
      public var bytes: UInt64
    }

    public var objects = 0
    public var bytes: UInt64 = 0
    /// Objects that are altered, or that the index knows and the store has lost. Sorted by digest.
    public var faults: [ObjectFault] = []
    /// Files of the store that are none of its objects or packs, or cannot be read as such, with why.
    public var strays: [Stray] = []

    public struct Stray: Sendable {
      public var path: String
      public var reason: String
    }

    public var isSound: Bool { faults.isEmpty && strays.isEmpty }
  }

  /// Reads every object of the store and computes both names anew, on several threads.
  /// - Parameters:
  ///   - quarantines: whether altered objects are put aside, so that they are made again.
  ///   - progress: told now and then, from any thread.
  /// - Throws: `Failure` when the store's folders cannot be listed.
  public func verifyAll(
    quarantines: Bool, isCancelled: @escaping @Sendable () -> Bool = { false },
    progress: @escaping @Sendable (Verification.Progress) -> Void = { _ in }
  ) throws -> Verification {
    let work = VerificationWork(store: self, quarantines: quarantines, progress: progress)
    try work.list()
    Threads.together(Threads.processors) { _ in work.run(isCancelled: isCancelled) }
    return try work.finish()
  }
}

/// The units of a verification, taken by several threads: one file each.
private final class VerificationWork: Sendable {
  private enum Unit {
    case alone(folder: String, name: String)
    case pack(Int64)
  }

  private struct State {
    var units: [Unit] = []
    var result = Store.Verification()
    var failure: (any Error)?
    /// Objects of packs that the index places there and that were found whole.
    var missing: [Identity] = []
  }

  private let store: Store
  private let quarantines: Bool
  private let progress: @Sendable (Store.Verification.Progress) -> Void
  private let state = Mutex(State())

  init(store: Store, quarantines: Bool, progress: @escaping @Sendable (Store.Verification.Progress) -> Void) {
    self.store = store
    self.quarantines = quarantines
    self.progress = progress
  }

  func list() throws {
    var units: [Unit] = []
    for folder in try Files.list("\(store.root)/objects") {
      guard Files.isFolder("\(store.root)/objects/\(folder)") else {
        report("\(store.root)/objects/\(folder)", "no folder of objects has this name")
        continue
      }
      units += try Files.list("\(store.root)/objects/\(folder)").map { .alone(folder: folder, name: $0) }
    }
    for name in try Files.list("\(store.root)/packs") {
      if let pack = PackFormat.number(name) {
        units.append(.pack(pack))
      } else {
        report("\(store.root)/packs/\(name)", "no pack has this name")
      }
    }
    // The index may know of more than there is.
    let known = try store.index.packs().keys
    let present = Set(units.compactMap { unit -> Int64? in if case .pack(let pack) = unit { pack } else { nil } })
    for pack in known.sorted() where !present.contains(pack) {
      let members = try store.index.members(ofPack: pack).map(\.identity)
      for identity in members { fault(identity, .missing) }
      if quarantines { try store.index.forget(members, pack: pack) }
    }
    let lost = try store.index.aloneObjects().filter { !Files.exists(store.path(of: $0)) }
    for identity in lost { fault(identity, .missing) }
    if quarantines { try store.index.forget(lost) }
    state.withLock { $0.units = units.reversed() }
  }

  func run(isCancelled: () -> Bool) {
    while !isCancelled(), let unit = state.withLock({ $0.failure == nil ? $0.units.popLast() : nil }) {
      do {
        switch unit {
        case .alone(let folder, let name): try alone(folder: folder, name: name)
        case .pack(let pack): try self.pack(pack)
        }
      } catch {
        state.withLock { $0.failure = $0.failure ?? error }
      }
    }
  }

  func finish() throws -> Store.Verification {
    try state.withLock { state in
      if let failure = state.failure { throw failure }
      state.result.faults.sort {
        ($0.identity.digest.hex, $0.identity.seal.hex) < ($1.identity.digest.hex, $1.identity.seal.hex)
      }
      state.result.strays.sort { $0.path < $1.path }
      return state.result
    }
  }

  // MARK: Files

  private func alone(folder: String, name: String) throws {
    let path = "\(store.root)/objects/\(folder)/\(name)"
    let parts = name.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[1].utf8.count == 16, let digest = Digest(hex: folder + parts[0], size: 0) else {
      return report(path, "no object has this name")
    }
    let descriptor = Glibc.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT { return }
      return report(path, "it cannot be opened: \(describe(errno: errno))")
    }
    let file = OpenFile(descriptor, path: path)
    let before = try Stamp(descriptor: descriptor, path: path)
    let found: Identity
    do { found = try store.hash(file) } catch let failure as Failure {
      return report(path, "it cannot be read: \(failure.message)")
    }
    count(found)
    guard Store.name(of: found) == "\(folder)/\(name)" else {
      // The seal's tail is in no file name; the index may know it.
      let named = try store.index.alone(digest: digest.bytes, sealHead: String(parts[1]))
      let identity =
        named ?? Identity(digest: Digest(high: digest.high, low: digest.low, size: found.size), seal: found.seal)
      fault(identity, .altered)
      if quarantines { try store.quarantine(file: path, of: named) }
      return
    }
    if try Stamp(descriptor: descriptor, path: path) == before {
      try store.index.commit(IndexBatch(alone: [(found, before)]))
    }
  }

  // MARK: Packs

  private func pack(_ pack: Int64) throws {
    let path = PackFormat.path(of: pack, in: store.root)
    guard let file = try OpenPack(path) else { return }
    let before = try Stamp(descriptor: file.descriptor, path: path)
    var hasher = ContentHasher()
    var altered: [(Identity, [UInt8])] = []
    // What the index places here, wherever damage may have moved or hidden the headers.
    let members = try store.index.members(ofPack: pack)
    for (identity, offset) in members.sorted(by: { $0.offset < $1.offset }) {
      let bytes = try file.read(Int(identity.size), at: offset)
      count(identity)
      if bytes.withUnsafeBytes({ hasher.identity(of: $0) }) != identity { altered.append((identity, bytes)) }
    }
    for (identity, _) in altered { fault(identity, .altered) }
    let isSteady = try Stamp(descriptor: file.descriptor, path: path) == before
    guard quarantines, isSteady, store.pending.ownStamp(ofPack: pack) == nil else { return }
    // Its writer, if one lives, keeps its own account of it.
    guard flock(file.descriptor, LOCK_SH | LOCK_NB) == 0 else { return }
    for (identity, bytes) in altered { try store.keepAside(bytes, of: identity) }
    if try store.index.packStamp(pack) != nil { try store.index.settle(pack, before, without: altered.map(\.0)) }
  }

  // MARK: Counting

  private func count(_ identity: Identity) {
    let told = state.withLock { state -> Store.Verification.Progress? in
      state.result.objects += 1
      state.result.bytes += identity.size
      let isDue = state.result.objects % 1024 == 0 || identity.size > 64 << 20
      return isDue ? .init(objects: state.result.objects, bytes: state.result.bytes) : nil
    }
    if let told { progress(told) }
  }

  private func fault(_ identity: Identity, _ reason: ObjectFault.Reason) {
    state.withLock { $0.result.faults.append(ObjectFault(identity: identity, reason: reason)) }
  }

  private func report(_ path: String, _ reason: String) {
    state.withLock { $0.result.strays.append(.init(path: path, reason: reason)) }
  }
}
