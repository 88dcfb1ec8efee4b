import Glibc
import LemmaBasics
import LemmaHash
import LemmaPipeline
import LemmaStore

/// Putting results where people look for them: as copies, never as links into the store.
struct WorkspaceOutputs {
  let workspace: Workspace

  /// Makes the workspace hold exactly `result`'s outputs for `stage`. An output that was edited is first
  /// taken into the store, so that no edit is lost; what was never an output is not replaced at all.
  /// - Parameter files: files that hold outputs, by name, to be moved rather than copied.
  /// - Returns: the paths that had to be written.
  func restore(_ result: ActionResult, of stage: Stage, from files: [String: String] = [:]) throws -> [String] {
    var written: [String] = []
    for output in stage.outputs {
      guard let artifact = result.outputs[output.name] else { continue }
      let path = workspace.absolute(output.path)
      let standing = try standing(at: path)
      if standing == artifact { continue }
      try checkInside(path)
      let isPlace = try workspace.store.index.isPlace(output.path, workspace: workspace.id)
      if !isPlace, Files.exists(path) {
        throw Failure(
          .user, "not-an-output",
          "'\(output.path)' stands where stage '\(stage.id)' puts its output, and was not made by lemma",
          at: stage.position, hint: "move it away, or choose another path under 'out:'")
      }
      if let standing, try !workspace.store.isSound(standing) {
        _ = try workspace.store.ingest(path)
        try workspace.store.flush()
      }
      if !isPlace { try workspace.store.index.record(places: [output.path], workspace: workspace.id) }
      try replace(path, with: artifact, from: files[output.name])
      written.append(output.path)
    }
    return written
  }

  /// The outputs that are absent from the workspace or differ there.
  func stale(_ result: ActionResult, of stage: Stage) throws -> [String] {
    try stage.outputs.compactMap { output in
      guard let artifact = result.outputs[output.name] else { return nil }
      return try standing(at: workspace.absolute(output.path)) == artifact ? nil : output.path
    }
  }

  /// What could be an output and stands there.
  private func standing(at path: String) throws -> Artifact? {
    WorkspaceOutputs.isPlain(path) ? try workspace.store.identify(path) : nil
  }

  /// Whether a file or a folder stands there; a link, a FIFO or the like is never an output.
  static func isPlain(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && [S_IFREG, S_IFDIR].contains(status.st_mode & S_IFMT)
  }

  private func replace(_ path: String, with artifact: Artifact, from file: String?) throws {
    if artifact.kind == .folder { try checkNames(in: artifact, at: path) }
    let scratch = try file ?? workspace.store.scratchPath()
    if file == nil { try workspace.store.materialise(artifact, at: scratch) }
    if artifact.kind == .folder || Files.isFolder(path) { try Files.remove(path) }
    try Files.makeFolder(Files.parent(path))
    if rename(scratch, path) == 0 { return }
    let code = errno
    try? Files.remove(scratch)
    guard code == EXDEV else { throw Failure.system("rename", path: path, errno: code) }
    // The store is on another file system. One run at a time writes here, and the next finds this name.
    let beside = "\(Files.parent(path))/.\(Files.name(path)).lemma"
    try Files.remove(beside)
    try workspace.store.materialise(artifact, at: beside)
    guard rename(beside, path) == 0 else {
      let code = errno
      try? Files.remove(beside)
      throw Failure.system("rename", path: path, errno: code)
    }
  }

  /// A repository inside an output would run its hooks for whoever uses git there.
  private func checkNames(in folder: Artifact, at path: String) throws {
    for entry in try workspace.store.tree(folder.identity).entries {
      for part in entry.path.split(separator: UInt8(ascii: "/")) {
        let name = String(decoding: part, as: UTF8.self).lowercased()
        guard name == ".git" || name.hasPrefix("git~") || name.hasPrefix(".git.") || name.hasPrefix(".git ") else {
          continue
        }
        throw Failure(
          .user, "output-git",
          "the output '\(path)' holds '\(String(decoding: entry.path, as: UTF8.self))', which git would take for its own",
          hint: "let the stage leave it out")
      }
    }
  }

  /// A folder on the way may be a link that leads out of the project.
  private func checkInside(_ path: String) throws {
    var folder = Files.parent(path)
    while !Files.exists(folder) { folder = Files.parent(folder) }
    guard let resolved = realpath(folder, nil) else { throw Failure.system("realpath", path: folder, errno: errno) }
    defer { free(resolved) }
    let place = String(cString: resolved)
    let isOurs = place == workspace.store.root || place.hasPrefix(workspace.store.root + "/")
    let isGit = place.split(separator: "/").contains { $0.lowercased() == ".git" }
    guard place == workspace.project || place.hasPrefix(workspace.project + "/"), !isOurs, !isGit else {
      throw Failure(
        .user, "output-escapes", "the output '\(path)' would be written to '\(place)', which is no place for outputs",
        hint: "remove the link, or choose another path for the output")
    }
  }
}
