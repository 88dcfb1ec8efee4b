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
    var checker = TreeChecker()
    for entry in sorted { try entry.path.withUnsafeBufferPointer { try checker.check($0, isFolder: entry.isFolder) } }
    self.entries = sorted
  }

  /// Entries that were checked already.
  init(checked entries: [Entry]) { self.entries = entries }

  static func refused(_ reason: String, _ path: some Collection<UInt8>) -> Failure {
    Failure(.store, "tree", "tree manifest refused: the path '\(String(decoding: path, as: UTF8.self))' \(reason)")
  }
}

extension Tree.Entry {
  var isFolder: Bool { if case .folder = node { true } else { false } }
}

extension Tree {
  /// The manifest's bytes: the tree's identity is theirs.
  public var bytes: [UInt8] {
    var manifest = ManifestWriter(expecting: entries.count)
    for entry in entries {
      entry.path.withUnsafeBytes { path in
        switch entry.node {
        case .file(let identity, let isExecutable):
          manifest.file(identity, isExecutable: isExecutable, prefix: [], name: path)
        case .folder: manifest.folder(prefix: [], name: path)
        case .link(let target): target.withUnsafeBytes { manifest.link(target: $0, prefix: [], name: path) }
        }
      }
    }
    return manifest.bytes
  }

  /// - Throws: `Failure` when the bytes are not a manifest; what comes out is sorted and stays
  ///   inside its folder.
  public init(parsing bytes: [UInt8]) throws {
    var entries: [Entry] = []
    try ManifestReader.read(bytes) { path, node in
      let node: Entry.Node =
        switch node {
        case .file(let identity, let isExecutable): .file(identity, isExecutable: isExecutable)
        case .folder: .folder
        case .link(let target): .link(target: Array(target))
        }
      entries.append(Entry(path: Array(path), node: node))
    }
    self.init(checked: entries)
  }
}
