import Glibc
import LemmaBasics
import LemmaHash
import LemmaPipeline
import LemmaStore

/// One execution of one action in a root of its own: inputs in, work, outputs captured. Runs on a
/// worker thread and knows nothing of other actions.
struct Execution: Sendable {
  let workspace: Workspace
  let action: Resolver.Action
  let threads: Int
  let report: @Sendable (Progress) -> Void
  let isCancelled: @Sendable () -> Bool

  private var store: Store { workspace.store }
  private var stage: Stage { action.stage }
  private var root: String { store.executionRoot(key: action.document.key) }

  /// Executes the action, or takes the result that another process recorded in the meantime. When
  /// this returns, result and outputs are durable.
  /// - Throws: `ObjectFault` when an input cannot be served, `Cancelled`, or `Failure`.
  func run() throws -> (result: ActionResult, wasExecuted: Bool) {
    let document = action.document
    let waiting = { (holder: String) in report(Progress(unit: "", done: 0, total: 0, detail: "waiting for \(holder)")) }
    guard let lock = try store.lock(action: document.key, waiting: waiting, isCancelled: isCancelled) else {
      throw Cancelled()
    }
    defer { withExtendedLifetime(lock) {} }
    let recorded = try store.index.result(key: document.key, documentSeal: document.identity.seal)
    if let result = ActionResult(json: recorded), try result.outputs.values.allSatisfy({ try store.isSound($0) }) {
      return (result, false)
    }
    try Files.remove(root)
    for folder in ["in", "out", "tmp"] { try Files.makeFolder("\(root)/\(folder)") }
    defer { try? Files.remove(root) }
    let result = try execute()
    if isCancelled() { throw Cancelled() }
    _ = try store.put(document.bytes)
    try store.index.record(result: result.json, key: document.key, documentSeal: document.identity.seal)
    return (result, true)
  }

  private func execute() throws -> ActionResult {
    if let builtin = action.builtin { return try run(builtin) }
    if let command = action.command { return try run(command) }
    throw Failure(.internal, "action", "the action of stage '\(stage.id)' has no work")
  }

  // MARK: Built-in kinds

  private func run(_ builtin: any BuiltinStage) throws -> ActionResult {
    var inputs: [String: [StageInput]] = [:]
    for input in action.inputs {
      inputs[input.name] = try input.members.enumerated().map { number, member in
        StageInput(
          label: member.label, path: try path(of: member.artifact, name: "\(input.name)-\(number)"),
          artifact: member.artifact)
      }
    }
    var outputs: [String: String] = [:]
    for output in builtin.kind.outputs { outputs[output.name] = "\(root)/out/\(output.fileName)" }
    guard case .builtin(_, let configuration) = stage.work else {
      throw Failure(.internal, "action", "stage '\(stage.id)' is not of a built-in kind")
    }
    let start = Clock.monotonic()
    let metrics = try builtin.run(
      StageContext(
        configuration: configuration, inputs: inputs, outputs: outputs, threads: threads, lineage: action.lineage,
        report: report, isCancelled: isCancelled))
    let usage = Usage(seconds: Clock.monotonic() - start, cpuSeconds: 0, peakKiB: nil)
    return ActionResult(
      outputs: try capture(builtin.kind.outputs.map { ($0.name, $0.fileName) }, log: nil),
      metrics: try Metrics.flatten(metrics, of: stage.id), log: nil, usage: usage)
  }

  /// A file is read where the store keeps it, read-only; a folder is written out.
  private func path(of artifact: Artifact, name: String) throws -> String {
    if artifact.kind != .folder { return try store.verifiedPath(artifact.identity) }
    let path = "\(root)/in/\(name)"
    try store.materialise(artifact, at: path)
    return path
  }

  // MARK: Commands

