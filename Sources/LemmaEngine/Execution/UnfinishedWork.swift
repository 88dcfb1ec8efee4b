import Glibc
import LemmaBasics
import LemmaStore

/// What attempts that were killed or failed left in the store to go on from: the folders of stages that resume.
public struct UnfinishedWork: Sendable {
  public private(set) var stages = 0
  public private(set) var bytes: UInt64 = 0

  /// - Parameters:
  ///   - moment: nanoseconds since the epoch; what changed later is left out.
  ///   - removes: whether it goes. A stage that is at work keeps its own.
  public init(in store: Store, olderThan moment: Int64, removes: Bool) throws {
    for name in try Files.list("\(store.root)/actions") {
      let action = "\(store.root)/actions/\(name)"
      guard let stamp = Stamp.of("\(action)/\(ExecutionRoot.resume)"), stamp.changed < moment,
        let lock = try store.tryLock(actionKey: name)
      else { continue }
      let size = UnfinishedWork.size(of: action)
      if removes { try Files.remove(action) }
      stages += 1
      bytes += size
      withExtendedLifetime(lock) {}
    }
  }

  /// Bytes of all files below; links are not followed.
  private static func size(of path: String) -> UInt64 {
    var status = stat()
    guard lstat(path, &status) == 0 else { return 0 }
    guard status.st_mode & S_IFMT == S_IFDIR else { return UInt64(clamping: status.st_size) }
    return ((try? Files.list(path)) ?? []).reduce(0) { $0 + size(of: "\(path)/\($1)") }
  }
}
