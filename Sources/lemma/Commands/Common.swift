import ArgumentParser
import Glibc
import LemmaBasics
import LemmaEngine
import LemmaPipeline
import LemmaStages
import LemmaStore

/// Which pipeline, where.
struct PipelineOptions: ParsableArguments {
  @Argument(help: "The pipeline file.", completion: .file(extensions: ["yaml", "yml"]))
  var file: String = "lemma.yaml"

  @OptionGroup var workspace: WorkspaceOptions
  @OptionGroup var parameters: ParameterOptions

  /// - Parameter stage: the only stage that is asked about; nil for all.
  func open(about stage: String? = nil) throws -> Project { try open(in: workspace.open(), about: stage) }

  /// The pipeline as its file has it.
  func parse() throws -> Pipeline { try parameters.load(file) }

  func open(in workspace: Workspace, about stage: String? = nil) throws -> Project {
    try Project(
      workspace: workspace, file: ParameterOptions.find(file), overrides: parameters.overrides(), registry: .standard,
      about: stage)
  }
}

struct ParameterOptions: ParsableArguments {
  @Option(name: .customLong("param"), help: ArgumentHelp("Set a parameter of the pipeline.", valueName: "name=value"))
  var parameters: [String] = []

  func load(_ file: String) throws -> Pipeline {
    try Pipeline.load(
      file: ParameterOptions.find(file), overrides: overrides(), catalogue: Registry.standard.catalogue)
  }

  func overrides() throws -> [String: String] {
    var overrides: [String: String] = [:]
    for parameter in parameters {
      guard let equals = parameter.firstIndex(of: "="), equals != parameter.startIndex else {
        throw Failure(.user, "param", "'--param \(parameter)' is not of the form name=value")
      }
      overrides[String(parameter[..<equals])] = String(parameter[parameter.index(after: equals)...])
    }
    return overrides
  }

  /// From a sub-folder the project's own file is meant.
  static func find(_ file: String) throws -> String {
    var file = file
    if file == "lemma.yaml", !Files.exists(file) { file = "\(try Workspace.findProject(from: "."))/lemma.yaml" }
    if Files.name(file) == "lemma.yaml", !Files.exists(file) {
      throw Failure(
        .user, "no-pipeline", "there is no 'lemma.yaml' here",
        hint: "name a pipeline file, or start one with 'lemma init'")
    }
    return file
  }
}

struct WorkspaceOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The project folder. Default: the nearest folder upwards with a store, else with a git repository, else here.",
      valueName: "folder"),
    completion: .directory)
  var project: String?

  @Option(help: ArgumentHelp("The store. Default: cache in the project.", valueName: "folder"), completion: .directory)
  var store: String?

  func open() throws -> Workspace {
    try Workspace(project: try project ?? Workspace.findProject(from: "."), store: store)
  }

  /// For commands that only look back: without a store there is nothing to see, and none is made.
  func openExisting() throws -> Workspace {
    let folder = try project ?? Workspace.findProject(from: ".")
    let place = store ?? "\(folder)/cache"
    guard Files.exists("\(place)/format") else {
      throw Failure(
        .user, "no-runs", "nothing has been run here yet: there is no store '\(place)'", hint: "start with 'lemma run'")
    }
    return try open()
  }

  /// The folder in which the command was given.
  static func currentFolder() throws -> String {
    guard let path = getcwd(nil, 0) else { throw Failure.system("getcwd", path: ".", errno: errno) }
    defer { free(path) }
    return String(cString: path)
  }
}

/// A command whose failures become messages and exit codes in one place.
protocol LemmaCommand: ParsableCommand {
  /// Whether a program reads the answer; it then gets failures as JSON too.
  var json: Bool { get }

  func execute() throws
}

extension LemmaCommand {
  var json: Bool { false }

  func run() throws {
    do {
      try execute()
    } catch let failure as Failure {
      throw report([failure])
    } catch let failures as Failures {
      throw report(failures.all)
    } catch let fault as ObjectFault {
      throw report([fault.failure])
    }
  }

  private func report(_ failures: [Failure]) -> ExitCode {
    Terminal.error(failures, asJSON: json)
    return failures.first.map { ExitCode($0) } ?? .internal
  }
}
