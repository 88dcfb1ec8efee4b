import LemmaBasics
import LemmaEngine
import LemmaHash
import LemmaStore

/// What objects are to a person: the output, input or log of a stage that they belong to in the newest run.
public struct Ownership {
  private var owners: [Identity: Set<String>] = [:]

  /// - Parameter wanted: the objects that are asked about; of no other anything is remembered.
  /// - Throws: `Failure` when the ledger cannot be read.
  public init(of wanted: Set<Identity>, in workspace: Workspace) throws {
    let history = History(try workspace.ledger())
    guard let newest = try history.ledger.head() else { return }
    for stage in try history.stages(of: newest) {
      var named: [(String, Artifact)] = []
      for (output, artifact) in stage.result?.outputs ?? [:] { named.append(("\(stage.stage).\(output)", artifact)) }
      if let log = stage.result?.log { named.append(("the log of \(stage.stage)", log)) }
      for (input, value) in stage.action?["inputs"]?.object ?? [:] {
        for (origin, member) in zip(stage.origins[input] ?? [], value.array ?? [value]) {
          // What another stage gave is told as its output.
          if case .stage = origin { continue }
          if let artifact = Artifact(json: member) { named.append(("input '\(input)' of \(stage.stage)", artifact)) }
        }
      }
      if let document = stage.action.map({ Identity(of: $0.canonicalBytes) }), wanted.contains(document) {
        owners[document, default: []].insert("the action document of \(stage.stage)")
      }
      for (name, artifact) in named { try add(name, artifact, wanted, workspace.store) }
    }
  }

  private mutating func add(_ name: String, _ artifact: Artifact, _ wanted: Set<Identity>, _ store: Store) throws {
    if wanted.contains(artifact.identity) { owners[artifact.identity, default: []].insert(name) }
    guard artifact.kind == .folder, let manifest = try? store.read(artifact.identity, quarantines: false) else {
      return
    }
    try ManifestReader.read(manifest) { path, node in
      guard case .file(let identity, _) = node, wanted.contains(identity) else { return }
      owners[identity, default: []].insert("\(name), file '\(String(decoding: path, as: UTF8.self))'")
    }
  }

  /// Sorted; empty when the newest run knows nothing of the object.
  public subscript(identity: Identity) -> [String] { (owners[identity] ?? []).sorted() }
}
