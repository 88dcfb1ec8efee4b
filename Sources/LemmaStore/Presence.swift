import Glibc
import LemmaBasics
import LemmaHash

/// Whether an object is there and sound.
extension Store {
  /// True when the object's bytes are those of its name. An unchanged stamp answers without
  /// reading; any other is hashed, and an altered object goes into quarantine.
  public func isSound(_ identity: Identity, quarantines: Bool = true) throws -> Bool {
    try soundPlace(of: identity, quarantines: quarantines) != nil
  }

  /// Whether a whole artifact is there and sound: for a folder its manifest and every file in it.
  public func isSound(_ artifact: Artifact, quarantines: Bool = true) throws -> Bool {
    if artifact.kind != .folder { return try isSound(artifact.identity, quarantines: quarantines) }
    return try soundHolding(of: artifact.identity, quarantines: quarantines) != nil
  }

  /// The store's files whose stamps vouch for an artifact: while all are unchanged, so is every byte
  /// of it. For a folder those of its manifest and of all its files. To be asked after a flush: what is
  /// not durable yet is in no such file.
  /// - Throws: `ObjectFault` when something of it is missing or altered.
  public func files(holding artifact: Artifact) throws -> [String] {
    var holding = Holding()
    if artifact.kind == .folder {
      guard let found = try soundHolding(of: artifact.identity) else {
        throw ObjectFault(identity: artifact.identity, reason: .missing)
      }
      holding = found
    } else {
      guard let place = try soundPlace(of: artifact.identity) else {
        throw ObjectFault(identity: artifact.identity, reason: .missing)
      }
      holding.insert(artifact.identity, at: place)
    }
    return (holding.packs.map { PackFormat.path(of: $0, in: root) } + holding.alone.map { path(of: $0) }).sorted()
  }

  // MARK: One object

  /// Where a sound object is; `nil` when it is missing or altered.
  func soundPlace(of identity: Identity, quarantines: Bool = true) throws -> ObjectPlace? {
    switch pending.place(of: identity) {
    case .packed(let pack, let offset): return .packed(pack: pack, offset: offset)
    case .alone: return .alone(.none)
    case nil: break
    }
    return try soundPlace(of: identity, quarantines: quarantines, indexed: try index.place(of: identity))
  }

  /// - Parameter place: where the index thinks that it is.
  private func soundPlace(
    of identity: Identity, quarantines: Bool, indexed place: ObjectPlace?
  ) throws -> ObjectPlace? {
    switch place {
    case .packed(let pack, let offset):
      let place = ObjectPlace.packed(pack: pack, offset: offset)
      if try isVouchedFor(pack) { return place }
      if quarantines, try settle(pack) { return try index.place(of: identity) }
      return try isVerified(identity, quarantines: quarantines) ? place : nil
    case .alone(let stamp):
      if Stamp.of(path(of: identity)) == stamp { return .alone(stamp) }
    case nil: break
    }
    guard let stamp = Stamp.of(path(of: identity)), try isVerified(identity, quarantines: quarantines) else {
      return nil
    }
    return .alone(stamp)
  }

  /// The same for many objects. A pack is asked once, and not for each of its thousands.
  /// - Parameter vouched: packs that were asked already.
  func soundPlaces(
    of identities: [Identity], quarantines: Bool = true, vouched: inout Set<Int64>
  ) throws -> [ObjectPlace?] {
    var places: [ObjectPlace?] = pending.places(of: identities).map { place in
      switch place {
      case .packed(let pack, let offset): .packed(pack: pack, offset: offset)
      case .alone: .alone(.none)
      case nil: nil
      }
    }
    let asked = places.indices.filter { places[$0] == nil }
    for (number, place) in zip(asked, try index.places(of: asked.map { identities[$0] })) {
      if let place, case .packed(let pack, _) = place, try vouched.contains(pack) || isVouchedFor(pack) {
        vouched.insert(pack)
        places[number] = place
      } else {
        places[number] = try soundPlace(of: identities[number], quarantines: quarantines, indexed: place)
      }
    }
    return places
  }

  private func isVerified(_ identity: Identity, quarantines: Bool) throws -> Bool {
    do {
      try verify(identity, quarantines: quarantines)
      return true
    } catch is ObjectFault {
      return false
    }
  }

