import Glibc
import LemmaBasics

extension Pipeline {
  /// Reads, validates and expands a pipeline file. Nothing else of the disk is looked at.
  ///
  /// - Parameters:
  ///   - file: the path to read; it stands in positions as it is given.
  ///   - overrides: parameters by name, each value a YAML scalar or flow value.
  ///   - catalogue: the built-in stage kinds.
  ///   - place: the file's path relative to the project, which no stage may write to. Without it, a
  ///     relative `file` itself, or the last part of an absolute one.
  /// - Throws: `Failures` with every mistake of the file; `Failure` when it cannot be read.
  public static func load(
    file: String, overrides: [String: String] = [:], catalogue: Catalogue, place: String? = nil
  ) throws -> Pipeline {
    var status = stat()
    if stat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size > YAMLReader.byteLimit {
      throw Failures([YAMLReader.tooLarge(file)])
    }
    let bytes = try Files.read(file)
    return try Pipeline(bytes: bytes, file: file, overrides: overrides, catalogue: catalogue, place: place)
  }

  /// The same from bytes in memory, such as those of an earlier run.
  public init(
    bytes: [UInt8], file: String, overrides: [String: String] = [:], catalogue: Catalogue, place: String? = nil
  ) throws {
    guard bytes.count <= YAMLReader.byteLimit else { throw Failures([YAMLReader.tooLarge(file)]) }
    let diagnostics = Diagnostics(SourceText(file: file, bytes: bytes))
    for key in diagnostics.literalKeys() { diagnostics.add(key) }
    let fields = Self.outline(diagnostics)
    let ownPlace = place ?? (file.hasPrefix("/") ? Files.name(file) : file)
    self.init(
      name: "", file: file, bytes: bytes, parameters: [:], sources: [], stages: [])
    do {
      try fields.map { try expand($0, overrides, catalogue, place: ownPlace, diagnostics) }
    } catch let failure as Failure {
      diagnostics.add(failure)
    }
    try diagnostics.check()
  }

  private mutating func expand(
    _ fields: [String: Node.Member], _ overrides: [String: String], _ catalogue: Catalogue, place: String,
    _ diagnostics: Diagnostics
  ) throws {
    let evaluator = Evaluator(diagnostics)
    let reader = DeclarationReader(diagnostics: diagnostics, evaluator: evaluator, catalogue: catalogue)
    name = fields["pipeline"].flatMap { reader.name($0.value, of: "a pipeline") } ?? ""
    evaluator.parameters = Overrides.apply(
      overrides, to: try reader.parameters(fields["params"]?.value), reporting: evaluator)
    parameters = evaluator.parameters
    let sources = try reader.sources(fields["sources"]?.value)
    self.sources = sources.map(\.source)
    let declarations = try fields["stages"].map { try reader.stages($0.value) } ?? []

    let expansion = Expansion(evaluator, declarations, sources: self.sources)
    if let node = fields["sandbox"]?.value {
      let value = try evaluator.resolve(node, in: Scope(namespaces: ["params"]))
      let word = diagnostics.conform(value, to: .words(of: SandboxMode.self), called: "sandbox")?.string
      expansion.defaultSandbox = word.flatMap { SandboxMode(rawValue: $0) } ?? .auto
    }
    expansion.declaredSources = Self.keys(fields["sources"])
    expansion.declaredStages = Self.keys(fields["stages"])
    let order = StageOrder.sort(declarations.map(\.name), edges: try expansion.edges(), reporting: diagnostics)
    for index in order { stages += try expansion.instances(of: index) }

    let read = sources.map { source, mark in
      Overlaps.Input(path: source.path, mark: mark, words: "the source '\(source.name)'", isSource: true)
    }
    var overlaps = Overlaps(diagnostics)
    overlaps.check(
      expansion.claims, read + expansion.read,
      pipelineFile: (try? ProjectPath.normalise(place).get()) ?? Files.name(file))
  }

  private static func outline(_ diagnostics: Diagnostics) -> [String: Node.Member]? {
    let known = ["pipeline", "params", "sources", "stages", "sandbox"]
    guard let root = YAMLReader.read(diagnostics),
      let fields = diagnostics.fields(of: root, called: "the pipeline file", known: known),
      case .mapping(let members) = root.content
    else { return nil }
    for key in ["pipeline", "stages"] where fields[key] == nil {
      diagnostics.missing(
        key, among: members.map(\.key), known: known, "the pipeline file has no '\(key)'", at: root.mark)
    }
    return fields
  }

  private static func keys(_ member: Node.Member?) -> Set<String> {
    guard case .mapping(let members)? = member?.value.content else { return [] }
    return Set(members.map(\.key))
  }
}
