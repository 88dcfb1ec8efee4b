import CLinux
import Dispatch
import Glibc
import LemmaBasics
import LemmaHash
import Synchronization

/// One look at a folder and all in it, by as many threads as there is work for. A census of the last look
/// saves reading; without one everything is read. No folder is held open but those being worked on, so
/// that neither depth nor width costs descriptors.
final class FolderWalk: @unchecked Sendable {
  private let intake: Intake
  private let root: OpenFile
  private let census: Census?
  /// What held the folder of the census, if that is still sound: then nothing unchanged need be asked for.
  private let holding: Holding?

  // Guarded by the lock: hence @unchecked.
  private let lock = Mutex(())
  private var folders: [WalkedFolder?] = []
  private var tasks: [Work] = []
  private var unfinished = 0
  private var queuedEntries = 0
  private var failure: (any Error)?
  private var found = Holding()
  private var isCensusStale = false
  private var isChanged = false
  private var helpers = 0

  private let available = DispatchSemaphore(value: 0)
  private let helperEnded = DispatchSemaphore(value: 0)

  private enum Work {
    /// A folder to be listed. `known` is its number in the census.
    case folder(number: Int, parent: Int, name: [UInt8], known: Int?)
    /// Some of a listed folder's entries.
    case entries(WalkedFolder, number: Int, range: Range<Int>, OpenFile)
  }

  /// Entries that one thread takes at a time.
  private static let chunk = 512

  init(_ intake: Intake, root: OpenFile) throws {
    self.intake = intake
    self.root = root
    let stamp = try Stamp(descriptor: root.descriptor, path: root.path)
    census = intake.trustsStamps ? try intake.store.census(of: stamp) : nil
    if intake.keepsBytes, let census, let held = try intake.store.index.holding(of: census.identity),
      try intake.store.isSound(census.identity), try intake.store.isSound(held)
    {
      holding = held
    } else {
      holding = nil
    }
  }

  /// Looks, and keeps what is new if the intake keeps bytes.
  /// - Returns: the manifest's identity.
  func take() throws -> Identity {
    folders = [nil]
    add([.folder(number: 0, parent: 0, name: [], known: census == nil ? nil : 0)])
    work()
    for _ in 0..<helpers { helperEnded.wait() }
    if let failure { throw failure }
    let folders = folders.compactMap { $0 }
    if let census, !isChanged {
      if isCensusStale {
        try intake.store.keep(Census.encode(folders, identity: census.identity), of: folders[0].stamp)
      }
      if !intake.keepsBytes || holding != nil { return census.identity }
    }
    let manifest = FolderManifest.encode(folders)
    let identity: Identity
    if intake.keepsBytes {
      identity = Identity(of: manifest)
      found.insert(identity, at: try intake.store.keep(identity, manifest))
      if let holding { found.formUnion(holding) }
      let found = found
      intake.store.pending.remember { $0.holdings.append((identity, found)) }
    } else {
      identity = Identity(of: manifest)
    }
    if isChanged || isCensusStale || census == nil {
      try intake.store.keep(Census.encode(folders, identity: identity), of: folders[0].stamp)
    }
    return identity
  }

  // MARK: Threads

  private func add(_ more: [Work]) {
    lock.withLock { _ in
      if failure != nil { return }
      tasks += more
      unfinished += more.count
      for case .entries(_, _, let range, _) in more { queuedEntries += range.count }
      // Starting a thread costs as much as some fifty looks.
      if helpers == 0, queuedEntries > FolderWalk.chunk || tasks.count > 32 {
        for _ in 1..<max(1, Threads.processors) {
          let start: Void? = try? Threads.start { [self] in
            work()
            helperEnded.signal()
          }
          if start == nil { break }
          helpers += 1
        }
      }
    }
    for _ in more { available.signal() }
  }

  private func work() {
    let reader = SmallFileReader()
    while true {
      available.wait()
      let (task, isOver) = lock.withLock { _ in (tasks.popLast(), unfinished == 0) }
      if isOver { break }
      guard let task else { continue }
      do { try run(task, reader) } catch {
        lock.withLock { _ in
          failure = failure ?? error
          unfinished -= tasks.count
          tasks = []
        }
      }
      let isLast = lock.withLock { _ in
        unfinished -= 1
        return unfinished == 0
      }
      if isLast { break }
    }
    // Wakes one more, who finds nothing left to do either.
    available.signal()
  }

