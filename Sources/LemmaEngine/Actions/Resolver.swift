import Glibc
import LemmaBasics
import LemmaHash
import LemmaPipeline
import LemmaStore

/// Turns declared stages into actions: sources, inputs, commands and tools become digests. Knows
/// nothing of when or whether an action runs. One run has one resolver, used by one thread.
final class Resolver {
  private let workspace: Workspace
  private let registry: Registry
  private let stages: StageList
  /// Whether bytes are taken into the store, or only named, as for a plan.
  private let keepsBytes: Bool
  private let sources: [String: Source]
  /// Where the pipeline's outputs go in the workspace, with how they are referred to.
  private lazy var outputPlaces = stages.outputPlaces
  private let reads: ProjectReads
  private var files: [String: Store.Examined] = [:]
  private var tools: [String: (tool: ResolvedCommand.Tool, watches: [Watch])] = [:]
  /// What the action that was resolved last rests on; when it could not be, as far as that went.
  private(set) var watches: [Watch] = []

  init(project: Project, keepsBytes: Bool) {
    workspace = project.workspace
    registry = project.registry
    stages = project.stages
    self.keepsBytes = keepsBytes
    reads = ProjectReads(workspace)
    sources = Dictionary(uniqueKeysWithValues: project.sources.map { ($0.name, $0) })
  }

  /// An action ready to be looked up or executed.
  struct Action: Sendable {
    var stage: Stage
    var document: ActionDocument
    var inputs: [ResolvedInput]
    var command: ResolvedCommand?
    var builtin: (any BuiltinStage)?
    var lineage: JSON
    /// By input name, what each member is to the person who declared it.
    var names: [String: [String]] = [:]
    /// The files that it was made from.
    var watches: [Watch] = []
  }

  /// Results of stages by id.
  typealias Results = (String) -> ActionResult?

  /// - Parameter results: of all the stages that `stage` depends on, and of theirs.
  /// - Throws: `Failure` when a source, a tool or a file is missing or cannot be read.
  func action(for stage: Stage, results: Results) throws -> Action {
    watches = []
    var action = try resolve(stage, results: results)
    action.watches = watches
    return action
  }

  private func resolve(_ stage: Stage, results: Results) throws -> Action {
    let inputs = try stage.inputs.map { try resolve($0, of: stage, results: results) }
    switch stage.work {
    case .builtin(let kind, let configuration):
      guard let builtin = registry[kind] else { throw Failure(.internal, "kind", "the kind '\(kind)' has no code") }
      try checkTypes(of: inputs, for: builtin.kind, stage: stage)
      let lineage = builtin.usesLineage ? try self.lineage(of: stage, results: results) : .null
      let document = ActionDocument.builtin(
        builtin, configuration: configuration, inputs: inputs, lineage: builtin.usesLineage ? lineage : nil,
        hasNetwork: stage.policy.hasNetwork)
      return Action(
        stage: stage, document: document, inputs: inputs, builtin: builtin, lineage: lineage,
        names: Dictionary(
          inputs.map { ($0.name, $0.members.map { describe($0.origin) }) }, uniquingKeysWith: { first, _ in first }))
    case .command(let words):
      let command = try resolve(words, of: stage, inputs: inputs)
      let document = ActionDocument.command(
        command, inputs: inputs, outputs: stage.outputs, hasNetwork: stage.policy.hasNetwork)
      return Action(stage: stage, document: document, inputs: inputs, command: command, lineage: .null)
    }
  }

  /// The artifact of a declared source.
  func artifact(ofSource name: String) throws -> Artifact {
    guard let source = sources[name] else { throw Failure(.internal, "source", "there is no source '\(name)'") }
    // A source may lie elsewhere, if its path says so.
    if !source.path.hasPrefix("/"), source.path != "..", !source.path.hasPrefix("../") {
      try reads.check(source.path, what: "source '\(name)'", at: source.position)
    }
    return try file(source.path, at: source.position, what: "source '\(name)'")
  }

  /// Forgets what files were found to be, so that they are read again.
  func forgetFiles() { files = [:] }

  private func file(_ path: String, at position: Position, what: String) throws -> Artifact {
    let place = workspace.absolute(path)
    if let index = files.index(forKey: path) {
      // Two files may have names that differ in nothing but how an accent is written.
      guard isSame(files[index].key, path) else {
        throw Failure(
          .user, "equivalent-paths",
          "\(what): '\(path)' is the name of two files that differ in how accents are written",
          at: position, hint: "rename one of them")
      }
      let known = files[index].value
      watches.append(.content(place, known, isOutput: false))
      return known.artifact
    }
    guard Files.exists(place) else {
      watches.append(.exact(place))
      throw Failure(.user, "no-such-file", "\(what): there is no '\(path)'", at: position)
    }
    guard let examined = try workspace.store.examine(place, keepingBytes: keepsBytes) else {
      throw Failure(.user, "no-such-file", "\(what): '\(path)' went away", at: position)
    }
    files[path] = examined
    watches.append(.content(place, examined, isOutput: false))
    return examined.artifact
  }

