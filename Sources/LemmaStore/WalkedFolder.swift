import CLinux
import Glibc
import LemmaBasics
import Synchronization

/// One folder of a walk: its entries, sorted by the bytes of their names. Threads fill different ranges
/// of the entries at the same time.
final class WalkedFolder: @unchecked Sendable {
  /// In the walk; the root's is 0, which is its own parent.
  let parent: Int
  let nameInParent: [UInt8]
  let stamp: Stamp
  /// Whether an equal stamp will mean equal names from now on.
  let isSettled: Bool
  /// Of the census, if it knew the folder; its names and those of its links are then the census's.
  private let census: Census?
  private var names: lemma_names
  let entries: UnsafeMutablePointer<lemma_entry>
  let count: Int
  private let targets = Mutex<[Int: [UInt8]]>([:])

  /// The folder as its census has it.
  init(parent: Int, nameInParent: [UInt8], stamp: Stamp, census: Census, record: lemma_folder) {
    self.parent = parent
    self.nameInParent = nameInParent
    self.stamp = stamp
    self.census = census
    isSettled = true
    names = lemma_names()
    count = Int(record.count)
    entries = .allocate(capacity: max(1, count))
    census.copyEntries(of: record, to: entries)
  }

  /// The folder as it is read now.
  init(parent: Int, nameInParent: [UInt8], stamp: Stamp, isSettled: Bool, reading folder: OpenFile) throws {
    self.parent = parent
    self.nameInParent = nameInParent
    self.stamp = stamp
    self.isSettled = isSettled
    census = nil
    var names = lemma_names()
    let code = lemma_names_read(folder.descriptor, &names)
    self.names = names
    count = names.count
    entries = .allocate(capacity: max(1, names.count))
    guard code == 0 else { throw Failure.system("readdir", path: folder.path, errno: code) }
    // Where the parts are is copied, so that the closure below needs nothing of self.
    let bytes = names.bytes
    var order = (0..<names.count).map { (names.offsets[$0], names.types[$0]) }
    order.sort { strcmp(bytes! + Int($0.0), bytes! + Int($1.0)) < 0 }
    for (number, (offset, type)) in order.enumerated() {
      var entry = lemma_entry()
      entry.name = offset
      entry.name_length = UInt16(truncatingIfNeeded: strlen(bytes! + Int(offset)))
      if Int(type) == Int(DT_DIR) { entry.kind = EntryKind.folder }
      (entries + number).initialize(to: entry)
    }
  }

  deinit {
    lemma_names_free(&names)
    entries.deallocate()
  }

  /// Takes over what the census knew of entries with the same names.
  /// - Returns: whether the names are the same as they were.
  func adopt(_ old: WalkedFolder) -> Bool {
    var isSame = count == old.count
    withNames { own in
      old.withNames { others in
        var place = 0
        for number in 0..<count {
          var order: Int32 = -1
          while place < old.count {
            order = strcmp(others + Int(old.entries[place].name), own + Int(entries[number].name))
            if order >= 0 { break }
            place += 1
            isSame = false
          }
          guard place < old.count, order == 0 else {
            isSame = false
            continue
          }
          let known = old.entries[place]
          let isFolder = entries[number].kind == EntryKind.folder
          if isFolder == (known.kind == EntryKind.folder) {
            let (name, length) = (entries[number].name, entries[number].name_length)
            entries[number] = known
            entries[number].name = name
            entries[number].name_length = length
            if known.kind == EntryKind.link { setTarget(old.target(place), of: number) }
          } else {
            isSame = false
          }
          place += 1
        }
      }
    }
    return isSame
  }

  // MARK: Names

  func withNames<T>(_ body: (UnsafePointer<CChar>) throws -> T) rethrows -> T {
    if let census { return try census.withNames(body) }
    return try body(UnsafePointer(names.bytes ?? WalkedFolder.empty))
  }

  private nonisolated(unsafe) static let empty: UnsafeMutablePointer<CChar> = {
    let byte = UnsafeMutablePointer<CChar>.allocate(capacity: 1)
    byte.initialize(to: 0)
    return byte
  }()

  /// The bytes of an entry's name, valid as long as the folder.
  func name(_ number: Int) -> UnsafeRawBufferPointer {
    withNames { UnsafeRawBufferPointer(start: $0 + Int(entries[number].name), count: Int(entries[number].name_length)) }
  }

  /// Where a link leads.
  func target(_ number: Int) -> [UInt8] {
    if let target = targets.withLock({ $0[number] }) { return target }
    guard let census else { return [] }
    let entry = entries[number]
    return census.withNames {
      Array(UnsafeRawBufferPointer(start: $0 + Int(entry.target), count: Int(entry.target_length)))
    }
  }

  func setTarget(_ target: [UInt8], of number: Int) {
    targets.withLock { $0[number] = target }
    entries[number].target_length = UInt16(truncatingIfNeeded: target.count)
  }

  /// Bytes that names and targets take in a census.
  var nameBytes: Int {
    var sum = 0
    for number in 0..<count {
      sum += Int(entries[number].name_length) + 1
      if entries[number].kind == EntryKind.link { sum += target(number).count + 1 }
    }
    return sum
  }
}
