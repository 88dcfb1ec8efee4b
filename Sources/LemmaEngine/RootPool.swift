import CLinux
import LemmaBasics
import LemmaStore
import Synchronization

/// The folders in which this process runs stages, used again and again: to make and remove half a dozen
/// for each stage costs more than a small stage does. They lie in the store's temporary folder, which goes
/// with the process or is swept after it, so that no other process ever runs a stage in one of them.
final class RootPool: Sendable {
  private let store: Store
  private let free = Mutex<[String]>([])

  init(store: Store) { self.store = store }

  /// A folder that holds nothing but `out` and `tmp`, both empty.
  func take() throws -> String {
    if let path = free.withLock({ $0.popLast() }) { return path }
    let path = try store.temporaryPath()
    for folder in ["out", "tmp"] { try Files.makeFolder("\(path)/\(folder)") }
    return path
  }

  /// Takes a folder back.
  /// - Parameter isQuiet: whether it is certain that nobody is left at work in it.
  func giveBack(_ path: String, isQuiet: Bool) {
    if isQuiet, lemma_clear_root(path) == 0 {
      free.withLock { $0.append(path) }
    } else {
      try? Files.remove(path)
    }
  }
}