  private func run(_ task: Work, _ reader: SmallFileReader) throws {
    switch task {
    case .folder(let number, let parent, let name, let known):
      try list(number, parent: parent, name: name, known: known, reader)
    case .entries(let folder, let number, let range, let file):
      try look(at: range, of: folder, number: number, file, reader)
    }
  }

  // MARK: A folder

  private func list(_ number: Int, parent: Int, name: [UInt8], known: Int?, _ reader: SmallFileReader) throws {
    let path = path(of: name, in: parent, isRoot: number == 0)
    let descriptor = lemma_open_beneath(root.descriptor, cString(path), O_RDONLY | O_DIRECTORY)
    let shown = path.isEmpty ? root.path : "\(root.path)/\(String(decoding: path, as: UTF8.self))"
    guard descriptor >= 0 else {
      // What was a folder when its parent was listed is none any more.
      if errno == ENOTDIR || errno == ELOOP || errno == ENOENT { throw Intake.changing(shown) }
      throw Failure.system("open", path: shown, errno: errno)
    }
    let file = OpenFile(descriptor, path: shown)
    let moment = now()
    let stamp = try Stamp(descriptor: descriptor, path: shown)
    if intake.store.isRoot(device: stamp.device, inode: stamp.inode) {
      throw Failure(
        .user, "store-inside", "'\(shown)' is or contains the store, which cannot be kept in itself",
        hint: "name the files or folders you mean")
    }
    var old: WalkedFolder?
    if let census, let known {
      let record = census.folder(known)
      old = WalkedFolder(parent: parent, nameInParent: name, stamp: stamp, census: census, record: record)
      let isSame =
        record.settled != 0 && record.device == stamp.device && record.inode == stamp.inode
        && record.modified == stamp.modified && record.changed == stamp.changed
      if isSame, let old { return try enter(old, number: number, file, reader) }
    }
    let folder = try WalkedFolder(
      parent: parent, nameInParent: name, stamp: stamp, isSettled: !stamp.isRacy(hashedAt: moment), reading: file)
    let isSame = old.map(folder.adopt) ?? false
    lock.withLock { _ in
      isCensusStale = true
      if !isSame { isChanged = true }
    }
    try enter(folder, number: number, file, reader)
  }

  /// Sees to all entries of a listed folder: here when they are few, else by whoever has time.
  private func enter(_ folder: WalkedFolder, number: Int, _ file: OpenFile, _ reader: SmallFileReader) throws {
    lock.withLock { _ in folders[number] = folder }
    if folder.count <= FolderWalk.chunk {
      return try look(at: 0..<folder.count, of: folder, number: number, file, reader)
    }
    add(
      stride(from: 0, to: folder.count, by: FolderWalk.chunk).map {
        .entries(folder, number: number, range: $0..<min($0 + FolderWalk.chunk, folder.count), file)
      })
  }

  // MARK: Entries

  private func look(
    at range: Range<Int>, of folder: WalkedFolder, number: Int, _ file: OpenFile, _ reader: SmallFileReader
  ) throws {
    var changed = [UInt32](repeating: 0, count: range.count)
    var count: UInt32 = 0
    let code = folder.withNames { names in
      lemma_entries_compare(
        file.descriptor, names, folder.entries + range.lowerBound, UInt32(range.count), &changed, &count)
    }
    guard code == 0 else {
      let shown = shown(range.lowerBound + Int(count), of: folder, file)
      throw code == ENOENT ? Intake.changing(shown) : Failure.system("stat", path: shown, errno: code)
    }
    var outcome = Outcome()
    var isDue = [Bool](repeating: false, count: range.count)
    for offset in changed[..<Int(count)] { isDue[Int(offset)] = true }
    if intake.keepsBytes, holding == nil {
      // Known, but does the store still have it?
      let known = range.filter { place in
        !isDue[place - range.lowerBound] && [EntryKind.file, EntryKind.executable].contains(folder.entries[place].kind)
      }
      let places = try intake.store.soundPlaces(
        of: known.map { folder.entries[$0].identity }, vouched: &reader.vouched)
      for (place, held) in zip(known, places) {
        if let held {
          outcome.found.insert(folder.entries[place].identity, at: held)
        } else {
          isDue[place - range.lowerBound] = true
        }
      }
    }
    var deeper: [Work] = []
    for place in range {
      if folder.entries[place].kind == EntryKind.folder {
        deeper.append(try self.folder(place, of: folder, number: number, isNew: isDue[place - range.lowerBound]))
      } else if isDue[place - range.lowerBound] {
        try take(place, of: folder, file, reader, &outcome)
      }
    }
    try reader.keepAll(intake, &outcome.found)
    lock.withLock { _ in
      found.formUnion(outcome.found)
      isCensusStale = isCensusStale || outcome.isStale
      isChanged = isChanged || outcome.isChanged
    }
    if !deeper.isEmpty { add(deeper) }
  }

