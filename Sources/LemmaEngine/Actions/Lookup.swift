import LemmaBasics
import LemmaHash
import LemmaPipeline
import LemmaStore

/// Looks up what is known of an action.
struct Lookup {
  let workspace: Workspace
  /// The pipeline's name.
  let pipeline: String

  enum Answer {
    /// `mended` are the outputs that the store had lost and took back from the workspace.
    case known(ActionResult, mended: [String])
    case unknown(Reason)
  }

  /// - Parameter repairs: whether an output that the store lost is taken back from the workspace,
  ///   if its bytes there are still the right ones.
  func find(_ action: Resolver.Action, repairs: Bool) throws -> Answer {
    let document = action.document
    let stored = try workspace.store.index.result(key: document.key, documentSeal: document.identity.seal)
    guard let result = ActionResult(json: stored), result.isComplete(for: action.stage) else {
      return .unknown(try reason(for: action))
    }
    var mended: [String] = []
    for (name, artifact) in result.outputs.sorted(by: { $0.key < $1.key }) {
      if try workspace.store.isSound(artifact, quarantines: repairs) { continue }
      let path = action.stage.outputs.first { $0.name == name }.map { workspace.absolute($0.path) }
      if repairs, let path, try workspace.store.identify(path) == artifact,
        try workspace.store.ingest(path) == artifact
      {
        mended.append(name)
        continue
      }
      return .unknown(.lost(output: name))
    }
    return .known(result, mended: mended)
  }

  private func reason(for action: Resolver.Action) throws -> Reason {
    let last = try workspace.store.index.lastDocument(
      workspace: workspace.id, pipeline: pipeline, stage: action.stage.id)
    guard let last, let document = try? JSON(parsing: workspace.store.read(last), file: "document") else { return .new }
    return document == action.document.json
      ? .unfinished : .changed(Difference.between(document, action.document.json))
  }
}
