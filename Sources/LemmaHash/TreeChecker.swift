/// Sees the paths of a tree in order and refuses those that do not describe one folder: unsorted, twice,
/// absolute, climbing out, or inside something that is no folder of the tree.
struct TreeChecker {
  private var last: [UInt8] = []
  private var hasLast = false
  /// Of the folders seen.
  private var folders: Set<[UInt8]> = []
  /// The parent checked last: most entries have their neighbour's.
  private var knownParent: [UInt8] = []

  private static let slash = UInt8(ascii: "/")
  private static let dot = UInt8(ascii: ".")

  mutating func check(_ path: UnsafeBufferPointer<UInt8>, isFolder: Bool) throws {
    try checkParts(path)
    if hasLast {
      let order = last.withUnsafeBufferPointer { TreeChecker.compare($0, path) }
      if order == 0 { throw Tree.refused("stands twice", path) }
      if order > 0 { throw Tree.refused("is not in its sorted place", path) }
    }
    if let slash = path.lastIndex(of: TreeChecker.slash) {
      let parent = UnsafeBufferPointer(rebasing: path[..<slash])
      if !knownParent.elementsEqual(parent) {
        let parent = Array(parent)
        guard folders.contains(parent) else { throw Tree.refused("is not inside a folder of the tree", path) }
        knownParent = parent
      }
    }
    last.removeAll(keepingCapacity: true)
    last.append(contentsOf: path)
    hasLast = true
    if isFolder { folders.insert(Array(path)) }
  }

  /// Less than, equal to or more than 0, by bytes and then by length.
  static func compare(_ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>) -> Int {
    for index in 0..<min(left.count, right.count) where left[index] != right[index] {
      return left[index] < right[index] ? -1 : 1
    }
    return left.count - right.count
  }

  private func checkParts(_ path: UnsafeBufferPointer<UInt8>) throws {
    if path.isEmpty { throw Tree.refused("is empty", path) }
    var start = 0
    for index in 0...path.count {
      if index < path.count, path[index] == 0 { throw Tree.refused("has a NUL", path) }
      guard index == path.count || path[index] == TreeChecker.slash else { continue }
      let length = index - start
      if length == 0 || length == 1 && path[start] == TreeChecker.dot
        || length == 2 && path[start] == TreeChecker.dot && path[start + 1] == TreeChecker.dot
      {
        throw Tree.refused("could leave its folder", path)
      }
      start = index + 1
    }
  }
}
