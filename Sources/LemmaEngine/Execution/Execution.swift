import Glibc
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
  let host: Host
  let report: @Sendable (Progress) -> Void
  let isCancelled: @Sendable () -> Bool
  /// Waits until the stage's work may begin; every attempt asks. What it throws ends the execution.
  var awaitTurn: @Sendable () throws -> Void = {}
  /// Called when the stage's work ended well and only its outputs are to be taken in.
  var processEnded: @Sendable () -> Void = {}

  var store: Store { workspace.store }
  var stage: Stage { action.stage }

  /// What an execution gave: bytes in the store, not yet flushed to the disk.
  struct Captured: Sendable {
    var result: ActionResult
    /// What became known of the outputs, to be recorded with the result.
    var facts: [ActionRecord] = []
    /// False when the result was recorded already.
    var wasExecuted: Bool
    /// The action's; its holder lets it go when the result is recorded.
    var lock: FileLock
    /// Files that hold outputs, by name, to be moved to the workspace or removed.
    var files: [String: String] = [:]
    /// A folder to remove when the result is recorded, and not before.
    var scratch: String?
  }

  /// Executes the action, or takes the result that another process recorded in the meantime.
  /// - Throws: `ObjectFault` when an input cannot be served, `Cancelled`, or `Failure`.
  func run() throws -> Captured {
    if isCancelled() { throw Cancelled() }
    let document = action.document
    let waiting = { report(Progress(unit: "", done: 0, total: 0, detail: "waiting: it is being executed elsewhere")) }
    guard let lock = try store.lock(action: document.key, waiting: waiting, isCancelled: isCancelled) else {
      throw Cancelled()
    }
    if !isForced, let result = try recorded(document) ?? mended(document) {
      return Captured(result: result, wasExecuted: false, lock: lock)
    }
    let confinement = try host.confinement(of: stage)
    try host.watch()
    let captured = try attempts(under: confinement, holding: lock)
    _ = try store.put(document.bytes)
    unlink(CommandLog.keptPath(of: document.key, in: store))
    return captured
  }

  // MARK: Attempts

  /// Makes attempts until one ends well, as many as the stage may have.
  private func attempts(under confinement: Confinement, holding lock: FileLock) throws -> Captured {
    var number = 1
    while true {
      let root = try ExecutionRoot(
        pool: host.roots, store: store, key: action.document.key, resumes: action.resumes)
      do {
        var result = try execute(in: root, under: confinement)
        result.attempts = number
        let facts = try expect(result, in: root)
        return Captured(
          result: result, facts: facts, wasExecuted: true, lock: lock, files: try root.releaseOutputs(),
          scratch: root.home)
      } catch {
        guard number <= stage.policy.retries, isWorthAnother(error) else { throw tried(error, number) }
      }
      number += 1
      report(Progress(unit: "", done: 0, total: 0, detail: "attempt \(number) of \(stage.policy.retries + 1)"))
    }
  }

  func execute(in root: ExecutionRoot, under confinement: Confinement) throws -> ActionResult {
    if let builtin = action.builtin { return try run(builtin, in: root, under: confinement) }
    if let command = action.command { return try run(command, in: root, under: confinement) }
    throw Failure(.internal, "action", "the action of stage '\(stage.id)' has no work")
  }

  /// Whether a further attempt could end otherwise: what the stage itself did may, what the store, the
  /// machine or the declaration did will not, nor will a kind that always gives the same.
  private func isWorthAnother(_ error: any Error) -> Bool {
    guard !isCancelled(), let failure = error as? Failure else { return false }
    return Execution.accidents.contains(failure.code) || (action.builtin != nil && action.determinism != .bitwise)
  }

  private static let accidents: Set<String> = [
    "command-failed", "worker-failed", "timeout", "no-output", "expectation", "metrics",
  ]

  private func tried(_ error: any Error, _ attempts: Int) -> any Error {
    guard attempts > 1, var failure = error as? Failure else { return error }
    failure.message += "\n  after \(attempts) attempts"
    return failure
  }

  // MARK: Results

  private func recorded(_ document: ActionDocument) throws -> ActionResult? {
    let json = try store.index.result(key: document.key, documentSeal: document.identity.seal)
    guard let result = ActionResult(json: json), result.isComplete(for: stage),
      try result.outputs.values.allSatisfy({ try store.isSound($0) })
    else { return nil }
    return result
  }

  /// A result that was refused, if it is what the stage expects by now.
  private func mended(_ document: ActionDocument) throws -> ActionResult? {
    // Only an attempt that failed left a log: most stages need not ask the index.
    guard access(CommandLog.keptPath(of: document.key, in: store), F_OK) == 0,
      let result = try recorded(document.asRefused)
    else { return nil }
    let expectations = Expectations(store: store)
    do {
      try expectations.check(result, of: stage)
    } catch is Failure {
      return nil
    }
    try store.flush(recording: [document.record(of: result)] + expectations.found)
    return result
  }

  /// A result that is not what the stage expects is kept aside: it is nobody's hit, but when the
  /// expectation is mended the work is not done again.
  /// - Returns: what became known of the outputs.
  private func expect(_ result: ActionResult, in root: ExecutionRoot) throws -> [ActionRecord] {
    let expectations = Expectations(store: store)
    do {
      try expectations.check(result, of: stage)
    } catch {
      // What it printed was cleaned of secrets when the attempt ended.
      try CommandLog(path: root.log).keep(
        at: CommandLog.keptPath(of: action.document.key, in: store), withoutSecrets: [:])
      try store.flush(recording: [action.document.asRefused.record(of: result)] + expectations.found)
      throw error
    }
    return expectations.found
  }

  // MARK: Outputs

  func capture(_ outputs: [(name: String, fileName: String)], in root: ExecutionRoot) throws -> [String: Artifact] {
    try root.checkLent()
    var captured: [String: Artifact] = [:]
    for (name, fileName) in outputs {
      guard let artifact = try root.capture(name, fileName) else {
        throw Failure(
          .user, "no-output", "stage '\(stage.id)' ended well but did not write its output '\(name)'",
          at: stage.position, hint: "the command must write to ${out.\(name)}")
      }
      captured[name] = artifact
    }
    return captured
  }
}

extension Resolver.Action {
  /// What a second execution gives: as the pipeline declares, else as the kind does.
  /// Whether it gets a folder that survives a kill.
  var resumes: Bool { stage.policy.resumes || builtin?.resumes ?? false }

  var determinism: Determinism { stage.policy.determinism ?? builtin?.determinism ?? .bitwise }
}

extension ActionDocument {
  func record(of result: ActionResult) -> ActionRecord {
    ActionRecord(key: key, documentSeal: identity.seal, result: result.json)
  }

  /// The document under which a result is kept that was not what its stage expects.
  var asRefused: ActionDocument {
    ActionDocument([
      "format": ActionDocument.format, "refused": .string(key.hex), "refused_sha256": .string(identity.seal.hex),
    ])
  }
}
