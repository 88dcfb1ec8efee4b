import Glibc
import LemmaBasics
import LemmaHash

/// Removing objects that nothing needs any more. What is needed is for the caller to say; what is young
/// stays whatever he says, and so does everything while some process has the store in use.
extension Store {
  /// What a collection removed, or would remove.
  public struct Collection: Sendable {
    public var objects = 0
    /// Of removed objects.
    public var bytes: UInt64 = 0
    /// Objects that stay.
    public var kept = 0
    /// Packs that were written anew without what was removed from them.
    public var repacked = 0
    /// Censuses and leftovers of censuses, which are a memory only.
    public var censuses = 0
  }

  /// A pack is written anew when less than this part of it is needed, in percent.
  private static let leastLive: Int64 = 75

  /// Everything that some artifacts are made of: themselves, and for folders all their files. What the
  /// store has lost is passed over.
  public func closure(of artifacts: some Sequence<Artifact>) throws -> Set<Identity> {
    var all: Set<Identity> = []
    for artifact in artifacts where all.insert(artifact.identity).inserted && artifact.kind == .folder {
      guard let manifest = try? read(artifact.identity, quarantines: false) else { continue }
      try ManifestReader.read(manifest) { _, node in
        if case .file(let identity, _) = node { all.insert(identity) }
      }
    }
    return all
  }

  /// Removes the objects that are not in `keeping` and older than `moment`. It first forgets, then
  /// removes, so that a kill at any instant leaves objects that nobody knows, never names without objects.
  /// - Parameters:
  ///   - moment: nanoseconds since the epoch; what came into the store later is young.
  ///   - dryRun: only counts.
  /// - Throws: `Failure` of code `store-in-use` while another process writes to the store.
  public func collect(keeping: Set<Identity>, olderThan moment: Int64, dryRun: Bool) throws -> Collection {
    if dryRun { return try collection(keeping, moment, dryRun: true) }
    if index.isReadOnly { throw readOnly() }
    try flush()
    let alone = try useAlone()
    defer { withExtendedLifetime(alone) {} }
    try adoptStrays()
    return try collection(keeping, moment, dryRun: false)
  }

  private func collection(_ keeping: Set<Identity>, _ moment: Int64, dryRun: Bool) throws -> Collection {
    var result = Collection()
    try collectAlone(keeping, moment, dryRun, &result)
    for (pack, stamp) in try index.packs().sorted(by: { $0.key < $1.key }) {
      try collect(pack, stamp, keeping, moment, dryRun, &result)
    }
    result.censuses = try collectCensuses(moment, dryRun)
    return result
  }

  // MARK: Files of their own

  private func collectAlone(
    _ keeping: Set<Identity>, _ moment: Int64, _ dryRun: Bool, _ result: inout Collection
  ) throws {
    // Small ones too: in stores of the first version each has a file of its own.
    let needed = Set(keeping.lazy.map { Store.name(of: $0) })
    var doomed: [String] = []
    for folder in try Files.list("\(root)/objects") where Files.isFolder("\(root)/objects/\(folder)") {
      for file in try Files.list("\(root)/objects/\(folder)") {
        let name = "\(folder)/\(file)"
        guard let stamp = Stamp.of("\(root)/objects/\(name)"), stamp.changed < moment, !needed.contains(name) else {
          result.kept += 1
          continue
        }
        doomed.append(name)
        result.objects += 1
        result.bytes += UInt64(clamping: stamp.size)
      }
    }
    if dryRun || doomed.isEmpty { return }
    let names = Set(doomed)
    try index.forget(try index.aloneObjects().filter { names.contains(Store.name(of: $0)) })
    for name in doomed { try Files.remove("\(root)/objects/\(name)") }
  }

  // MARK: Packs

  private func collect(
    _ pack: Int64, _ stamp: Stamp, _ keeping: Set<Identity>, _ moment: Int64, _ dryRun: Bool,
    _ result: inout Collection
  ) throws {
    let members = try index.members(ofPack: pack)
    let path = PackFormat.path(of: pack, in: root)
    guard let found = Stamp.of(path), found.modified < moment, pending.ownStamp(ofPack: pack) == nil else {
      result.kept += members.count
      return
    }
    let live = members.filter { keeping.contains($0.identity) }
    let dead = members.filter { !keeping.contains($0.identity) }
    result.kept += live.count
    result.objects += dead.count
    result.bytes += dead.reduce(0) { $0 + $1.identity.size }
    if dryRun { return }
    let liveBytes = live.reduce(Int64(0)) { $0 + Int64($1.identity.size) + Int64(PackFormat.headerSize) }
    if live.isEmpty {
      try index.forget(dead.map(\.identity), pack: pack)
      openPacks.forget(pack)
      try Files.remove(path)
    } else if liveBytes * 100 < found.size * Store.leastLive {
      try merge([pack], forgetting: Set(dead.map(\.identity)))
      result.repacked += 1
    } else {
      // Not worth copying yet: the names go, the bytes stay till more of them do.
      try index.forget(dead.map(\.identity))
    }
  }

  /// A census that nobody looked at for so long is made again at the next look.
  private func collectCensuses(_ moment: Int64, _ dryRun: Bool) throws -> Int {
    guard Files.exists("\(root)/censuses") else { return 0 }
    let old = try Files.list("\(root)/censuses").map { "\(root)/censuses/\($0)" }.filter {
      (Stamp.of($0)?.modified ?? moment) < moment
    }
    if !dryRun { for path in old { try Files.remove(path) } }
    return old.count
  }
}
