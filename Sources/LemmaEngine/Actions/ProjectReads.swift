import CLinux
import Glibc
import LemmaBasics
import LemmaPipeline

/// Holds reads by a path of the project against the folder: a symbolic link must not bring in what lies
/// elsewhere, in a repository or in the store. A source may lie anywhere, if its path says so.
final class ProjectReads {
  private let workspace: Workspace
  private let folder: Int32

  init(_ workspace: Workspace) {
    self.workspace = workspace
    folder = open(workspace.project, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
  }

  deinit { if folder >= 0 { close(folder) } }

  /// - Parameter path: relative to the project, without `..`; nothing needs to be there.
  /// - Throws: `Failure` when it leads elsewhere.
  func check(_ path: String, what: String, at position: Position) throws {
    let place: String
    if lemma_stands_plainly_beneath(folder, path) == 0 {
      place = workspace.absolute(path)
    } else if let resolved = realpath(workspace.absolute(path), nil) {
      defer { free(resolved) }
      place = String(cString: resolved)
    } else if errno == ELOOP {
      throw Failure(
        .user, "link-loop", "\(what): '\(path)' is a symbolic link that leads back to itself", at: position,
        hint: "remove the link")
    } else {
      return
    }
    let isInProject = place == workspace.project || place.hasPrefix(workspace.project + "/")
    let isInStore = place == workspace.store.root || place.hasPrefix(workspace.store.root + "/")
    let isInGit = place.utf8.split(separator: UInt8(ascii: "/"))
      .contains { String(decoding: $0, as: UTF8.self).lowercased() == ".git" }
    guard isInProject, !isInStore, !isInGit else {
      throw Failure(
        .user, "input-escapes", "\(what): '\(path)' leads to '\(place)', which is no part of the project's files",
        at: position,
        hint: "name the place itself under 'sources:', and use ${sources.NAME}")
    }
  }
}
