import Glibc
import LemmaBasics
import LemmaLedger
import LemmaStore

/// Where a pipeline lives: the project folder that its paths are relative to, and the store that
/// keeps its results.
public final class Workspace: Sendable {
  /// Absolute, without a final slash.
  public let project: String
  public let store: Store

  /// - Parameter store: the store's folder; `cache` in the project when nil.
  public init(project: String, store: String? = nil) throws {
    self.project = try Workspace.resolve(project)
    self.store = try Store(at: store ?? "\(self.project)/cache")
  }

  private static func resolve(_ path: String) throws -> String {
    guard let resolved = realpath(path, nil) else {
      throw Failure(.user, "no-such-folder", "there is no folder '\(path)'")
    }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  /// The project for a command given in `folder`: the nearest folder, upwards, that holds a store;
  /// else the nearest with a git repository; else `folder` itself.
  public static func findProject(from folder: String) throws -> String {
    let start = try resolve(folder)
    for marker in ["cache/format", ".git"] {
      var candidate = start
      while true {
        if Files.exists("\(candidate)/\(marker)") { return candidate }
        if candidate == "/" { break }
        candidate = Files.parent(candidate)
      }
    }
    return start
  }

  /// The absolute path of one that a pipeline declares.
  public func absolute(_ path: String) -> String { path.hasPrefix("/") ? path : "\(project)/\(path)" }

  /// What the index calls this workspace. It stays the same when project and store move together.
  public var id: String {
    store.root.hasPrefix(project + "/") ? ".\(store.root.dropFirst(project.count))" : project
  }

  public func ledger() throws -> Ledger {
    try Ledger(project: project, fallback: "\(store.root)/ledger.git")
  }
}
