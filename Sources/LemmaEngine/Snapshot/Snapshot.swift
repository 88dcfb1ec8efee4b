import Glibc
import LemmaBasics
import LemmaHash
import LemmaPipeline
import LemmaStore

/// What a run left behind for the next one: every stage with its result, and every file that the
/// verdict "up to date" rested on. It is read in place, so that what did not change costs a `stat`
/// and nothing else. It may be deleted at any time; nothing is known only here.
///
/// The file (`docs/formats.md`): a header, tables of 32-bit words, then the bytes they point into.
final class Snapshot: @unchecked Sendable {
  static let magic = Array("lemma snapshot 1".utf8)

  /// Where the tables begin, in bytes, and how many records they have.
  struct Layout {
    static let headerSize = 64
    static let stageWords = 13
    static let watchSize = 120

    var stages: Int
    var links: Int
    var watches: Int
    var context: (offset: Int, length: Int)

    var stageTable: Int { Layout.headerSize }
    var linkTable: Int { stageTable + stages * Layout.stageWords * 4 }
    var watchTable: Int { (linkTable + links * 4 + 7) & ~7 }
    var blob: Int { watchTable + watches * Layout.watchSize }
  }

  // Mapped, and read only: hence @unchecked.
  private let base: UnsafeRawPointer
  private let size: Int
  private let layout: Layout
  /// Pipeline-wide facts, as JSON.
  let context: JSON

  /// Maps the snapshot at `path`; `nil` when there is none, or it is not whole.
  init?(path: String) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_size > Layout.headerSize,
      let base = mmap(nil, Int(status.st_size), PROT_READ, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED
    else { return nil }
    self.base = UnsafeRawPointer(base)
    size = Int(status.st_size)
    let bytes = UnsafeRawBufferPointer(start: base, count: size)
    func word(_ offset: Int) -> Int { Int(bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)) }
    layout = Layout(stages: word(32), links: word(36), watches: word(40), context: (word(44), word(48)))
    let isWhole =
      bytes[..<16].elementsEqual(Snapshot.magic)
      && Digest(of: UnsafeRawBufferPointer(rebasing: bytes[32...])).bytes == Array(bytes[16..<32])
    guard isWhole, layout.blob + layout.context.offset + layout.context.length <= size,
      let context = try? JSON(
        parsing: bytes[(layout.blob + layout.context.offset)...].prefix(layout.context.length), file: path)
    else {
      // A class that fails to initialise is not torn down.
      munmap(base, size)
      return nil
    }
    self.context = context
  }

  deinit { munmap(UnsafeMutableRawPointer(mutating: base), size) }

  /// How large its parts are: links by count, the others in bytes.
  var sizes: (links: Int, watches: Int, blob: Int) {
    (layout.links, layout.watches * Layout.watchSize, size - layout.blob)
  }

  // MARK: Stages

  var stageCount: Int { layout.stages }

  enum Field: Int {
    case idOffset, idLength, stageOffset, stageLength, resultOffset, resultLength
    case line, column, dependencies, dependencyCount, watches, watchCount, flags
  }

  /// What a stage's flags say of it.
  struct Flags: OptionSet {
    let rawValue: UInt32
    /// Its result is known. Without it the stage must be looked at.
    static let isDone = Flags(rawValue: 1)
    /// It has metrics, or an output that a person would read.
    static let isShown = Flags(rawValue: 2)
    /// Its action depends on more of the stages before it than their outputs.
    static let isDeep = Flags(rawValue: 4)
  }

  func field(_ field: Field, of number: Int) -> Int {
    Int(
      base.loadUnaligned(
        fromByteOffset: layout.stageTable + (number * Layout.stageWords + field.rawValue) * 4, as: UInt32.self))
  }

  func bytes(_ offset: Field, _ length: Field, of number: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: base + layout.blob + field(offset, of: number), count: field(length, of: number))
  }

  func flags(_ number: Int) -> Flags { Flags(rawValue: UInt32(field(.flags, of: number))) }

  func idBytes(_ number: Int) -> UnsafeRawBufferPointer { bytes(.idOffset, .idLength, of: number) }

  func id(_ number: Int) -> String { String(decoding: idBytes(number), as: UTF8.self) }

  func dependencies(of number: Int) -> [Int] {
    links(.dependencies, .dependencyCount, of: number)
  }

  /// The numbers of the watches that a stage rests on.
  func watches(of number: Int) -> [Int] { links(.watches, .watchCount, of: number) }

  func forEachWatch(of number: Int, _ body: (Int) -> Void) {
    let start = layout.linkTable + field(.watches, of: number) * 4
    for index in 0..<field(.watchCount, of: number) {
      body(Int(base.loadUnaligned(fromByteOffset: start + index * 4, as: UInt32.self)))
    }
  }

  private func links(_ first: Field, _ count: Field, of number: Int) -> [Int] {
    let start = layout.linkTable + field(first, of: number) * 4
    return (0..<field(count, of: number)).map {
      Int(base.loadUnaligned(fromByteOffset: start + $0 * 4, as: UInt32.self))
    }
  }

  /// - Precondition: the snapshot was written by this very program, as `Survey` makes sure.
  func stage(_ number: Int, file: String) -> Stage {
    let position = Position(file: file, line: field(.line, of: number), column: field(.column, of: number))
    guard let json = try? JSON(parsing: bytes(.stageOffset, .stageLength, of: number), file: "snapshot"),
      let stage = Stage(json: json, position: position)
    else { preconditionFailure("a snapshot of this program holds a stage that it cannot read") }
    return stage
  }

  /// The result of a stage that is done.
  func result(_ number: Int) -> ActionResult? {
    guard flags(number).contains(.isDone) else { return nil }
    return ActionResult(json: memo(number)?["result"])
  }

  /// The identity of the action document of a stage that is done.
  func document(_ number: Int) -> Identity? { Artifact(json: memo(number)?["document"])?.identity }

  private func memo(_ number: Int) -> JSON? {
    try? JSON(parsing: bytes(.resultOffset, .resultLength, of: number), file: "snapshot")
  }

  // MARK: Watches

  /// The watches that belong to the pipeline as a whole.
  enum Common: String, CaseIterable {
    case pipeline, program, ledger
  }

  /// - Precondition: the context is one that this program wrote, as its checksum says.
  func watches(of common: Common) -> [Int] {
    (context["watches"]?[common.rawValue]?.array ?? []).compactMap(\.int)
  }

  var watchCount: Int { layout.watches }

  func watch(_ number: Int) -> WatchRecord {
    WatchRecord(base: base + layout.watchTable + number * Layout.watchSize, blob: base + layout.blob)
  }
}

