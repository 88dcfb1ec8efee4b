import LemmaBasics
import LemmaHash
import LemmaPipeline
import LemmaStore

/// One execution of one action in a root of its own: inputs in, work, outputs captured. Runs on a
/// thread of its own and knows nothing of other actions.
struct Execution: Sendable {
  let workspace: Workspace
  let action: Resolver.Action
  let threads: Int
  /// Whether it runs even when its result is known.
  let isForced: Bool
  let report: @Sendable (Progress) -> Void
  let isCancelled: @Sendable () -> Bool

  var store: Store { workspace.store }
  var stage: Stage { action.stage }

  /// What an execution gave: bytes in the store, not yet flushed to the disk.
  struct Captured: Sendable {
    var result: ActionResult
    /// False when another process had recorded the result in the meantime.
    var wasExecuted: Bool
    /// The action's; its holder lets it go when the result is recorded.
    var lock: FileLock
  }

  /// Executes the action, or takes the result that another process recorded in the meantime.
  /// - Throws: `ObjectFault` when an input cannot be served, `Cancelled`, or `Failure`.
  func run() throws -> Captured {
    if isCancelled() { throw Cancelled() }
    let document = action.document
    let waiting = { (holder: String) in report(Progress(unit: "", done: 0, total: 0, detail: "waiting for \(holder)")) }
    guard let lock = try store.lock(action: document.key, waiting: waiting, isCancelled: isCancelled) else {
      throw Cancelled()
    }
    if !isForced {
      let recorded = try store.index.result(key: document.key, documentSeal: document.identity.seal)
      if let result = ActionResult(json: recorded), result.isComplete(for: stage),
        try result.outputs.values.allSatisfy({ try store.isSound($0) })
      {
        return Captured(result: result, wasExecuted: false, lock: lock)
      }
    }
    let root = try ExecutionRoot(store: store, key: document.key)
    defer { root.remove() }
    let result = try execute(in: root)
    _ = try store.put(document.bytes)
    return Captured(result: result, wasExecuted: true, lock: lock)
  }

  private func execute(in root: ExecutionRoot) throws -> ActionResult {
    if let builtin = action.builtin { return try run(builtin, in: root) }
    if let command = action.command { return try run(command, in: root) }
    throw Failure(.internal, "action", "the action of stage '\(stage.id)' has no work")
  }

  // MARK: Built-in kinds

  private func run(_ builtin: any BuiltinStage, in root: ExecutionRoot) throws -> ActionResult {
    var inputs: [String: [StageInput]] = [:]
    for input in action.inputs {
      inputs[input.name] = try input.members.enumerated().map { number, member in
        StageInput(
          label: member.label, path: try path(of: member.artifact, name: "\(input.name)-\(number)", in: root),
          artifact: member.artifact)
      }
    }
    var outputs: [String: String] = [:]
    for output in builtin.kind.outputs { outputs[output.name] = "\(root.path)/out/\(output.fileName)" }
    guard case .builtin(_, let configuration) = stage.work else {
      throw Failure(.internal, "action", "stage '\(stage.id)' is not of a built-in kind")
    }
    let start = Clock.monotonic()
    let metrics: JSON
    do {
      metrics = try builtin.run(
        StageContext(
          configuration: configuration, inputs: inputs, outputs: outputs, threads: threads, lineage: action.lineage,
          report: report, isCancelled: isCancelled))
    } catch let failure as Failure {
      throw translated(failure, inputs: inputs)
    }
    let usage = Usage(seconds: Clock.monotonic() - start, cpuSeconds: nil, peakKiB: nil)
    return ActionResult(
      outputs: try capture(builtin.kind.outputs.map { ($0.name, $0.fileName) }, in: root),
      metrics: try Metrics.flatten(metrics, of: stage.id), log: nil, usage: usage)
  }

  /// The failure in the person's words: a kind reads the store's objects, a person knows the files that
  /// they were taken from.
  private func translated(_ failure: Failure, inputs: [String: [StageInput]]) -> Failure {
    var failure = failure
    for (name, members) in inputs {
      for (member, place) in zip(members, action.names[name] ?? []) {
        failure.message = failure.message.replacing(member.path, with: place)
        if let file = failure.position?.file, file.hasPrefix(member.path) {
          failure.position?.file = place + file.dropFirst(member.path.count)
        }
      }
    }
    failure.position = failure.position ?? stage.position
    return failure
  }

  /// A file is read where the store keeps it, read-only; a folder is written out.
  private func path(of artifact: Artifact, name: String, in root: ExecutionRoot) throws -> String {
    if artifact.kind != .folder { return try store.verifiedPath(artifact.identity) }
    try root.put(artifact, at: "in/\(name)")
    return "\(root.path)/in/\(name)"
  }

  // MARK: Outputs

  func capture(_ outputs: [(name: String, fileName: String)], in root: ExecutionRoot) throws -> [String: Artifact] {
    var captured: [String: Artifact] = [:]
    for (name, fileName) in outputs {
      guard let artifact = try root.capture(fileName) else {
        throw Failure(
          .user, "no-output", "stage '\(stage.id)' ended well but did not write its output '\(name)'",
          at: stage.position, hint: "the command must write to ${out.\(name)}")
      }
      captured[name] = artifact
    }
    return captured
  }
}
