import Glibc
import LemmaBasics
import LemmaHash
import LemmaPipeline
import LemmaStore

/// Running a command: its root, its environment, its log.
extension Execution {
  func run(
    _ command: ResolvedCommand, in root: ExecutionRoot, under confinement: Confinement
  ) throws -> ActionResult {
    let inputs = action.inputs.flatMap(\.members).map { (place: $0.place, artifact: $0.artifact) }
    let files = command.files.map { (place: $0.key, artifact: $0.value) }
    // A folder comes before what stands inside it.
    for (place, artifact) in (inputs + files).sorted(by: { $0.place < $1.place }) {
      try root.put(artifact, at: place, borrows: confinement.canBorrow)
    }
    let secrets = try self.secrets(of: command)
    let usage: Usage
    let outputs: [String: Artifact]
    do {
      usage = try start(command, secrets: secrets, in: root, under: confinement)
      try ToolCheck.check(command.tools, of: stage, store: store)
      try SecretScan(secrets).refuse(
        outputs: stage.outputs.map { ($0.name, "\(root.path)/out/\($0.fileName)") }, of: stage.id, at: stage.position)
      outputs = try capture(stage.outputs.map { ($0.name, $0.fileName) }, in: root)
    } catch let failure as Failure {
      throw withLog(failure, in: root, secrets: secrets)
    }
    var metrics: [String: JSON] = [:]
    if let artifact = outputs["metrics"], artifact.kind != .folder {
      try Metrics.checkSize(artifact.identity.size, of: stage.id)
      metrics = try Metrics.read(try store.read(artifact.identity), of: stage.id)
    }
    let log = CommandLog(path: root.log)
    try log.remove(secrets: secrets)
    return ActionResult(
      outputs: outputs, metrics: metrics, log: log.isEmpty ? nil : try store.ingest(root.log), usage: usage)
  }

  private func start(
    _ command: ResolvedCommand, secrets: [String: String], in root: ExecutionRoot, under confinement: Confinement
  ) throws -> Usage {
    let name = command.words[0]
    let place = confinement.place(of: root)
    let needs = Confinement.Needs(
      readable: {
        command.tools.values.flatMap { SystemFolders.installation(ofProgram: $0.path, project: workspace.project) }
      },
      hasNetwork: stage.policy.hasNetwork)
    let environment = environment(
      command, secrets: secrets, place: place, resume: root.resumePlace(under: confinement))
    let (ending, usage) = try start(name, needs: needs, in: root, under: confinement) { log in
      ChildProcess.Launch(
        path: command.tools[name]?.path ?? "\(place)/\(name)", words: command.words, environment: environment,
        folder: root.path, log: log)
    }
    guard ending.status == 0 else {
      throw Failure(
        .user, "command-failed", "stage '\(stage.id)': '\(name)' \(describe(ending.status))", at: stage.position,
        hint: RefusedRead.hint(
          log: CommandLog(path: root.log).tail(withoutSecrets: secrets), stage: stage, confinement: confinement))
    }
    return usage
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
  private func environment(
    _ command: ResolvedCommand, secrets: [String: String], place: String, resume: String?
  ) -> [String] {
    var folders: [String] = []
    let tools = command.tools.count > 1 ? command.tools.sorted { $0.key < $1.key } : Array(command.tools)
    for folder in tools.map({ Files.parent($0.value.path) }) + ["/usr/local/bin", "/usr/bin", "/bin"]
    where !folders.contains(folder) { folders.append(folder) }
    var variables = commonVariables(place: place)
    variables["PATH"] = folders.joined(separator: ":")
    variables["PYTHONHASHSEED"] = "0"
    variables["PYTHONDONTWRITEBYTECODE"] = "1"
    variables["LEMMA_RESUME"] = resume
    for (name, value) in command.environment { variables[name] = value.string ?? secrets[name] ?? "" }
    return variables.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
  }
}
