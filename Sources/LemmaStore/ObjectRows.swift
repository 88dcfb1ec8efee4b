import LemmaBasics
import LemmaHash

/// Where an object is.
enum ObjectPlace: Hashable, Sendable {
  /// In a pack: `offset` is that of its bytes, which follow its header.
  case packed(pack: Int64, offset: Int64)
  /// In a file of its own, with the stamp that it had when its bytes were known to be right.
  case alone(Stamp)
}

/// Everything of one flush that goes into the index in one transaction.
struct IndexBatch {
  var packs: [(pack: Int64, stamp: Stamp)] = []
  var packed: [(identity: Identity, pack: Int64, offset: Int64)] = []
  var alone: [(identity: Identity, stamp: Stamp)] = []
  var stamps: [FileStamp] = []
  var fingerprints: [(Fingerprint, Identity)] = []
  var holdings: [(Identity, Holding)] = []
  var censuses: [(device: UInt64, inode: UInt64, census: [UInt8])] = []
  var results: [ActionRecord] = []

  var isEmpty: Bool {
    packs.isEmpty && packed.isEmpty && alone.isEmpty && stamps.isEmpty && fingerprints.isEmpty && holdings.isEmpty
      && censuses.isEmpty && results.isEmpty
  }
}

/// What a file of the workspace was found to be.
struct FileStamp {
  var stamp: Stamp
  /// When the hash began, nanoseconds since the epoch.
  var hashedAt: Int64
  var identity: Identity
}

/// The rows about objects: where they are, and the stamps that vouch for them.
extension Index {
  func commit(_ batch: IndexBatch) throws {
    if batch.isEmpty { return }
    try update { database in
      for row in batch.packs { try database.setPack(row.pack, row.stamp) }
      // In the order of the table's key: the pages are filled one after the other.
      for row in batch.packed.sorted(by: { Index.precedes($0.identity, $1.identity) }) {
        try database.setPlace(of: row.identity, pack: row.pack, offset: row.offset)
      }
      for (identity, stamp) in batch.alone {
        try database.run(
          "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?)",
          [.blob(identity.storedBytes)] + stamp.columns.map(SQLValue.integer))
      }
      for file in batch.stamps {
        try database.run(
          "INSERT OR REPLACE INTO stamps VALUES (?, ?, ?, ?, ?, ?, ?)",
          file.stamp.columns.map(SQLValue.integer) + [.integer(file.hashedAt), .blob(file.identity.storedBytes)])
      }
      for (fingerprint, identity) in batch.fingerprints {
        try database.run(
          "INSERT OR REPLACE INTO fingerprints VALUES (?, ?, ?)",
          [.blob(fingerprint.bytes), .blob(identity.storedBytes), .integer(Int64(identity.size))])
      }
      for (identity, holding) in batch.holdings {
        try database.run(
          "INSERT OR REPLACE INTO holdings VALUES (?, ?)", [.blob(identity.storedBytes), .blob(holding.bytes)])
      }
      for (device, inode, census) in batch.censuses {
        try database.run(
          "INSERT OR REPLACE INTO censuses VALUES (?, ?, ?)",
          [.integer(Int64(bitPattern: device)), .integer(Int64(bitPattern: inode)), .blob(census)])
      }
      for record in batch.results {
        try database.run(
          "INSERT OR REPLACE INTO results VALUES (?, ?, ?)",
          [.text(record.key.hex), .text(record.documentSeal.hex), .text(record.result.canonical)])
      }
    }
  }

  static func precedes(_ left: Identity, _ right: Identity) -> Bool {
    (left.digest.high, left.digest.low) < (right.digest.high, right.digest.low)
  }

  // MARK: Objects

  /// Where the index thinks an object is.
  func place(of identity: Identity) throws -> ObjectPlace? { try locked { try $0.place(of: identity) } }

