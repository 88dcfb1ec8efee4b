import CLinux
import Glibc
import LemmaBasics
import LemmaHash

/// What a folder was found to be, entry by entry with its stamp, and what it came to: the next look at it
/// asks the file system about every entry and reads only what changed. It says nothing of the store.
final class Census: @unchecked Sendable {
  /// A look, as it is written to disk: the numbers are this machine's, the checks are not.
  ///
  ///     "lemma census 1" NEWLINE NUL   XXH3-128 of the rest (16)
  ///     folders, entries, bytes of names, size of the manifest (8 each)   both names of the manifest (48)
  ///     the folders (48 each), the entries (104 each), the names
  private static let magic = Array("lemma census 1\n\0".utf8)
  private static let headSize = 16 + 16 + 32 + Identity.storedSize

  // Written once, in init: hence @unchecked.
  private let bytes: UnsafeMutableRawBufferPointer
  private let folderCount: Int
  private let entryCount: Int
  private let nameCount: Int
  /// The folder's manifest.
  let identity: Identity

  /// - Returns: `nil` when the bytes are no census, or damaged.
  init?(bytes: [UInt8]) {
    guard bytes.count >= Census.headSize, bytes.starts(with: Census.magic) else { return nil }
    let (numbers, isWhole) = bytes.withUnsafeBytes { raw in
      let numbers = (0..<4).map { raw.loadUnaligned(fromByteOffset: 32 + 8 * $0, as: UInt64.self) }
      let digest = Digest(of: UnsafeRawBufferPointer(rebasing: raw[32...]))
      return (numbers, raw[16..<32].elementsEqual(digest.bytes))
    }
    guard isWhole else { return nil }
    folderCount = Int(numbers[0])
    entryCount = Int(numbers[1])
    nameCount = Int(numbers[2])
    let size =
      Census.headSize + folderCount * MemoryLayout<lemma_folder>.size
      + entryCount * MemoryLayout<lemma_entry>.size + nameCount
    guard bytes.count == size else { return nil }
    identity = bytes.withUnsafeBytes {
      Identity(loading: UnsafeRawBufferPointer(rebasing: $0[64..<Census.headSize]), size: numbers[3])
    }
    self.bytes = .allocate(byteCount: bytes.count, alignment: 8)
    self.bytes.copyBytes(from: bytes)
  }

  deinit { bytes.deallocate() }

  func folder(_ number: Int) -> lemma_folder {
    bytes.loadUnaligned(
      fromByteOffset: Census.headSize + number * MemoryLayout<lemma_folder>.size, as: lemma_folder.self)
  }

  /// Copies a folder's entries to `target`.
  func copyEntries(of folder: lemma_folder, to target: UnsafeMutablePointer<lemma_entry>) {
    let offset =
      Census.headSize + folderCount * MemoryLayout<lemma_folder>.size
      + Int(folder.first) * MemoryLayout<lemma_entry>.size
    let size = Int(folder.count) * MemoryLayout<lemma_entry>.size
    UnsafeMutableRawBufferPointer(start: target, count: size).copyMemory(
      from: UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + size)]))
  }

  /// Runs `body` with the names, which end with a zero each.
  func withNames<T>(_ body: (UnsafePointer<CChar>) throws -> T) rethrows -> T {
    try UnsafeRawBufferPointer(rebasing: bytes[(bytes.count - nameCount)...]).withMemoryRebound(to: CChar.self) {
      names in
      try names.baseAddress.map(body) ?? "".withCString(body)
    }
  }

  /// The census of a walk, as bytes. Names that the entries refer to are gathered from each folder.
  static func encode(_ folders: [WalkedFolder], identity: Identity) -> [UInt8] {
    var records: [lemma_folder] = []
    var entryCount = 0
    var nameCount = 0
    for folder in folders {
      entryCount += folder.count
      nameCount += folder.nameBytes
    }
    let size =
      headSize + folders.count * MemoryLayout<lemma_folder>.size + entryCount * MemoryLayout<lemma_entry>.size
      + nameCount
    return [UInt8](unsafeUninitializedCapacity: size) { buffer, filled in
      let raw = UnsafeMutableRawBufferPointer(buffer)
      let entriesAt = headSize + folders.count * MemoryLayout<lemma_folder>.size
      let namesAt = entriesAt + entryCount * MemoryLayout<lemma_entry>.size
      var first = 0
      var name = 0
      func append(_ text: UnsafeRawBufferPointer) -> UInt32 {
        UnsafeMutableRawBufferPointer(rebasing: raw[(namesAt + name)...]).copyMemory(from: text)
        raw[namesAt + name + text.count] = 0
        defer { name += text.count + 1 }
        return UInt32(truncatingIfNeeded: name)
      }
      for folder in folders {
        records.append(
          lemma_folder(
            device: folder.stamp.device, inode: folder.stamp.inode, modified: folder.stamp.modified,
            changed: folder.stamp.changed, first: UInt32(truncatingIfNeeded: first),
            count: UInt32(truncatingIfNeeded: folder.count), settled: folder.isSettled ? 1 : 0))
        for number in 0..<folder.count {
          var entry = folder.entries[number]
          entry.name = append(folder.name(number))
          if entry.kind == EntryKind.link {
            entry.target = folder.target(number).withUnsafeBytes { append($0) }
          }
          raw.storeBytes(
            of: entry, toByteOffset: entriesAt + (first + number) * MemoryLayout<lemma_entry>.size,
            as: lemma_entry.self)
        }
        first += folder.count
      }
      records.withUnsafeBytes {
        UnsafeMutableRawBufferPointer(rebasing: raw[headSize..<entriesAt]).copyMemory(from: $0)
      }
      raw.copyBytes(from: magic)
      for (place, number) in [folders.count, entryCount, nameCount, Int(identity.size)].enumerated() {
        raw.storeBytes(of: UInt64(number), toByteOffset: 32 + 8 * place, as: UInt64.self)
      }
      identity.store(to: UnsafeMutableRawBufferPointer(rebasing: raw[64..<headSize]))
      let digest = Digest(of: UnsafeRawBufferPointer(rebasing: raw[32..<size]))
      UnsafeMutableRawBufferPointer(rebasing: raw[16..<32]).copyBytes(from: digest.bytes)
      filled = size
    }
  }
}

/// Where censuses are kept: small ones in the index, large ones each in a file of its own, since a
/// database writes everything twice.
extension Store {
  private static let smallCensus = 32 << 10

  private func censusPath(_ stamp: Stamp) -> String { "\(root)/censuses/\(stamp.device)-\(stamp.inode)" }

  /// The last census of the folder with this stamp's number; `nil` when there is none that can be read.
  func census(of stamp: Stamp) throws -> Census? {
    if let bytes = try index.census(device: stamp.device, inode: stamp.inode) { return Census(bytes: bytes) }
    return (try? Files.read(censusPath(stamp))).flatMap(Census.init)
  }

  /// Keeps a census. It need not be durable: a damaged one is as good as none.
  func keep(_ census: [UInt8], of stamp: Stamp) throws {
    if index.isReadOnly { return }
    if census.count < Store.smallCensus {
      unlink(censusPath(stamp))
      pending.remember { $0.censuses.append((stamp.device, stamp.inode, census)) }
    } else {
      try index.forgetCensus(device: stamp.device, inode: stamp.inode)
      try Files.write(census, to: censusPath(stamp))
    }
  }
}
