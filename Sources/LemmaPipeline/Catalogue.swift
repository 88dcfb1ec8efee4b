import LemmaBasics

/// The built-in stage kinds that a pipeline may name under `uses:`.
public struct Catalogue: Sendable {
  /// Sorted by name.
  public var kinds: [StageKind]
  private let byName: [String: StageKind]

  /// - Precondition: no two kinds share a name.
  public init(_ kinds: [StageKind]) {
    self.kinds = kinds.sorted { $0.name < $1.name }
    byName = Dictionary(uniqueKeysWithValues: kinds.map { ($0.name, $0) })
  }

  public subscript(name: String) -> StageKind? { byName[name] }
}

/// What a built-in stage kind takes and gives.
public struct StageKind: Sendable {
  public var name: String
  /// One sentence for the reference and for editors.
  public var summary: String
  public var inputs: [Input]
  public var outputs: [Output]
  public var parameters: [Parameter]
  /// What is wrong with a configuration whose values are all of their types, given the names of the
  /// inputs: what the kind would refuse when it runs, said before anything does.
  public var mistakes: @Sendable (_ configuration: [String: JSON], _ inputs: Set<String>) -> [Mistake]

  public init(
    name: String, summary: String, inputs: [Input], outputs: [Output], parameters: [Parameter],
    mistakes: @escaping @Sendable (_ configuration: [String: JSON], _ inputs: Set<String>) -> [Mistake] = { _, _ in [] }
  ) {
    self.name = name
    self.summary = summary
    self.inputs = inputs
    self.outputs = outputs
    self.parameters = parameters
    self.mistakes = mistakes
  }

  /// Something wrong with a configuration as a whole.
  public struct Mistake: Sendable {
    /// The parameter to point at.
    public var parameter: String
    /// Its position is of no account: the parameter's is told.
    public var failure: Failure

    public init(_ parameter: String, _ failure: Failure) {
      self.parameter = parameter
      self.failure = failure
    }
  }

  public struct Input: Sendable {
    public var name: String
    public var summary: String
    public var isRequired: Bool
    /// Whether it accepts several artifacts, such as those of a whole matrix.
    public var isList: Bool
    /// Whether its members are folders, such as a checkpoint; files otherwise.
    public var isFolder: Bool

    public init(
      name: String, summary: String, isRequired: Bool = true, isList: Bool = false, isFolder: Bool = false
    ) {
      self.name = name
      self.summary = summary
      self.isRequired = isRequired
      self.isList = isList
      self.isFolder = isFolder
    }
  }

  public struct Output: Sendable {
    public var name: String
    public var summary: String
    /// Its name in the execution root and, by default, in the workspace: `rows.jsonl`, or `model`
    /// for a folder.
    public var fileName: String
    public var isFolder: Bool

    public init(name: String, summary: String, fileName: String, isFolder: Bool = false) {
      self.name = name
      self.summary = summary
      self.fileName = fileName
      self.isFolder = isFolder
    }
  }

  public struct Parameter: Sendable {
    public var name: String
    public var summary: String
    public var type: ParameterType
    /// nil: the parameter must be given.
    public var defaultValue: JSON?

    public init(name: String, summary: String, type: ParameterType, defaultValue: JSON? = nil) {
      self.name = name
      self.summary = summary
      self.type = type
      self.defaultValue = defaultValue
    }
  }
}

/// The type of a parameter of a stage kind.
public indirect enum ParameterType: Sendable {
  case integer(ClosedRange<Int64>)
  /// A finite double; an integer is one too.
  case number(ClosedRange<Double>)
  case string
  case choice([String])
  case boolean
  case list(ParameterType)
  /// Keys of the author's choosing, values of one type.
  case map(ParameterType)
  /// Fixed keys, each with its own type and default.
  case record([StageKind.Parameter])
  /// The type or `null`.
  case optional(ParameterType)
}

extension [StageKind.Mistake] {
  /// What `body` throws about a parameter.
  public static func from(_ parameter: String, _ body: () throws -> Void) -> [StageKind.Mistake] {
    do {
      try body()
      return []
    } catch let failures as Failures {
      return failures.all.map { StageKind.Mistake(parameter, $0) }
    } catch let failure as Failure {
      return [StageKind.Mistake(parameter, failure)]
    } catch { return [] }
  }
}