  /// The same for many, in one transaction: outside of one every question costs some system calls.
  func places(of identities: [Identity]) throws -> [ObjectPlace?] {
    if identities.isEmpty { return [] }
    return try locked { database in
      try database.script("BEGIN")
      defer { try? database.script("COMMIT") }
      return try identities.map { try database.place(of: $0) }
    }
  }

  /// Forgets where objects are, and every folder's holding: one of them may count on them.
  func forget(_ identities: [Identity]) throws {
    if identities.isEmpty { return }
    try update { try $0.forget(identities) }
  }

  /// Forgets a pack that is gone or about to go, with the objects in it.
  func forget(_ identities: [Identity], pack: Int64) throws {
    try update { database in
      try database.forget(identities)
      try database.run("DELETE FROM packs WHERE pack = ?", [.integer(pack)])
    }
  }

  /// The objects that have a file of their own, as far as they are known.
  func aloneObjects() throws -> [Identity] {
    try locked { database in
      try database.query("SELECT name, size FROM objects") { $0.identity(0, size: $0.integer(1)) }.compactMap { $0 }
    }
  }

  /// The known object with a file of its own that has this name: the whole of the XXH3-128, and the head
  /// of the seal in hexadecimal digits.
  func alone(digest: [UInt8], sealHead: String) throws -> Identity? {
    try locked { database in
      try database.query(
        "SELECT name, size FROM objects WHERE name >= ? AND name < ?",
        [.blob(digest), .blob(digest + [UInt8](repeating: 0xFF, count: 33))]
      ) { $0.identity(0, size: $0.integer(1)) }.lazy.compactMap { $0 }.first { $0.seal.hex.hasPrefix(sealHead) }
    }
  }

  // MARK: Packs

  func packStamp(_ pack: Int64) throws -> Stamp? {
    try locked { database in
      try database.query(
        "SELECT device, inode, size, modified, changed FROM packs WHERE pack = ?", [.integer(pack)]
      ) { Stamp($0, from: 0) }.first
    }
  }

  func packs() throws -> [Int64: Stamp] {
    try locked { database in
      let rows = try database.query("SELECT device, inode, size, modified, changed, pack FROM packs") {
        ($0.integer(5), Stamp($0, from: 0))
      }
      return Dictionary(rows, uniquingKeysWith: { first, _ in first })
    }
  }

  /// Lets a pack's stamp vouch for what is in it, but for the altered objects, which are forgotten.
  func settle(_ pack: Int64, _ stamp: Stamp, without altered: [Identity]) throws {
    try update { database in
      if !altered.isEmpty { try database.forget(altered) }
      try database.setPack(pack, stamp)
    }
  }

  /// Moves objects to one new pack and forgets the packs that they came from.
  func move(
    _ objects: [(identity: Identity, pack: Int64, offset: Int64)], to stamp: Stamp, from packs: [Int64],
    forgetting doomed: Set<Identity>
  ) throws {
    try update { database in
      try database.forget(doomed.sorted(by: Index.precedes))
      for object in objects.sorted(by: { Index.precedes($0.identity, $1.identity) }) {
        try database.setPlace(of: object.identity, pack: object.pack, offset: object.offset)
      }
      if let pack = objects.first?.pack { try database.setPack(pack, stamp) }
      for pack in packs { try database.run("DELETE FROM packs WHERE pack = ?", [.integer(pack)]) }
    }
  }

  /// The objects that the index thinks are in a pack.
  func members(ofPack pack: Int64) throws -> [(identity: Identity, offset: Int64)] {
    try locked { database in
      try database.query("SELECT name, size, place FROM packed WHERE pack = ?", [.integer(pack)]) { row in
        row.identity(0, size: row.integer(1)).map { ($0, row.integer(2)) }
      }.compactMap { $0 }
    }
  }

  // MARK: Folders

  func holding(of identity: Identity) throws -> Holding? {
    try locked { database in
      try database.query("SELECT holding FROM holdings WHERE name = ?", [.blob(identity.storedBytes)]) {
        Holding(bytes: $0.blob(0))
      }.first ?? nil
    }
  }

