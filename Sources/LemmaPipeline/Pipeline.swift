import LemmaBasics

/// A pipeline file, read, validated and expanded: what is to be built from what. Nothing here knows
/// whether a stage must run; that is the engine's question.
public struct Pipeline: Sendable {
  /// The name under `pipeline:`.
  public var name: String
  /// The path the file was read from.
  public var file: String
  /// The file's bytes as they were read.
  public var bytes: [UInt8]
  /// `params:` after overrides.
  public var parameters: [String: JSON]
  /// In declaration order.
  public var sources: [Source]
  /// Every stage instance, after everything it depends on; otherwise in declaration order, and
  /// within a declared stage in matrix order.
  public var stages: [Stage]

  public init(
    name: String, file: String, bytes: [UInt8], parameters: [String: JSON], sources: [Source], stages: [Stage]
  ) {
    self.name = name
    self.file = file
    self.bytes = bytes
    self.parameters = parameters
    self.sources = sources
    self.stages = stages
  }
}

/// A file or folder that the pipeline starts from.
public struct Source: Sendable, Hashable {
  public var name: String
  /// Relative to the project, or absolute; without `.` or a trailing slash, `..` at most at its start.
  public var path: String
  /// As declared, such as an SPDX identifier.
  public var license: String?
  public var position: Position

  public init(name: String, path: String, license: String?, position: Position) {
    self.name = name
    self.path = path
    self.license = license
    self.position = position
  }
}

/// One stage instance, with every parameter and matrix value in its place.
public struct Stage: Sendable {
  /// `train`, `train[size=500]` or `train[size=500,seed=1]`; unique in the pipeline.
  public var id: String
  /// The name as declared.
  public var name: String
  /// This instance's matrix values, in declaration order; empty without a matrix.
  public var matrix: [(key: String, value: JSON)]
  public var work: Work
  /// In declaration order.
  public var inputs: [Input]
  /// In the kind's order for a built-in, in declaration order for a command.
  public var outputs: [Output]
  /// A command's declared environment. A value `env:NAME` names a variable of the caller: a secret
  /// stays a reference here.
  public var environment: [String: String]
  /// The programs a command needs, as declared.
  public var tools: [String]
  public var resources: Resources
  public var policy: Policy
  /// Where the stage is declared.
  public var position: Position
  /// The ids of the stages this one reads from, sorted, each once.
  public var dependencies: [String]

  public init(
    id: String, name: String, matrix: [(key: String, value: JSON)] = [], work: Work, inputs: [Input] = [],
    outputs: [Output] = [], environment: [String: String] = [:], tools: [String] = [],
    resources: Resources = Resources(), policy: Policy = Policy(), position: Position, dependencies: [String] = []
  ) {
    self.id = id
    self.name = name
    self.matrix = matrix
    self.work = work
    self.inputs = inputs
    self.outputs = outputs
    self.environment = environment
    self.tools = tools
    self.resources = resources
    self.policy = policy
    self.position = position
    self.dependencies = dependencies
  }

  public enum Work: Sendable, Hashable {
    /// A kind of the catalogue, with its configuration: defaults filled in, every value of its type.
    case builtin(kind: String, with: [String: JSON])
    /// A program and its arguments.
    case command([CommandWord])
  }

  public struct Input: Sendable, Hashable {
    public var name: String
    /// In declaration order, a fan-in in the matrix order of its producer.
    public var refs: [Reference]
    /// Whether the input is several artifacts by its declaration, however many there happen to be.
    public var isList: Bool

    public init(name: String, refs: [Reference], isList: Bool) {
      self.name = name
      self.refs = refs
      self.isList = isList
    }
  }

  public struct Output: Sendable, Hashable {
    public var name: String
    /// Where the workspace's copy goes, relative to the project.
    public var path: String
    /// The name in the execution root.
    public var fileName: String
    /// Whether it is a folder; nil for a command, which makes what it makes.
    public var isFolder: Bool?

    public init(name: String, path: String, fileName: String, isFolder: Bool?) {
      self.name = name
      self.path = path
      self.fileName = fileName
      self.isFolder = isFolder
    }
  }

  public struct Resources: Sendable, Hashable {
    /// How many processors the stage keeps busy.
    public var cpus: Int
    /// The most memory it needs, in bytes; nil when undeclared.
    public var memory: Int?

    public init(cpus: Int = 1, memory: Int? = nil) {
      self.cpus = cpus
      self.memory = memory
    }
  }
}

/// One artifact that an input names.
public struct Reference: Sendable, Hashable {
  public enum Origin: Sendable, Hashable {
    case source(String)
    case stage(id: String, output: String)
    /// A file or folder of the project given directly.
    case path(String)
  }

  public var origin: Origin
  /// For a member of a fan-in, the matrix values that set it apart, such as `size=500`.
  public var label: String?

  public init(_ origin: Origin, label: String? = nil) {
    self.origin = origin
    self.label = label
  }
}

/// One word of a command line, with places for the paths that only the executor knows.
public struct CommandWord: Sendable, Hashable {
  public enum Piece: Sendable, Hashable {
    case text(String)
    /// `${in.name}`
    case input(String)
    /// `${out.name}`
    case output(String)
  }

  public var pieces: [Piece]

  public init(_ pieces: [Piece]) { self.pieces = pieces }
}