  /// Reads the whole object and compares both names, whatever its stamp says.
  /// - Parameter quarantines: false for one who only looks, such as an audit.
  /// - Throws: `ObjectFault` when it is missing or altered; an altered one goes into quarantine.
  public func verify(_ identity: Identity, quarantines: Bool = true) throws {
    switch try open(identity, quarantines: quarantines) {
    // Compared when they were read.
    case .bytes: return
    case .file(let file):
      let before = try Stamp(descriptor: file.descriptor, path: file.path)
      guard try hash(file) == identity else { throw try altered(identity, quarantines: quarantines) }
      if try Stamp(descriptor: file.descriptor, path: file.path) == before {
        try index.commit(IndexBatch(alone: [(identity, before)]))
      }
    }
  }

  // MARK: Packs

  /// Whether a pack is as it was when its objects were known to be right.
  func isVouchedFor(_ pack: Int64) throws -> Bool {
    guard let stamp = Stamp.of(PackFormat.path(of: pack, in: root)) else { return false }
    if let own = pending.ownStamp(ofPack: pack) { return own == stamp }
    return try index.packStamp(pack) == stamp
  }

  /// Hashes every object of a pack that nothing vouches for: the altered ones go into quarantine, and the
  /// pack's stamp vouches for the rest.
  /// - Returns: false when another process writes to it, or it cannot be settled.
  private func settle(_ pack: Int64) throws -> Bool {
    if index.isReadOnly || pending.ownStamp(ofPack: pack) != nil { return false }
    openPacks.forget(pack)
    guard let file = try OpenPack(PackFormat.path(of: pack, in: root)) else { return false }
    guard flock(file.descriptor, LOCK_SH | LOCK_NB) == 0 else { return false }
    let before = try Stamp(descriptor: file.descriptor, path: file.path)
    var hasher = ContentHasher()
    var altered: [(Identity, [UInt8])] = []
    for (identity, offset) in try index.members(ofPack: pack).sorted(by: { $0.offset < $1.offset }) {
      let bytes = try file.read(Int(identity.size), at: offset)
      if bytes.withUnsafeBytes({ hasher.identity(of: $0) }) != identity { altered.append((identity, bytes)) }
    }
    for (identity, bytes) in altered { try keepAside(bytes, of: identity) }
    let isSteady = try Stamp(descriptor: file.descriptor, path: file.path) == before
    try index.settle(pack, isSteady ? before : Stamp.none, without: altered.map(\.0))
    return isSteady
  }

  // MARK: Folders

  /// What holds a sound folder; `nil` when something of it is missing or altered.
  func soundHolding(of identity: Identity, quarantines: Bool = true) throws -> Holding? {
    guard try isSound(identity, quarantines: quarantines) else { return nil }
    if let holding = try index.holding(of: identity), try isSound(holding, quarantines: quarantines) { return holding }
    var holding = Holding()
    var vouched: Set<Int64> = []
    var asked = [identity]
    var isWhole = true
    func ask() throws {
      let places = try soundPlaces(of: asked, quarantines: quarantines, vouched: &vouched)
      for (identity, place) in zip(asked, places) {
        if let place { holding.insert(identity, at: place) } else { isWhole = false }
      }
      asked = []
    }
    try ManifestReader.read(try read(identity, quarantines: quarantines)) { _, node in
      if isWhole, case .file(let identity, _) = node { asked.append(identity) }
      if asked.count >= 4096 { try ask() }
    }
    try ask()
    guard isWhole else { return nil }
    let found = holding
    pending.remember { $0.holdings.append((identity, found)) }
    return holding
  }

  /// Whether nothing changed in what held a folder.
  func isSound(_ holding: Holding, quarantines: Bool = true) throws -> Bool {
    try holding.packs.allSatisfy { try isVouchedFor($0) }
      && holding.alone.allSatisfy { try isSound($0, quarantines: quarantines) }
  }
}

extension Tree {
  /// The identities of all its files.
  public var files: [Identity] {
    entries.compactMap { if case .file(let identity, _) = $0.node { identity } else { nil } }
  }
}
