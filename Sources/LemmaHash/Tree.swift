import LemmaBasics

/// A folder as its sorted manifest. Names are bytes, as the file system has them; symbolic links
/// are recorded as links and never followed.
public struct Tree: Hashable, Sendable {
  public struct Entry: Hashable, Sendable {
    public enum Node: Hashable, Sendable {
      case file(Identity, isExecutable: Bool)
      case folder
      case link(target: [UInt8])
    }

    /// Relative, with `/` between the parts; every folder on the way has an entry of its own.
    public var path: [UInt8]
    public var node: Node

    public init(path: [UInt8], node: Node) {
      self.path = path
      self.node = node
    }
  }

  /// Sorted by path, byte by byte.
  public let entries: [Entry]

  /// - Throws: `Failure` when the entries do not describe one folder: a path that is absolute or
  ///   climbs out, one that stands twice, one whose parent is not a folder of the tree.
  public init(_ entries: [Entry]) throws {
    let sorted = entries.sorted { $0.path.lexicographicallyPrecedes($1.path) }
    var folders: Set<[UInt8]> = []
    for (index, entry) in sorted.enumerated() {
      try Tree.check(entry.path)
      if index > 0, sorted[index - 1].path == entry.path { throw Tree.refused("stands twice", entry.path) }
      if let slash = entry.path.lastIndex(of: slashByte), !folders.contains(Array(entry.path[..<slash])) {
        throw Tree.refused("is not inside a folder of the tree", entry.path)
      }
      if case .folder = entry.node { folders.insert(entry.path) }
    }
    self.entries = sorted
  }

  private static func check(_ path: [UInt8]) throws {
    if path.isEmpty { throw refused("is empty", path) }
    if path.contains(0) { throw refused("has a NUL", path) }
    for part in path.split(separator: slashByte, omittingEmptySubsequences: false)
    where part.isEmpty || part.elementsEqual([dotByte]) || part.elementsEqual([dotByte, dotByte]) {
      throw refused("could leave its folder", path)
    }
  }

  fileprivate static func refused(_ reason: String, _ path: [UInt8]) -> Failure {
    Failure(.store, "tree", "tree manifest refused: the path '\(String(decoding: path, as: UTF8.self))' \(reason)")
  }
}

private let slashByte = UInt8(ascii: "/")
private let dotByte = UInt8(ascii: ".")

/// The stored form, version 1 (`docs/formats.md`): a header line, then one record an entry.
///
///     lemma tree 1 NEWLINE
///     f XXH3 SIZE SHA256 PATH NUL        a file; `x` when it is executable
///     d PATH NUL                         a folder
///     l PATH NUL TARGET NUL              a symbolic link
extension Tree {
  private static let header = Array("lemma tree 1\n".utf8)

  /// The manifest's bytes: the tree's identity is theirs.
  public var bytes: [UInt8] {
    var bytes = Tree.header
    for entry in entries {
      switch entry.node {
      case .file(let identity, let isExecutable):
        bytes += (isExecutable ? "x " : "f ").utf8
        bytes += "\(identity.digest.hex) \(identity.size) \(identity.seal.hex) ".utf8
        bytes += entry.path
      case .folder:
        bytes += "d ".utf8
        bytes += entry.path
      case .link(let target):
        bytes += "l ".utf8
        bytes += entry.path
        bytes.append(0)
        bytes += target
      }
      bytes.append(0)
    }
    return bytes
  }

  /// - Throws: `Failure` when the bytes are not a manifest; what comes out is sorted and stays
  ///   inside its folder.
  public init(parsing bytes: [UInt8]) throws {
    guard bytes.starts(with: Tree.header) else { throw Tree.malformed("it does not begin with 'lemma tree 1'") }
    var entries: [Entry] = []
    var rest = bytes[Tree.header.count...]
    func takeRecord() throws -> ArraySlice<UInt8> {
      guard let end = rest.firstIndex(of: 0) else { throw Tree.malformed("its last record is cut off") }
      defer { rest = rest[(end + 1)...] }
      return rest[..<end]
    }
    while !rest.isEmpty {
      let record = try takeRecord()
      guard record.count > 2, record[record.startIndex + 1] == UInt8(ascii: " ") else {
        throw Tree.malformed("record \(entries.count + 1) is too short")
      }
      let body = record.dropFirst(2)
      switch record[record.startIndex] {
      case UInt8(ascii: "d"): entries.append(Entry(path: Array(body), node: .folder))
      case UInt8(ascii: "l"):
        entries.append(Entry(path: Array(body), node: .link(target: Array(try takeRecord()))))
      case let letter where letter == UInt8(ascii: "f") || letter == UInt8(ascii: "x"):
        let fields = body.split(separator: UInt8(ascii: " "), maxSplits: 3, omittingEmptySubsequences: false)
        guard fields.count == 4, let size = UInt64(String(decoding: fields[1], as: UTF8.self)),
          let digest = Digest(hex: String(decoding: fields[0], as: UTF8.self), size: size),
          let seal = Seal(hex: String(decoding: fields[2], as: UTF8.self))
        else { throw Tree.malformed("record \(entries.count + 1) is not a file's") }
        let identity = Identity(digest: digest, seal: seal)
        entries.append(
          Entry(path: Array(fields[3]), node: .file(identity, isExecutable: letter == UInt8(ascii: "x"))))
      default: throw Tree.malformed("record \(entries.count + 1) is of an unknown type")
      }
    }
    try self.init(entries)
    guard self.entries == entries else { throw Tree.malformed("its records are not sorted") }
  }

  private static func malformed(_ reason: String) -> Failure {
    Failure(.store, "tree", "not a tree manifest: \(reason)")
  }
}
