import Glibc
import LemmaBasics
import LemmaHash
import LemmaStore

/// The snapshots that runs left in a store, as a whole: what they rest on, and which are of no use.
public struct SnapshotFolder {
  private let path: String

  public init(of store: Store) { path = "\(store.root)/snapshots" }

  private func files() throws -> [String] {
    Files.exists(path) ? try Files.list(path).map { "\(path)/\($0)" } : []
  }

  /// Everything of the store that the snapshots vouch for: outputs, logs, action documents and inputs.
  /// - Parameter isDeadToo: whether those count that `removeDead` would remove and that can be read.
  public func artifacts(ofDead isDeadToo: Bool) throws -> Set<Artifact> {
    var all: Set<Artifact> = []
    for snapshot in try files().compactMap({ Snapshot(path: $0) }) where isDeadToo || !isDead(snapshot) {
      for number in 0..<snapshot.stageCount {
        if let result = snapshot.result(number) {
          all.formUnion(result.outputs.values)
          if let log = result.log { all.insert(log) }
        }
        if let document = snapshot.document(number) { all.insert(Artifact(kind: .file, identity: document)) }
      }
      for number in 0..<snapshot.watchCount {
        if let artifact = snapshot.watch(number).artifact { all.insert(artifact) }
      }
    }
    return all
  }

  /// Whether its pipeline file is gone.
  private func isDead(_ snapshot: Snapshot) -> Bool {
    (snapshot.context["watches"]?["pipeline"]?.array ?? []).contains { watch in
      watch.int.map { access(snapshot.watch($0).path, F_OK) != 0 } ?? true
    }
  }

  /// Removes the snapshots that no run could use: damaged or half written ones, and those of pipeline files
  /// that are gone. No run may be at work.
  /// - Returns: how many there were.
  public func removeDead() throws -> Int {
    let dead = try files().filter { file in Snapshot(path: file).map(isDead) ?? true }
    for file in dead { try Files.remove(file) }
    return dead.count
  }

  /// Removes all of them: the next run looks at everything anew.
  public func removeAll() throws { try Files.remove(path) }
}
