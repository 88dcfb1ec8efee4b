import LemmaBasics

/// Both names of one content. Two contents that share a digest and a size are told apart by their
/// seals.
public struct Identity: Hashable, Sendable {
  public var digest: Digest
  public var seal: Seal

  public init(digest: Digest, seal: Seal) {
    self.digest = digest
    self.seal = seal
  }

  /// The identity of `bytes`.
  public init(of bytes: some Collection<UInt8>) {
    var hasher = ContentHasher()
    self =
      bytes.withContiguousStorageIfAvailable { hasher.identity(of: UnsafeRawBufferPointer($0)) }
      ?? Array(bytes).withUnsafeBytes { hasher.identity(of: $0) }
  }

  /// Bytes.
  public var size: UInt64 { digest.size }
}

/// A named input or output of a stage by its content: a file, or a folder as its tree manifest.
public struct Artifact: Hashable, Sendable {
  public enum Kind: String, Sendable {
    case file
    /// A file with its execute bit set.
    case executable
    /// The identity is that of the tree manifest.
    case folder
  }

  public var kind: Kind
  public var identity: Identity

  public init(kind: Kind, identity: Identity) {
    self.kind = kind
    self.identity = identity
  }
}

extension Artifact {
  /// `{"sha256", "size", "type", "xxh3"}`, as it stands in action documents and in the ledger.
  public var json: JSON {
    [
      "sha256": .string(identity.seal.hex), "size": JSON(Int(identity.size)), "type": .string(kind.rawValue),
      "xxh3": .string(identity.digest.hex),
    ]
  }

  /// Reads what `json` wrote; `nil` for anything else.
  public init?(json: JSON?) {
    guard let json, let kind = json["type"]?.string.flatMap(Kind.init),
      let size = json["size"]?.int, size >= 0,
      let digest = json["xxh3"]?.string.flatMap({ Digest(hex: $0, size: UInt64(size)) }),
      let seal = json["sha256"]?.string.flatMap({ Seal(hex: $0) })
    else { return nil }
    self.init(kind: kind, identity: Identity(digest: digest, seal: seal))
  }
}

extension Digest {
  /// Reads 32 lower-case hexadecimal digits; `nil` for anything else.
  public init?(hex: some StringProtocol, size: UInt64) {
    guard let words = parseHexadecimal(hex, words: 2) else { return nil }
    self.init(high: words[0], low: words[1], size: size)
  }

  /// The 16 bytes of the hash, most significant first.
  public var bytes: [UInt8] {
    [high, low].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * UInt64($0))) } }
  }
}

extension Identity {
  /// Bytes of `store(to:)`.
  public static let storedSize = 48

  /// Writes both names, 16 and 32 bytes, to the start of `raw`; the size stands elsewhere.
  public func store(to raw: UnsafeMutableRawBufferPointer) {
    raw.storeBytes(of: digest.high.bigEndian, toByteOffset: 0, as: UInt64.self)
    raw.storeBytes(of: digest.low.bigEndian, toByteOffset: 8, as: UInt64.self)
    seal.store(to: UnsafeMutableRawBufferPointer(rebasing: raw[16..<48]))
  }

  /// Reads what `store` wrote.
  public init(loading raw: UnsafeRawBufferPointer, size: UInt64) {
    func word(_ offset: Int) -> UInt64 {
      UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
    self.init(
      digest: Digest(high: word(0), low: word(8), size: size),
      seal: Seal(loading: UnsafeRawBufferPointer(rebasing: raw[16..<48])))
  }

  /// Both names as 48 bytes, in the order in which the index sorts them.
  public var storedBytes: [UInt8] {
    [UInt8](unsafeUninitializedCapacity: Identity.storedSize) { buffer, count in
      store(to: UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: buffer[..<Identity.storedSize])))
      count = Identity.storedSize
    }
  }
}