  private func resolve(_ input: Stage.Input, of stage: Stage, results: Results) throws -> ResolvedInput {
    let members = try input.refs.enumerated().map { number, reference in
      let artifact: Artifact
      var place: String
      switch reference.origin {
      case .source(let name):
        artifact = try self.artifact(ofSource: name)
        place = sources[name]?.path ?? ""
      case .path(let path):
        try reads.check(path, what: "input '\(input.name)' of stage '\(stage.id)'", at: stage.position)
        artifact = try file(path, at: stage.position, what: "input '\(input.name)' of stage '\(stage.id)'")
        place = path
      case .stage(let id, let output):
        guard let found = results(id)?.outputs[output] else {
          throw Failure(.internal, "order", "stage '\(stage.id)' was looked at before '\(id)'")
        }
        artifact = found
        place = stages[id]?.outputs.first { $0.name == output }?.fileName ?? ""
      }
      if case .path = reference.origin {
        // A file that a person names by its path keeps it, so that scripts find their neighbours.
      } else {
        let suffix = Resolver.suffix(of: place)
        let member = reference.label.map(RunRecord.fileName) ?? String(number)
        place = input.isList ? "in/\(input.name)/\(member)\(suffix)" : "in/\(input.name)\(suffix)"
      }
      return ResolvedInput.Member(
        label: reference.label ?? "", place: place, artifact: artifact, origin: reference.origin)
    }
    return ResolvedInput(name: input.name, isList: input.isList, members: members)
  }

  private func checkTypes(of inputs: [ResolvedInput], for kind: StageKind, stage: Stage) throws {
    for declared in kind.inputs {
      for member in inputs.first(where: { $0.name == declared.name })?.members ?? []
      where (member.artifact.kind == .folder) != declared.isFolder {
        throw Failure(
          .user, "input-type",
          "input '\(declared.name)' of stage '\(stage.id)' must be a \(declared.isFolder ? "folder" : "file"), and "
            + "\(describe(member.origin)) is a \(declared.isFolder ? "file" : "folder")", at: stage.position)
      }
    }
  }

  /// What an input is to the person who declared it: a place in the workspace.
  func describe(_ origin: Reference.Origin) -> String {
    switch origin {
    case .source(let name): sources[name]?.path ?? name
    case .path(let path): path
    case .stage(let id, let output): stages[id]?.outputs.first { $0.name == output }?.path ?? "\(id).\(output)"
    }
  }

