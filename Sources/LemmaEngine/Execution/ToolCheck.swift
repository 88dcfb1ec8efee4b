import Glibc
import LemmaBasics
import LemmaHash
import LemmaPipeline
import LemmaStore
import Synchronization

/// Checks after a stage that its programs are still those in its action: a result must not be recorded
/// under a program that was not the one that ran. While a program's file has the stamp that it had when it
/// was last compared, one `stat` answers.
enum ToolCheck {
  private struct Comparison {
    var artifact: Artifact
    var status: stat
  }

  private static let compared = Mutex<[String: Comparison]>([:])
  /// A file written this shortly before it was compared could be written again under the same stamp.
  private static let racySeconds = 2

  /// - Throws: `Failure` when a program is another one by now.
  static func check(_ tools: [String: ResolvedCommand.Tool], of stage: Stage, store: Store) throws {
    for (name, tool) in tools where try !isSame(tool, store) {
      throw Failure(
        .user, "tool-changed", "stage '\(stage.id)': the program '\(name)' changed while the run went on",
        at: stage.position, hint: "run again")
    }
  }

  private static func isSame(_ tool: ResolvedCommand.Tool, _ store: Store) throws -> Bool {
    var status = stat()
    guard stat(tool.path, &status) == 0 else { return false }
    let known = compared.withLock { $0[tool.path] }
    if let known, known.artifact == tool.artifact, isEqual(known.status, status) { return true }
    guard try store.identify(tool.path) == tool.artifact else { return false }
    if max(status.st_ctim.tv_sec, status.st_mtim.tv_sec) + racySeconds < time(nil) {
      compared.withLock { $0[tool.path] = Comparison(artifact: tool.artifact, status: status) }
    }
    return true
  }

  private static func isEqual(_ a: stat, _ b: stat) -> Bool {
    a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size && a.st_mode == b.st_mode
      && a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec
      && a.st_ctim.tv_sec == b.st_ctim.tv_sec && a.st_ctim.tv_nsec == b.st_ctim.tv_nsec
  }
}