  private struct Outcome {
    var found = Holding()
    var isStale = false
    var isChanged = false
  }

  private func folder(_ place: Int, of parent: WalkedFolder, number: Int, isNew: Bool) throws -> Work {
    let entry = parent.entries[place]
    // Its number in the census, if it stands in one: entries that were read now have none.
    let known = census != nil && entry.settled != 0 && !isNew ? Int(entry.target) : nil
    let own = lock.withLock { _ in
      folders.append(nil)
      if known == nil { isChanged = true }
      return folders.count - 1
    }
    parent.entries[place].target = UInt32(truncatingIfNeeded: own)
    // For a folder it only says that `target` is a number of a census.
    parent.entries[place].settled = 1
    return .folder(number: own, parent: number, name: Array(parent.name(place)), known: known)
  }

  /// An entry that is new, or not as it was.
  private func take(
    _ place: Int, of folder: WalkedFolder, _ file: OpenFile, _ reader: SmallFileReader, _ outcome: inout Outcome
  ) throws {
    outcome.isStale = true
    let entry = folder.entries[place]
    let before = (entry.identity, entry.was)
    switch entry.kind {
    case EntryKind.file, EntryKind.executable:
      let found = try reader.read(place, of: folder, file, intake)
      folder.entries[place].setIdentity(found.identity)
      folder.entries[place].settled = found.stamp.isRacy(hashedAt: found.hashedAt) ? 0 : 1
      if let held = found.place {
        outcome.found.insert(found.identity, at: held)
      } else if intake.keepsBytes, holding == nil || before.0 != found.identity {
        try reader.toKeep(found.identity, intake, &outcome.found)
      }
    case EntryKind.link:
      var target = [CChar](repeating: 0, count: 4096)
      let moment = now()
      let length = readlinkat(file.descriptor, cString(folder.name(place)), &target, target.count)
      guard length >= 0 else {
        throw Failure.system("readlink", path: shown(place, of: folder, file), errno: errno)
      }
      let text = target[..<length].map { UInt8(bitPattern: $0) }
      if folder.target(place) != text { outcome.isChanged = true }
      folder.setTarget(text, of: place)
      folder.entries[place].setIdentity(Identity(digest: Digest(high: 0, low: 0, size: 0), seal: Intake.noSeal))
      folder.entries[place].settled = entry.stamp.isRacy(hashedAt: moment) ? 0 : 1
    default: throw Intake.special(shown(place, of: folder, file))
    }
    folder.entries[place].was = folder.entries[place].kind
    if before != (folder.entries[place].identity, folder.entries[place].was) { outcome.isChanged = true }
  }

  // MARK: Paths

  private func path(of name: [UInt8], in parent: Int, isRoot: Bool) -> [UInt8] {
    if isRoot { return [] }
    return lock.withLock { _ in
      var parts = [name]
      var number = parent
      while number != 0, let folder = folders[number] {
        parts.append(folder.nameInParent)
        number = folder.parent
      }
      return Array(parts.reversed().joined(separator: [UInt8(ascii: "/")]))
    }
  }

  private func shown(_ place: Int, of folder: WalkedFolder, _ file: OpenFile) -> String {
    "\(file.path)/\(String(decoding: folder.name(place), as: UTF8.self))"
  }
}