  private func run(_ command: ResolvedCommand) throws -> ActionResult {
    for (path, artifact) in command.files.sorted(by: { $0.key < $1.key }) {
      try store.materialise(artifact, at: "\(root)/\(path)")
    }
    for member in action.inputs.flatMap(\.members) where command.files[member.place] == nil {
      try store.materialise(member.artifact, at: "\(root)/\(member.place)")
    }
    let log = "\(root)/log"
    let descriptor = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Failure.system("create", path: log, errno: errno) }
    defer { close(descriptor) }
    let usage: Usage
    do {
      usage = try start(command, log: descriptor)
    } catch let failure as Failure {
      var explained = failure
      let tail = Execution.tail(of: log)
      if !tail.isEmpty { explained.message += "\n\(tail)" }
      throw explained
    }
    let outputs = try capture(stage.outputs.map { ($0.name, $0.fileName) }, log: log)
    var metrics: [String: JSON] = [:]
    if let artifact = outputs["metrics"], artifact.kind != .folder {
      let text = try store.read(artifact.identity)
      metrics = try Metrics.flatten(JSON(parsing: text, file: "metrics of stage \(stage.id)"), of: stage.id)
    }
    return ActionResult(outputs: outputs, metrics: metrics, log: try store.ingest(log), usage: usage)
  }

  /// Starts the command, waits for it and everything it started, and checks how it ended.
  private func start(_ command: ResolvedCommand, log: Int32) throws -> Usage {
    let program = command.tools[command.words[0]]?.path ?? "\(root)/\(command.words[0])"
    let start = Clock.monotonic()
    let process: ChildProcess
    do {
      process = try ChildProcess(
        path: program, words: command.words, environment: try environment(command), folder: root, log: log)
    } catch var failure as Failure {
      failure.message = "stage '\(stage.id)': \(failure.message)"
      failure.position = failure.position ?? stage.position
      throw failure
    }
    let ending = try process.wait(isCancelled: isCancelled)
    if isCancelled() { throw Cancelled() }
    guard ending.status == 0 else {
      let how =
        ending.status > 128 ? "was ended by signal \(ending.status - 128)" : "exited with \(ending.status)"
      throw Failure(
        .user, "command-failed", "stage '\(stage.id)': '\(command.words[0])' \(how)", at: stage.position,
        hint: "it runs in a folder of its own: files it needs must stand in 'in:' or be named in 'run:'")
    }
    return Usage(seconds: Clock.monotonic() - start, cpuSeconds: ending.cpuSeconds, peakKiB: ending.peakKiB)
  }

  /// What a command sees: the declared variables and a fixed few, so that the person's own
  /// environment cannot change a result.
  private func environment(_ command: ResolvedCommand) throws -> [String] {
    var variables = [
      "PATH": searchPath(), "HOME": "\(root)/tmp", "TMPDIR": "\(root)/tmp", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8",
      "TZ": "UTC", "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": String(threads),
    ]
    for (name, value) in command.environment {
      if let secret = value["secret"]?.string {
        guard let found = getenv(secret) else {
          throw Failure(
            .user, "no-secret", "stage '\(stage.id)' needs the environment variable '\(secret)', which is not set",
            at: stage.position)
        }
        variables[name] = String(cString: found)
      } else {
        variables[name] = value.string ?? ""
      }
    }
    return variables.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
  }

  // MARK: Outputs

  private func capture(_ outputs: [(name: String, fileName: String)], log: String?) throws -> [String: Artifact] {
    var captured: [String: Artifact] = [:]
    for (name, fileName) in outputs {
      let path = "\(root)/out/\(fileName)"
      guard Files.exists(path) else {
        let tail = log.map(Execution.tail) ?? ""
        throw Failure(
          .user, "no-output",
          "stage '\(stage.id)' ended well but did not write its output '\(name)'" + (tail.isEmpty ? "" : "\n\(tail)"),
          at: stage.position, hint: "the command must write to ${out.\(name)}")
      }
      captured[name] = try store.ingest(path)
    }
    return captured
  }

  /// The last lines of a log, for an error message.
  private static func tail(of path: String) -> String {
    let lines = String(decoding: (try? Files.read(path)) ?? [], as: UTF8.self).split(separator: "\n")
    return lines.suffix(12).map { "  | \($0)" }.joined(separator: "\n")
  }
}
