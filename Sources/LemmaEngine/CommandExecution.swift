import Glibc
import LemmaBasics
import LemmaHash
import LemmaPipeline
import LemmaStore

/// Running a command: its root, its environment, its log.
extension Execution {
  func run(_ command: ResolvedCommand, in root: ExecutionRoot) throws -> ActionResult {
    let inputs = action.inputs.flatMap(\.members).map { (place: $0.place, artifact: $0.artifact) }
    let files = command.files.map { (place: $0.key, artifact: $0.value) }
    // A folder comes before what stands inside it.
    for (place, artifact) in (inputs + files).sorted(by: { $0.place < $1.place }) { try root.put(artifact, at: place) }
    let secrets = try self.secrets(of: command)
    let log = "\(root.path)/log"
    let usage: Usage
    let outputs: [String: Artifact]
    do {
      usage = try start(command, secrets: secrets, log: log, in: root)
      try checkTools(of: command)
      try SecretScan(secrets).refuse(
        outputs: stage.outputs.map { ($0.name, "\(root.path)/out/\($0.fileName)") }, of: stage.id, at: stage.position)
      outputs = try capture(stage.outputs.map { ($0.name, $0.fileName) }, in: root)
    } catch var failure as Failure {
      let tail = CommandLog(path: log).tail(withoutSecrets: secrets)
      if !tail.isEmpty { failure.message += "\n\(tail)" }
      if failure.code == "command-failed",
        ["No such file", "not found", "ModuleNotFound"].contains(where: tail.contains)
      {
        failure.hint = "it runs in a folder of its own: files it needs must stand in 'in:' or be named in 'run:'"
      }
      throw failure
    }
    var metrics: [String: JSON] = [:]
    if let artifact = outputs["metrics"], artifact.kind != .folder {
      try Metrics.checkSize(artifact.identity.size, of: stage.id)
      metrics = try Metrics.read(try store.read(artifact.identity), of: stage.id)
    }
    try CommandLog(path: log).remove(secrets: secrets)
    return ActionResult(outputs: outputs, metrics: metrics, log: try store.ingest(log), usage: usage)
  }

  /// Starts the command, waits for it and everything it started, and checks how it ended.
  private func start(
    _ command: ResolvedCommand, secrets: [String: String], log: String, in root: ExecutionRoot
  ) throws -> Usage {
    let descriptor = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Failure.system("create", path: log, errno: errno) }
    defer { close(descriptor) }
    if isCancelled() { throw Cancelled() }
    let start = Clock.monotonic()
    let process: ChildProcess
    do {
      process = try ChildProcess(
        path: command.tools[command.words[0]]?.path ?? "\(root.path)/\(command.words[0])", words: command.words,
        environment: environment(command, secrets: secrets, in: root), folder: root.path, log: descriptor)
    } catch var failure as Failure {
      failure.message = "stage '\(stage.id)': \(failure.message)"
      failure.position = stage.position
      throw failure
    }
    let ending = try process.wait(isCancelled: isCancelled)
    // Work that ended well just as the run was stopped is finished work.
    if ending.status != 0, isCancelled() { throw Cancelled() }
    guard ending.status == 0 else {
      let how =
        ending.status > 128 ? "was ended by signal \(ending.status - 128)" : "exited with \(ending.status)"
      throw Failure(
        .user, "command-failed", "stage '\(stage.id)': '\(command.words[0])' \(how)", at: stage.position)
    }
    return Usage(seconds: Clock.monotonic() - start, cpuSeconds: ending.cpuSeconds, peakKiB: ending.peakKiB)
  }

  /// A result must not be recorded under a program that was not the one that ran.
  private func checkTools(of command: ResolvedCommand) throws {
    for (name, tool) in command.tools.sorted(by: { $0.key < $1.key })
    where try store.identify(tool.path) != tool.artifact {
      throw Failure(
        .user, "tool-changed", "stage '\(stage.id)': the program '\(name)' changed while the run went on",
        at: stage.position, hint: "run again")
    }
  }

  private func secrets(of command: ResolvedCommand) throws -> [String: String] {
    var secrets: [String: String] = [:]
    for (name, value) in command.environment {
      guard let variable = value["secret"]?.string else { continue }
      guard let found = getenv(variable) else {
        throw Failure(
          .user, "no-secret", "stage '\(stage.id)' needs the environment variable '\(variable)', which is not set",
          at: stage.position)
      }
      secrets[name] = String(cString: found)
    }
    return secrets
  }

  /// What a command sees: the declared variables and a fixed few, so that the person's own
  /// environment cannot change a result. The path is that of the declared tools and the system's.
  private func environment(_ command: ResolvedCommand, secrets: [String: String], in root: ExecutionRoot) -> [String] {
    var folders = command.tools.sorted { $0.key < $1.key }.map { Files.parent($0.value.path) }
    for system in ["/usr/local/bin", "/usr/bin", "/bin"] where !folders.contains(system) { folders.append(system) }
    var variables = [
      "PATH": folders.joined(separator: ":"), "HOME": "\(root.path)/tmp", "TMPDIR": "\(root.path)/tmp",
      "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TZ": "UTC", "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1",
    ]
    for (name, value) in command.environment { variables[name] = value.string ?? secrets[name] ?? "" }
    return variables.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
  }
}
