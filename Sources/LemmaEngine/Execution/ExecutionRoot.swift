import CLinux
import Glibc
import LemmaBasics
import LemmaHash
import LemmaStore

/// The folder in which one attempt at an action runs. What a killed attempt left running writes into
/// its own folder still, never into a later attempt's. Used by one thread.
final class ExecutionRoot {
  let path: String
  /// What the stage prints, in a file beside the root.
  let log: String
  /// What the stage may write, by name: folders of the root, and the one that survives it.
  let writable: [String]
  /// The store's own files that stand in the root, by place; a sandbox puts them there.
  private(set) var borrowed: [(place: String, file: String)] = []
  /// Whether it is certain that nothing which was started in it is left.
  var isQuiet = true
  /// The action's own folder, which a resume folder lies in; nil for a stage without one.
  let home: String?
  private var lent: [Identity] = []
  /// Inputs that were written here and can serve another stage.
  private var files: [(path: String, stamp: Stamp)] = []
  /// Outputs that were taken into the store, with the stamps that they had then.
  private var captured: [(name: String, path: String, stamp: Stamp, kind: Artifact.Kind)] = []
  private let store: Store
  private let pool: RootPool

  static let resume = "resume"
  private static let reserved = ["out", "tmp", resume]
  /// From this size on a file is worth borrowing.
  private static let loan = 1 << 20

  /// Takes an empty root. The caller holds the action's lock.
  /// - Parameter resumes: whether the stage keeps a folder from one attempt to the next.
  init(pool: RootPool, store: Store, key: Digest, resumes: Bool) throws {
    self.store = store
    self.pool = pool
    path = try pool.take()
    log = "\(path).log"
    home = resumes ? store.executionRoot(key: key) : nil
    writable = ["out", "tmp"] + (resumes ? [ExecutionRoot.resume] : [])
    if let home {
      try Files.makeFolder("\(home)/\(ExecutionRoot.resume)")
      // Something for the surviving folder to be mounted on.
      try Files.makeFolder("\(path)/\(ExecutionRoot.resume)")
    }
  }

  /// Removes what an earlier version's killed runs left of actions that nobody is at work on, but for
  /// folders to resume from.
  /// - Returns: of how many actions.
  static func sweep(_ store: Store) throws -> Int {
    var count = 0
    for name in try Files.list("\(store.root)/actions") where !Files.exists("\(store.root)/actions/\(name)/\(resume)") {
      guard let lock = try? store.tryLock(actionKey: name) else { continue }
      try? Files.remove("\(store.root)/actions/\(name)")
      count += 1
      withExtendedLifetime(lock) {}
    }
    return count
  }

  deinit { pool.giveBack(path, files: files, isQuiet: isQuiet) }

  /// The folder that holds a writable one.
  func home(of folder: String) -> String { folder == ExecutionRoot.resume ? home ?? path : path }

  /// Where the stage finds the folder that survives it, when it is given one.
  func resumePlace(under confinement: Confinement) -> String? {
    guard let home else { return nil }
    if case .strict = confinement { return "\(Bubblewrap.rootPlace)/\(ExecutionRoot.resume)" }
    return "\(home)/\(ExecutionRoot.resume)"
  }

  // MARK: Inputs

  /// Puts an artifact at a place relative to the root. An input may stand inside another that is a
  /// folder, if both agree on it.
  /// - Parameter borrows: whether the store's own file may stand there, for a sandbox to put it read-only.
  /// - Throws: `ObjectFault`, or `Failure` when two inputs want one place.
  func put(_ artifact: Artifact, at place: String, borrows: Bool) throws {
    let target = "\(path)/\(place)"
    if let first = place.split(separator: "/").first.map(String.init), ExecutionRoot.reserved.contains(first) {
      throw Failure(
        .user, "reserved-place", "an input cannot stand at '\(place)', where the stage itself writes",
        hint: "give it as a source: it then stands under 'in/'")
    }
    // An input may be the project's own folder of that name.
    if place == "in" { rmdir(target) }
    if Files.exists(target) {
      if try store.identify(target) == artifact { return }
      throw Failure(.user, "colliding-inputs", "two inputs with different content both stand at '\(place)'")
    }
    guard borrows, ExecutionRoot.isWorthLending(artifact) else { return try write(artifact, at: target) }
    borrowed.append((place, try lend(artifact.identity)))
    // Something for the file to be mounted on.
    try Files.makeFolder(Files.parent(target))
    try Files.write([], to: target)
  }

  private func write(_ artifact: Artifact, at target: String) throws {
    guard artifact.kind == .file, Store.isSmall(artifact.identity) else {
      return try store.materialise(artifact, at: target)
    }
    try Files.makeFolder(Files.parent(target))
    files.append((target, try store.write(artifact.identity, at: target, over: pool.takeFile())))
  }

  /// Verifies an object and gives its own file, for a stage that is told where to read.
  func lend(_ identity: Identity) throws -> String {
    lent.append(identity)
    return try store.verifiedPath(identity)
  }

  /// Whether the store's own file of an artifact is better read in place than copied.
  static func isWorthLending(_ artifact: Artifact) -> Bool {
    artifact.kind == .file && artifact.identity.size >= loan
  }

  /// Checks that nobody altered what was lent while the stage read it.
  /// - Throws: `ObjectFault`.
  func checkLent() throws {
    for identity in lent where try !store.isSound(identity) {
      throw ObjectFault(identity: identity, reason: .altered)
    }
  }

  // MARK: Outputs

  /// Takes an output into the store; `nil` when it was not written.
  /// - Throws: `Failure` when it is a link, or was reached through one.
  func capture(_ name: String, _ fileName: String) throws -> Artifact? {
    var place = "\(path)/out"
    var status = stat()
    for part in [""] + fileName.split(separator: "/").map({ "/\($0)" }) {
      place += part
      guard lstat(place, &status) == 0 else { return nil }
      if status.st_mode & S_IFMT == S_IFLNK {
        throw Failure(
          .user, "linked-output", "the output '\(fileName)' is a symbolic link, or was written through one",
          hint: "write the file itself")
      }
    }
    let artifact = try store.ingest(place)
    captured.append((name, place, Stamp(status), artifact.kind))
    return artifact
  }

  /// Whether nobody at all can write to a file, not even one who was handed it by the stage.
  private static func isAtRest(_ path: String) -> Bool {
    let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    let lease = lemma_lease_read(descriptor)
    return lease == 0 ? lemma_lease_is_whole(descriptor) != 0 : lease != EAGAIN
  }

  /// The outputs that can go to their places in the workspace as they are, because they are what a copy
  /// would be and nobody is left who could write to them; by name, in files that are the caller's now.
  func releaseOutputs() throws -> [String: String] {
    var released: [String: String] = [:]
    for output in captured where isQuiet && output.kind != .folder {
      guard RootPool.isLikeNew(output.path, isExecutable: output.kind == .executable),
        Stamp.of(output.path) == output.stamp, ExecutionRoot.isAtRest(output.path)
      else { continue }
      let path = try store.scratchPath()
      if rename(output.path, path) == 0 { released[output.name] = path }
    }
    return released
  }
}