  /// The last extension of a path's file name with its dot, or nothing.
  private static func suffix(of path: String) -> String {
    let name = Files.name(path)
    guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return "" }
    return String(name[dot...])
  }

  // MARK: Commands

  private func resolve(_ words: [CommandWord], of stage: Stage, inputs: [ResolvedInput]) throws -> ResolvedCommand {
    let places = Dictionary(uniqueKeysWithValues: inputs.map { ($0.name, $0.members.map(\.place)) })
    let outputs = Dictionary(uniqueKeysWithValues: stage.outputs.map { ($0.name, "out/\($0.fileName)") })
    var command = ResolvedCommand(words: words.flatMap { $0.expand(inputs: places, outputs: outputs) })
    // A word that names a file of the project is an input, declared by being there.
    for word in words {
      guard let path = word.plainText, !path.isEmpty, !path.hasPrefix("-"), !path.hasPrefix("/") else { continue }
      let parts = path.utf8.split(separator: UInt8(ascii: "/")).map { String(decoding: $0, as: UTF8.self) }
      guard !parts.contains("..") else { continue }
      let place = parts.filter { $0 != "." }.joined(separator: "/")
      try refuseOutput(place, of: stage)
      guard isRegularFile(workspace.absolute(place)) else {
        watches.append(.absent(workspace.absolute(place)))
        continue
      }
      try reads.check(place, what: "a word of stage '\(stage.id)'", at: stage.position)
      command.files[place] = try file(place, at: stage.position, what: "stage '\(stage.id)'")
    }
    let isOwn = inputs.contains { $0.members.contains { $0.place == command.words[0] } }
    let programs = isOwn ? stage.tools : stage.tools + [command.words[0]]
    for name in Set(programs).sorted() where command.files[Resolver.withoutDot(name)] == nil {
      command.tools[name] = try tool(name, of: stage)
    }
    // What OpenMP and its kin would take from the machine is the stage's own declaration.
    command.environment["OMP_NUM_THREADS"] = .string(String(stage.resources.cpus))
    for (name, value) in stage.environment {
      command.environment[name] =
        value.hasPrefix(ResolvedCommand.secretPrefix)
        ? ["secret": .string(String(value.dropFirst(ResolvedCommand.secretPrefix.count)))] : .string(value)
    }
    return command
  }

  private static func withoutDot(_ name: String) -> String { name.hasPrefix("./") ? String(name.dropFirst(2)) : name }

  /// A word that names what another stage makes would read what an earlier run left there.
  private func refuseOutput(_ place: String, of stage: Stage) throws {
    var path = place
    while !path.isEmpty, path != "." {
      if let reference = outputPlaces[path], !stage.outputs.contains(where: { $0.path == path }) {
        throw Failure(
          .user, "output-as-word", "stage '\(stage.id)': '\(place)' is made by this pipeline", at: stage.position,
          hint: "give ${stages.\(reference)} under 'in:' and use ${in.NAME}")
      }
      path = Files.parent(path)
    }
  }

  private func isRegularFile(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  }

  private func tool(_ name: String, of stage: Stage) throws -> ResolvedCommand.Tool {
    if let known = tools[name] {
      watches += known.watches
      return known.tool
    }
    let folders =
      name.hasPrefix("/")
      ? [""] : name.contains("/") ? ["\(workspace.project)/"] : searchPath().split(separator: ":").map { "\($0)/" }
    var passed: [Watch] = []
    for folder in folders {
      let place = folder + name
      guard access(place, X_OK) == 0, let resolved = realpath(place, nil) else {
        passed.append(.exact(place))
        continue
      }
      defer { free(resolved) }
      let path = String(cString: resolved)
      guard isRegularFile(path), let examined = try workspace.store.examine(path) else { continue }
      // The name as found is what is started: many tools look at the name they were called by.
      let tool = ResolvedCommand.Tool(path: place, artifact: examined.artifact)
      let own = passed + [.content(place, examined, isOutput: false)]
      tools[name] = (tool, own)
      watches += own
      return tool
    }
    throw Failure(
      .user, "no-such-tool", "stage '\(stage.id)' needs the program '\(name)', which is not on PATH",
      at: stage.position, hint: "install it, or name a script of the project by its path")
  }

  // MARK: Lineage

  /// The graph above a stage by content, without names of stages: nodes in the pipeline's order,
  /// each with its kind, its configuration, where every input comes from, outputs and metrics.
  private func lineage(of stage: Stage, results: Results) throws -> JSON {
    var wanted: Set<Int> = []
    var stack = stage.dependencies.compactMap(stages.number)
    while let number = stack.popLast() {
      if wanted.insert(number).inserted { stack += stages.dependencies[number] }
    }
    let members = wanted.sorted().map { stages[$0] }
    let numbers = Dictionary(uniqueKeysWithValues: members.enumerated().map { ($1.id, $0) })
    let nodes = try members.map { member -> JSON in
      var node: [String: JSON] = ["label": .string(member.label)]
      switch member.work {
      case .builtin(let kind, let configuration):
        node["kind"] = .string(kind)
        node["with"] = .object(configuration)
      case .command(let words): node["kind"] = .string(words.first?.plainText.map(Files.name) ?? "command")
      }
      let inputs = try member.inputs.map { input in
        (
          input.name,
          JSON.array(
            try resolve(input, of: member, results: results).members.map { resolved in
              guard case .object(var origin) = resolved.artifact.json else { return .null }
              switch resolved.origin {
              case .stage(let id, let output):
                origin["node"] = numbers[id].map { JSON($0) } ?? .null
                origin["output"] = .string(output)
              case .source(let name): origin["license"] = sources[name]?.license.map(JSON.string) ?? .null
              case .path: break
              }
              return .object(origin)
            })
        )
      }
      node["inputs"] = .object(Dictionary(uniqueKeysWithValues: inputs))
      node["outputs"] = .object(results(member.id)?.outputs.mapValues(\.json) ?? [:])
      node["metrics"] = .object(results(member.id)?.metrics ?? [:])
      return .object(node)
    }
    return .array(nodes)
  }
}

extension Stage {
  /// The matrix values, such as `seed=1,size=500`; empty without a matrix.
  var label: String {
    matrix.map { "\($0.key)=\($0.value.string ?? $0.value.canonical)" }.joined(separator: ",")
  }
}

/// The folders in which programs are looked for.
func searchPath() -> String {
  getenv("PATH").map { String(cString: $0) } ?? "/usr/local/bin:/usr/bin:/bin"
}
