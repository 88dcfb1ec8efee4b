import LemmaBasics
import LemmaHash
import LemmaPipeline
import LemmaStore

/// Collects a snapshot. What did not change since an earlier one is copied from it as bytes.
struct SnapshotWriter {
  private var stages: [UInt32] = []
  private var links: [UInt32] = []
  private var watches: [UInt8] = []
  private var blob: [UInt8] = []
  private var watchCount = 0
  /// By watch, its number here.
  private var known: [Watch: UInt32] = [:]
  /// By number in the earlier snapshot, the number here.
  private var copied: [UInt32?] = []

  /// - Parameter earlier: a snapshot that may be about as large as this one.
  init(stages count: Int, after earlier: Snapshot?) {
    stages.reserveCapacity(count * Snapshot.Layout.stageWords)
    // To grow by and by is to copy everything several times.
    guard let sizes = earlier?.sizes else { return }
    links.reserveCapacity(sizes.links + sizes.links / 8)
    watches.reserveCapacity(sizes.watches + sizes.watches / 8)
    blob.reserveCapacity(sizes.blob + sizes.blob / 8)
  }

  private mutating func put(_ bytes: some Collection<UInt8>) -> [UInt32] {
    let offset = UInt32(blob.count)
    blob.append(contentsOf: bytes)
    return [offset, UInt32(bytes.count)]
  }

  private mutating func put(links numbers: some Collection<Int>) -> [UInt32] {
    let offset = UInt32(links.count)
    for number in numbers { links.append(UInt32(number)) }
    return [offset, UInt32(numbers.count)]
  }

  /// Adds the next stage.
  mutating func add(
    id: String, declaration: some Collection<UInt8>, position: Position, dependencies: [Int],
    result: some Collection<UInt8>, flags: Snapshot.Flags, watches: [Int]
  ) {
    stages += put(id.utf8)
    stages += put(declaration)
    stages += put(result)
    stages += [UInt32(position.line ?? 0), UInt32(position.column ?? 0)]
    stages += put(links: dependencies)
    stages += put(links: watches)
    stages.append(flags.rawValue)
  }

  /// The number of a watch, added once.
  mutating func number(of watch: Watch) -> Int {
    if let number = known[watch] { return Int(number) }
    known[watch] = UInt32(watchCount)
    return append(
      path: Array(watch.path.utf8), kind: watch.kind, stamp: watch.stamp, hashedAt: watch.hashedAt,
      artifact: watch.artifact)
  }

  /// The number here of a watch of `earlier`.
  /// - Parameter refreshed: what replaces it, when its file was looked at anew and is the same.
  mutating func number(of index: Int, in earlier: Snapshot, refreshed: Watch?) -> Int {
    if copied.isEmpty { copied = Array(repeating: nil, count: earlier.watchCount) }
    if let number = copied[index] { return Int(number) }
    let number: Int
    if let refreshed {
      number = self.number(of: refreshed)
    } else {
      let record = earlier.watch(index)
      let place = UInt32(blob.count)
      blob.append(contentsOf: record.pathBytes)
      blob.append(0)
      withUnsafeBytes(of: place.littleEndian) { watches.append(contentsOf: $0) }
      watches.append(contentsOf: record.bytesAfterPlace)
      watchCount += 1
      number = watchCount - 1
    }
    copied[index] = UInt32(number)
    return number
  }

  private mutating func append(
    path: some Collection<UInt8>, kind: Watch.Kind, stamp: Stamp, hashedAt: Int64, artifact: Artifact?
  ) -> Int {
    func put<T: FixedWidthInteger>(_ value: T, into bytes: inout [UInt8]) {
      withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }
    put(UInt32(blob.count), into: &watches)
    put(UInt32(path.count), into: &watches)
    blob.append(contentsOf: path)
    blob.append(0)
    watches.append(kind.rawValue)
    switch artifact?.kind {
    case nil: watches.append(0)
    case .file: watches.append(1)
    case .executable: watches.append(2)
    case .folder: watches.append(3)
    }
    watches.append(contentsOf: repeatElement(0, count: 6))
    for word in [stamp.device, stamp.inode] { put(word, into: &watches) }
    for word in [stamp.size, stamp.modified, stamp.changed, hashedAt] { put(word, into: &watches) }
    if let identity = artifact?.identity {
      for word in [identity.digest.high, identity.digest.low, identity.digest.size] { put(word, into: &watches) }
      watches.append(contentsOf: identity.seal.bytes)
    } else {
      watches.append(contentsOf: repeatElement(0, count: 56))
    }
    watchCount += 1
    return watchCount - 1
  }

  /// Writes the file, through a temporary name. It is not flushed to the disk: after a power cut a
  /// snapshot that is not whole is no snapshot.
  mutating func write(to path: String, context: JSON) throws {
    let facts = put(context.canonicalBytes)
    let layout = Snapshot.Layout(
      stages: stages.count / Snapshot.Layout.stageWords, links: links.count, watches: watchCount,
      context: (Int(facts[0]), Int(facts[1])))
    var head = Snapshot.magic
    head.append(contentsOf: repeatElement(0, count: 16))
    let counts = [layout.stages, layout.links, layout.watches, layout.context.offset, layout.context.length]
    for count in counts {
      withUnsafeBytes(of: UInt32(count).littleEndian) { head.append(contentsOf: $0) }
    }
    head.append(contentsOf: repeatElement(0, count: Snapshot.Layout.headerSize - head.count))
    for table in [stages, links] { table.withUnsafeBytes { head.append(contentsOf: $0) } }
    head.append(contentsOf: repeatElement(0, count: layout.watchTable - head.count))
    head.replaceSubrange(16..<32, with: Digest(ofParts: [head[32...], watches[...], blob[...]]).bytes)
    try Files.write(parts: [head, watches, blob], to: path)
  }
}
