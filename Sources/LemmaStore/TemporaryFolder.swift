import Glibc
import LemmaBasics
import Synchronization

/// A folder for files on their way into the store. Its lock tells whether the process that made it
/// still lives, which a process id would not, inside containers or after a restart. It goes with its
/// last reference or with the process, or is swept later. Guarded by the store.
final class TemporaryFolder {
  static let lockName = "lock"

  private let path: String
  private let lock: FileLock
  private var count = 0

  init(in parent: String) throws {
    var made: (String, FileLock)?
    while made == nil {
      var template = Array("\(parent)/XXXXXX".utf8CString)
      guard mkdtemp(&template) != nil else { throw Failure.system("mkdtemp", path: parent, errno: errno) }
      let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
      // A sweep may come between making the folder and locking it; then it is made again.
      if let lock = try? FileLock.tryTake("\(path)/\(TemporaryFolder.lockName)"), Files.exists(path) {
        made = (path, lock)
      }
    }
    guard let (path, lock) = made else { throw Failure(.internal, "temporary", "no temporary folder was made") }
    self.path = path
    self.lock = lock
    _ = TemporaryFolder.goesAtExit
    _ = TemporaryFolder.living.withLock { $0.insert(path) }
  }

  deinit {
    try? Files.remove(path)
    _ = TemporaryFolder.living.withLock { $0.remove(path) }
  }

  // A thread that has done its work, and not yet let go of what it worked with, may hold the last reference when
  // the process ends.
  private static let living = Mutex<Set<String>>([])
  private static let goesAtExit: Void = {
    atexit {
      for path in TemporaryFolder.living.withLock({ $0 }) { try? Files.remove(path) }
    }
  }()

  /// The path of a file in it: of this name, or else of one not given out yet.
  func path(_ name: String?) -> String {
    if let name { return "\(path)/\(name)" }
    count += 1
    return "\(path)/\(count)"
  }
}
