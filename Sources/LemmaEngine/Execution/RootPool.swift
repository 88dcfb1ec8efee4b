import CLinux
import Glibc
import LemmaBasics
import LemmaStore
import Synchronization

/// The folders in which this process runs stages, and the files of their inputs, used again and again: to
/// make and remove a dozen of them for each stage costs more than a small stage does. They lie in the store's
/// temporary folder, which goes with the process or is swept after it, so that no other process ever runs a
/// stage in one of them.
final class RootPool: Sendable {
  private let store: Store
  private let free = Mutex(Free())

  private struct Free {
    var roots: [String] = []
    var files: [String] = []
  }

  /// More than this many files are not kept.
  private static let capacity = 64

  init(store: Store) { self.store = store }

  /// A folder that holds nothing but `in`, `out` and `tmp`, all empty.
  func take() throws -> String {
    if let path = free.withLock({ $0.roots.popLast() }) { return path }
    let path = try store.temporaryPath()
    for folder in ["in", "out", "tmp"] { try Files.makeFolder("\(path)/\(folder)") }
    return path
  }

  /// A file to be written over, if there is one: of no other name, with the permissions of a new one.
  func takeFile() -> String? { free.withLock { $0.files.popLast() } }

  /// Takes a folder back.
  /// - Parameters:
  ///   - files: the inputs that were written there, as they were left.
  ///   - isQuiet: whether it is certain that nobody is left at work in it.
  func giveBack(_ path: String, files: [(path: String, stamp: Stamp)], isQuiet: Bool) {
    if isQuiet {
      for file in files { keep(file.path, file.stamp) }
      if lemma_clear_root(path) == 0 { return free.withLock { $0.roots.append(path) } }
    }
    try? Files.remove(path)
  }

  private static let mask = lemma_umask()

  /// Whether a file is as a copy would be that this process makes.
  static func isLikeNew(_ path: String, isExecutable: Bool) -> Bool {
    lemma_is_like_new(path, (isExecutable ? 0o755 : 0o644) & ~mask) == 1
  }

  /// Keeps a file that the stage left alone. What it holds does not matter: it is written over.
  private func keep(_ path: String, _ stamp: Stamp) {
    guard free.withLock({ $0.files.count < RootPool.capacity }), Stamp.of(path) == stamp,
      RootPool.isLikeNew(path, isExecutable: false), let place = try? store.temporaryPath(), rename(path, place) == 0
    else { return }
    free.withLock { $0.files.append(place) }
  }
}
