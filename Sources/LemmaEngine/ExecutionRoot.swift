import Glibc
import LemmaBasics
import LemmaHash
import LemmaStore

/// The folder in which one attempt at an action runs. What a killed attempt left running writes into
/// its own folder still, never into a later attempt's.
struct ExecutionRoot: Sendable {
  let path: String
  private let store: Store
  private let home: String

  /// Makes a fresh root. The caller holds the action's lock.
  init(store: Store, key: Digest) throws {
    self.store = store
    home = store.executionRoot(key: key)
    let earlier = Files.exists(home) ? try Files.list(home) : []
    path = "\(home)/\((earlier.compactMap(Int.init).max() ?? 0) + 1)"
    for folder in ["in", "out", "tmp"] { try Files.makeFolder("\(path)/\(folder)") }
    for name in earlier { try? Files.remove("\(home)/\(name)") }
  }

  func remove() { try? Files.remove(home) }

  /// Puts an artifact at a place relative to the root. An input may stand inside another that is a
  /// folder, if both agree on it.
  /// - Throws: `ObjectFault`, or `Failure` when two inputs want one place.
  func put(_ artifact: Artifact, at place: String) throws {
    let target = "\(path)/\(place)"
    guard Files.exists(target) else { return try store.materialise(artifact, at: target) }
    if try store.identify(target) == artifact { return }
    throw Failure(.user, "colliding-inputs", "two inputs with different content both stand at '\(place)'")
  }

  /// Takes an output into the store; `nil` when it was not written.
  /// - Throws: `Failure` when it is a link, or was reached through one.
  func capture(_ fileName: String) throws -> Artifact? {
    let place = "\(path)/out/\(fileName)"
    guard Files.exists(place) else { return nil }
    guard let real = realpath(place, nil), let own = realpath(path, nil) else { throw escaped(fileName) }
    defer {
      free(real)
      free(own)
    }
    guard String(cString: real) == "\(String(cString: own))/out/\(fileName)" else { throw escaped(fileName) }
    return try store.ingest(place)
  }

  private func escaped(_ fileName: String) -> Failure {
    Failure(
      .user, "linked-output", "the output '\(fileName)' is a symbolic link, or was written through one",
      hint: "write the file itself")
  }
}
