import LemmaBasics
import LemmaHash
import LemmaPipeline

/// The engine's contract with a built-in stage kind: a function from verified input files and a
/// configuration to output files, the same bytes every time.
public protocol BuiltinStage: Sendable {
  /// What it takes and gives, for declarations and help.
  var kind: StageKind { get }
  /// Raised when the same inputs give other output bytes; it is part of the action document.
  var implementation: Int { get }
  /// What else decides the output's bytes, such as a numerics class.
  var facts: [String: JSON] { get }
  /// Whether `StageContext.lineage` is needed; it then becomes part of the action document.
  var usesLineage: Bool { get }
  /// Whether it leaves work in `StageContext.resume` to go on from, so that it gets that folder unasked.
  var resumes: Bool { get }
  /// What a second execution gives, unless the pipeline declares another.
  var determinism: Determinism { get }

  /// Writes every output and returns the metrics: an object of finite numbers, maybe empty.
  /// - Throws: `Failure`, or `Cancelled` soon after `isCancelled` turns true.
  func run(_ context: StageContext) throws -> JSON
}

extension BuiltinStage {
  public var facts: [String: JSON] { [:] }
  public var usesLineage: Bool { false }
  public var resumes: Bool { false }
  public var determinism: Determinism { .bitwise }
}

/// What a built-in stage is given.
public struct StageContext: Sendable {
  /// The `with` block, typed and with defaults filled in.
  public var configuration: [String: JSON]
  /// By input name; several members for an input that takes a list.
  public var inputs: [String: [StageInput]]
  /// Absolute paths to write, by output name.
  public var outputs: [String: String]
  /// Threads it may use. Output bytes must not depend on this.
  public var threads: Int
  /// The upstream graph by content (see `Lineage`), when the kind asks for it.
  public var lineage: JSON
  /// A folder that survives a kill of this very action and is removed after its success, for a kind that
  /// resumes and for a stage declared with `resume: true`. Output bytes must not depend on what it holds.
  public var resume: String?
  public var report: @Sendable (Progress) -> Void
  public var isCancelled: @Sendable () -> Bool

  /// The one artifact of an input that takes no list.
  /// - Throws: an internal `Failure` when the declaration let something else through.
  public func input(_ name: String) throws -> StageInput {
    guard let members = inputs[name], members.count == 1 else {
      throw Failure(
        .internal, "input", "the input '\(name)' has \(inputs[name]?.count ?? 0) members where one is expected")
    }
    return members[0]
  }

  /// The path to write an output to.
  public func output(_ name: String) throws -> String {
    guard let path = outputs[name] else { throw Failure(.internal, "output", "there is no output '\(name)'") }
    return path
  }

  /// Throws `Cancelled` when the run is being stopped.
  public func checkCancellation() throws {
    if isCancelled() { throw Cancelled() }
  }
}

/// One artifact as a stage reads it.
public struct StageInput: Sendable {
  /// The matrix values that tell members of a list apart, such as `size=500`; empty otherwise.
  public var label: String
  /// Absolute; verified, and not to be written.
  public var path: String
  public var artifact: Artifact

  public init(label: String = "", path: String, artifact: Artifact) {
    self.label = label
    self.path = path
    self.artifact = artifact
  }
}

/// Thrown by a stage that stopped because the run is being stopped.
public struct Cancelled: Error {
  public init() {}
}

/// The built-in kinds that a binary knows.
public struct Registry: Sendable {
  private let stages: [String: any BuiltinStage]
  public let catalogue: Catalogue

  public init(_ stages: [any BuiltinStage]) {
    self.stages = Dictionary(uniqueKeysWithValues: stages.map { ($0.kind.name, $0) })
    catalogue = Catalogue(stages.map(\.kind))
  }

  subscript(kind: String) -> (any BuiltinStage)? { stages[kind] }
}
