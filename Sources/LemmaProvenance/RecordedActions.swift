import LemmaBasics
import LemmaEngine
import LemmaHash
import LemmaLedger

/// An action that a run recorded with its result, checked against its own names.
struct RecordedAction {
  var stage: String
  /// The action document's bytes, and both their names.
  var bytes: [UInt8]
  var document: Identity
  /// As the index would have it; nil for a stage that gave none.
  var result: JSON?
  var outputs: [Artifact]
  /// Where in the workspace each output was put.
  var places: [(path: String, artifact: Artifact)]
  /// Everything that the record names: outputs, log, inputs, files, what its lineage rests on.
  var artifacts: Set<Artifact>
}

/// Reads the actions of many runs, each record once, however many runs share it.
struct RecordedActions {
  let ledger: Ledger
  private var known: [String: RecordedAction?] = [:]
  /// Records whose action document is not the one that they name.
  private(set) var unusable: Set<String> = []

  init(_ ledger: Ledger) { self.ledger = ledger }

  /// The actions of a run, each with the id of its record.
  mutating func actions(of run: String) throws -> [(record: String, action: RecordedAction)] {
    var actions: [(record: String, action: RecordedAction)] = []
    for (name, object) in try ledger.records(in: "stages", of: run) {
      if known.index(forKey: object) == nil {
        known[object] = .some(try read(object, name: "stages/\(name) of run \(run)"))
      }
      if case .some(.some(let action)) = known[object] { actions.append((object, action)) }
    }
    return actions
  }

  private mutating func read(_ object: String, name: String) throws -> RecordedAction? {
    let json = try JSON(parsing: try ledger.read(object: object), file: name)
    guard let stage = json["stage"]?.string, let action = json["action"] else { return nil }
    let bytes = action.canonicalBytes
    let document = Identity(of: bytes)
    guard json["action_key"]?.string == document.digest.hex, json["action_sha256"]?.string == document.seal.hex else {
      unusable.insert(object)
      return nil
    }
    let result = ActionResult(json: json["result"])
    var artifacts: Set<Artifact> = []
    RecordedActions.collect(action, into: &artifacts)
    artifacts.formUnion(result?.outputs.values.map { $0 } ?? [])
    if let log = result?.log { artifacts.insert(log) }
    let places = (json["places"]?.object ?? [:]).compactMap { output, place -> (path: String, artifact: Artifact)? in
      guard let artifact = result?.outputs[output], let path = place.string else { return nil }
      return (path, artifact)
    }
    return RecordedAction(
      stage: stage, bytes: bytes, document: document, result: result == nil ? nil : json["result"],
      outputs: result.map { Array($0.outputs.values) } ?? [], places: places, artifacts: artifacts)
  }

  /// Every artifact that stands anywhere in a document.
  static func collect(_ json: JSON, into artifacts: inout Set<Artifact>) {
    if let artifact = Artifact(json: json) { artifacts.insert(artifact) }
    switch json {
    case .array(let elements): for element in elements { collect(element, into: &artifacts) }
    case .object(let members): for member in members.values { collect(member, into: &artifacts) }
    default: break
    }
  }
}