  func census(device: UInt64, inode: UInt64) throws -> [UInt8]? {
    try locked { database in
      try database.query(
        "SELECT census FROM censuses WHERE device = ? AND inode = ?",
        [.integer(Int64(bitPattern: device)), .integer(Int64(bitPattern: inode))]
      ) { $0.blob(0) }.first
    }
  }

  func forgetCensus(device: UInt64, inode: UInt64) throws {
    if try census(device: device, inode: inode) == nil { return }
    try update {
      try $0.run(
        "DELETE FROM censuses WHERE device = ? AND inode = ?",
        [.integer(Int64(bitPattern: device)), .integer(Int64(bitPattern: inode))])
    }
  }

  // MARK: Files

  /// The identity of the file behind `stamp`, when it was hashed before and cannot have changed since.
  func identity(of stamp: Stamp) throws -> Identity? {
    try locked { database in
      try database.query(
        "SELECT device, inode, size, modified, changed, hashed_at, name FROM stamps WHERE device = ? AND inode = ?",
        [.integer(Int64(bitPattern: stamp.device)), .integer(Int64(bitPattern: stamp.inode))]
      ) { row -> Identity? in
        guard Stamp(row, from: 0) == stamp, !stamp.isRacy(hashedAt: row.integer(5)) else { return nil }
        return row.identity(6, size: stamp.size)
      }.first ?? nil
    }
  }

  /// Whether a file of this size was ever fingerprinted.
  func hasFingerprint(ofSize size: Int64) throws -> Bool {
    try locked { database in
      try database.query("SELECT 1 FROM fingerprints WHERE size = ? LIMIT 1", [.integer(size)]) { _ in true }
        .first ?? false
    }
  }

  func identity(of fingerprint: Fingerprint, size: Int64) throws -> Identity? {
    try locked { database in
      try database.query(
        "SELECT name, size FROM fingerprints WHERE fingerprint = ?", [.blob(fingerprint.bytes)]
      ) { row -> Identity? in row.integer(1) == size ? row.identity(0, size: size) : nil }.first ?? nil
    }
  }
}

/// The same, for what is done inside a transaction.
extension Database {
  func place(of identity: Identity) throws -> ObjectPlace? {
    let name = SQLValue.blob(identity.storedBytes)
    var place: ObjectPlace?
    try each("SELECT pack, place, size FROM packed WHERE name = ?", [name]) { row in
      if row.integer(2) == Int64(identity.size) { place = .packed(pack: row.integer(0), offset: row.integer(1)) }
    }
    if place == nil {
      try each("SELECT device, inode, size, modified, changed FROM objects WHERE name = ?", [name]) { row in
        place = .alone(Stamp(row, from: 0))
      }
    }
    return place
  }

  func setPack(_ pack: Int64, _ stamp: Stamp) throws {
    try run(
      "INSERT OR REPLACE INTO packs VALUES (?, ?, ?, ?, ?, ?)",
      [.integer(pack)] + stamp.columns.map(SQLValue.integer))
  }

  func setPlace(of identity: Identity, pack: Int64, offset: Int64) throws {
    try run(
      "INSERT OR REPLACE INTO packed VALUES (?, ?, ?, ?)",
      [.blob(identity.storedBytes), .integer(Int64(identity.size)), .integer(pack), .integer(offset)])
  }

  /// Whether an object is known to be in some pack.
  func isPacked(_ identity: Identity) throws -> Bool {
    try query("SELECT 1 FROM packed WHERE name = ?", [.blob(identity.storedBytes)]) { _ in true }.first ?? false
  }

  func forget(_ identities: [Identity]) throws {
    for identity in identities {
      let name = SQLValue.blob(identity.storedBytes)
      try run("DELETE FROM packed WHERE name = ?", [name])
      try run("DELETE FROM objects WHERE name = ?", [name])
    }
    try run("DELETE FROM holdings")
  }
}
