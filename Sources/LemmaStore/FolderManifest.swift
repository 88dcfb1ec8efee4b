import CLinux
import LemmaBasics
import LemmaHash

/// The manifest of a walked folder: its entries in the order of their whole paths. Inside one folder that
/// is the order of names, where a folder's members stand at its name with a slash: `a`, `a.txt`, `a/b`.
enum FolderManifest {
  /// What is still to be written of a folder on the way down.
  private struct Level {
    var folder: WalkedFolder
    /// Numbers of entries; a folder's members are the number's complement.
    var items: [Int]
    var next = 0
    var prefixLength: Int
  }

  /// - Parameter folders: by their numbers, the root first.
  static func encode(_ folders: [WalkedFolder]) -> [UInt8] {
    var manifest = ManifestWriter(expecting: folders.reduce(0) { $0 + $1.count })
    var prefix: [UInt8] = []
    var levels = [Level(folder: folders[0], items: order(of: folders[0]), prefixLength: 0)]
    while let level = levels.last {
      guard level.next < level.items.count else {
        levels.removeLast()
        continue
      }
      levels[levels.count - 1].next += 1
      let item = level.items[level.next]
      let folder = level.folder
      prefix.removeSubrange(level.prefixLength...)
      if item < 0 {
        prefix.append(contentsOf: folder.name(~item))
        prefix.append(UInt8(ascii: "/"))
        let inner = folders[Int(folder.entries[~item].target)]
        levels.append(Level(folder: inner, items: order(of: inner), prefixLength: prefix.count))
        continue
      }
      let name = folder.name(item)
      switch folder.entries[item].kind {
      case EntryKind.folder: manifest.folder(prefix: prefix, name: name)
      case EntryKind.link:
        folder.target(item).withUnsafeBytes { manifest.link(target: $0, prefix: prefix, name: name) }
      case let kind:
        manifest.file(
          folder.entries[item].identity, isExecutable: kind == EntryKind.executable, prefix: prefix,
          name: name)
      }
    }
    return manifest.bytes
  }

  private static func order(of folder: WalkedFolder) -> [Int] {
    var items = Array(0..<folder.count)
    let inner = items.filter { folder.entries[$0].kind == EntryKind.folder }
    if inner.isEmpty { return items }
    items += inner.map { ~$0 }
    return items.sorted { left, right in precedes(folder, left, right) }
  }

  private static func precedes(_ folder: WalkedFolder, _ left: Int, _ right: Int) -> Bool {
    let first = folder.name(left < 0 ? ~left : left)
    let second = folder.name(right < 0 ? ~right : right)
    func byte(_ name: UnsafeRawBufferPointer, _ item: Int, _ place: Int) -> Int {
      if place < name.count { return Int(name[place]) }
      return item < 0 && place == name.count ? Int(UInt8(ascii: "/")) : -1
    }
    var place = 0
    while true {
      let (one, other) = (byte(first, left, place), byte(second, right, place))
      if one != other { return one < other }
      if one < 0 { return false }
      place += 1
    }
  }
}