extension Intake {
  /// A link has no content of its own.
  static let noSeal = Seal(of: [])
}

/// Reads small files of a folder, one after the other, into one buffer, and keeps many at a time. Used by
/// one thread.
final class SmallFileReader {
  /// Packs that vouch for what is in them, as far as they were asked in this walk.
  var vouched: Set<Int64> = []
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 << 20, alignment: 4096)
  private var hasher = ContentHasher()
  /// Objects in the buffer that are still to be kept.
  private var waiting: [(identity: Identity, start: Int)] = []
  /// Where the file read last begins, and the next one will.
  private var start = 0
  private var end = 0

  deinit { buffer.deallocate() }

  /// Reads an entry, leaving in it the stamp of what was read. A small one is yet to be kept.
  func read(_ place: Int, of folder: WalkedFolder, _ file: OpenFile, _ intake: Intake) throws -> Intake.Found {
    var count = 0
    var quiet: Int32 = 0
    let moment = now()
    if waiting.isEmpty { end = 0 }
    start = end
    let code = folder.withNames {
      lemma_read_small(
        file.descriptor, $0 + Int(folder.entries[place].name), buffer.baseAddress! + start, PackFormat.limit - 1,
        &count, folder.entries + place, &quiet)
    }
    let shown = { "\(file.path)/\(String(decoding: folder.name(place), as: UTF8.self))" }
    switch code {
    case 0:
      let identity = hasher.identity(of: UnsafeRawBufferPointer(rebasing: buffer[start..<(start + count)]))
      return Intake.Found(
        identity: identity, place: nil, stamp: folder.entries[place].stamp, hashedAt: quiet != 0 ? moment : 0)
    case EFBIG:
      let descriptor = openat(
        file.descriptor, cString(folder.name(place)), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
      guard descriptor >= 0 else { throw Failure.system("open", path: shown(), errno: errno) }
      let found = try intake.file(OpenFile(descriptor, path: shown()))
      folder.entries[place].setStamp(found.stamp)
      return found
    case ESTALE, ENOENT, ELOOP, EINVAL, ENXIO: throw Intake.changing(shown())
    default: throw Failure.system("read", path: shown(), errno: code)
    }
  }

  /// Leaves the file read last to be kept.
  func toKeep(_ identity: Identity, _ intake: Intake, _ holding: inout Holding) throws {
    waiting.append((identity, start))
    end = start + Int(identity.size)
    if end + PackFormat.limit > buffer.count { try keepAll(intake, &holding) }
  }

  /// Keeps all that waits, and tells where it is.
  func keepAll(_ intake: Intake, _ holding: inout Holding) throws {
    if waiting.isEmpty { return }
    let places = try intake.store.soundPlaces(of: waiting.map(\.identity), vouched: &vouched)
    for (item, place) in zip(waiting, places) {
      let bytes = UnsafeRawBufferPointer(rebasing: buffer[item.start..<(item.start + Int(item.identity.size))])
      holding.insert(item.identity, at: try place ?? intake.store.pack(item.identity, bytes))
    }
    waiting = []
  }
}

/// What an entry of a folder is.
enum EntryKind {
  static let file = UInt8(LEMMA_ENTRY_FILE)
  static let executable = UInt8(LEMMA_ENTRY_EXECUTABLE)
  static let folder = UInt8(LEMMA_ENTRY_FOLDER)
  static let link = UInt8(LEMMA_ENTRY_LINK)
}

extension lemma_entry {
  var stamp: Stamp { Stamp(device: device, inode: inode, size: size, modified: modified, changed: changed) }

  mutating func setStamp(_ stamp: Stamp) {
    device = stamp.device
    inode = stamp.inode
    size = stamp.size
    modified = stamp.modified
    changed = stamp.changed
  }

  var identity: Identity {
    withUnsafeBytes(of: seal) {
      Identity(digest: Digest(high: high, low: low, size: UInt64(clamping: size)), seal: Seal(loading: $0))
    }
  }

  mutating func setIdentity(_ identity: Identity) {
    high = identity.digest.high
    low = identity.digest.low
    withUnsafeMutableBytes(of: &seal) { identity.seal.store(to: $0) }
  }
}