/// One watch as it stands in a snapshot, read in place.
struct WatchRecord {
  let base: UnsafeRawPointer
  let blob: UnsafeRawPointer

  private func word(_ offset: Int) -> UInt32 { base.loadUnaligned(fromByteOffset: offset, as: UInt32.self) }
  private func long(_ offset: Int) -> Int64 { base.loadUnaligned(fromByteOffset: offset, as: Int64.self) }

  var kind: Watch.Kind { Watch.Kind(rawValue: base.load(fromByteOffset: 8, as: UInt8.self)) ?? .never }
  /// With the zero that ends it.
  var path: UnsafePointer<CChar> { (blob + Int(word(0))).assumingMemoryBound(to: CChar.self) }
  /// Everything but where in the blob the path is.
  var bytesAfterPlace: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: base + 4, count: Snapshot.Layout.watchSize - 4)
  }
  var pathBytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: blob + Int(word(0)), count: Int(word(4))) }

  func stamp() -> Stamp {
    Stamp(
      device: UInt64(bitPattern: long(16)), inode: UInt64(bitPattern: long(24)), size: long(32), modified: long(40),
      changed: long(48))
  }

  var hashedAt: Int64 { long(56) }
  var artifactByte: UInt8 { base.load(fromByteOffset: 9, as: UInt8.self) }
  var digestSize: UInt64 { UInt64(bitPattern: long(80)) }

  /// Nil for a watch without content.
  var artifact: Artifact? {
    let kind: Artifact.Kind
    switch artifactByte {
    case 1: kind = .file
    case 2: kind = .executable
    case 3: kind = .folder
    default: return nil
    }
    let digest = Digest(
      high: UInt64(bitPattern: long(64)), low: UInt64(bitPattern: long(72)), size: digestSize)
    let seal = Seal(bytes: Array(UnsafeRawBufferPointer(start: base + 88, count: 32)))
    return Artifact(kind: kind, identity: Identity(digest: digest, seal: seal))
  }

  var watch: Watch {
    Watch(
      path: String(decoding: pathBytes, as: UTF8.self), kind: kind, stamp: stamp(), hashedAt: hashedAt,
      artifact: artifact)
  }
}
