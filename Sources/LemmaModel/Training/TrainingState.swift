import LemmaBasics
import LemmaHash

/// Where a training stands between two steps: with the same model, examples and configuration, all that the rest of
/// it depends on.
struct TrainingState {
  /// Steps done.
  var step = 0
  var history: [StepRecord] = []
  var evaluations: [EvaluationRecord] = []

  /// The step whose held-out loss is the least so far.
  var best: EvaluationRecord? { evaluations.min { ($0.loss, $0.step) < ($1.loss, $1.step) } }

  /// Looks since the best one.
  var looksWithoutBetter: Int {
    guard let best, let index = evaluations.firstIndex(of: best) else { return 0 }
    return evaluations.count - 1 - index
  }
}

/// A folder in which a training leaves its state every so many steps, and from which it goes on after it was
/// stopped. The numbers lie in a file named by its content; `newest.json` names the one that counts, and is replaced
/// only when that file is safe on the disk, so that a kill at any instant leaves the state before or after.
public struct TrainingSaves: Sendable {
  public var folder: String
  /// Steps between two states.
  public var interval: Int

  public init(folder: String, interval: Int) {
    self.folder = folder
    self.interval = interval
  }

  private var newest: String { "\(folder)/newest.json" }

  func save(_ state: TrainingState, _ blocks: [(name: String, values: Floats)]) throws {
    let temporary = "\(folder)/state.safetensors"
    let entries = blocks.map { Safetensors.Entry(name: $0.name, shape: [$0.values.count]) }
    try Safetensors.write(entries, to: temporary, durable: true) { blocks[$0].values.bytes }
    let digest = Digest(of: try MappedFile(temporary))
    let name = "\(digest.hex).safetensors"
    try Files.rename(temporary, to: "\(folder)/\(name)")
    let records: JSON = [
      "step": JSON(state.step), "file": .string(name), "history": .array(state.history.map(\.json)),
      "evaluations": .array(state.evaluations.map(\.json)),
    ]
    let json: JSON = ["records": records, "digest": .string(Digest(of: records).hex)]
    try Files.syncFolder(folder)
    try Files.write(json.canonicalBytes, to: newest, durable: true)
    // Older states, and what a kill left of one that was being written.
    for other in try Files.list(folder)
    where other != name && (other.hasSuffix(".safetensors") || Files.isLeftover(other)) {
      try Files.remove("\(folder)/\(other)")
    }
  }

  /// Reads the newest state into the blocks; nil where there is none, or what there is cannot be trusted.
  func load(into blocks: [(name: String, values: Floats)]) throws -> TrainingState? {
    guard Files.exists(newest), let state = try? JSON(parsing: Files.read(newest), file: newest),
      let json = state["records"], state["digest"]?.string == Digest(of: json).hex, let name = json["file"]?.string,
      !name.contains("/"), let file = try? MappedFile("\(folder)/\(name)"),
      name == "\(Digest(of: file).hex).safetensors", let tensors = try? SafetensorsFile(file),
      let step = json["step"]?.int, let history = json["history"]?.array?.compactMap(StepRecord.init(json:)),
      let evaluations = json["evaluations"]?.array?.compactMap(EvaluationRecord.init(json:)), history.count == step
    else { return nil }
    guard blocks.allSatisfy({ tensors.tensor($0.name)?.shape == [$0.values.count] }) else { return nil }
    for block in blocks { try tensors.read(block.name, into: block.values.pointer) }
    return TrainingState(step: step, history: history, evaluations: evaluations)
  }
}

extension Digest {
  fileprivate init(of records: JSON) { self = records.canonicalBytes.withUnsafeBytes { Digest(of: $0) } }

  fileprivate init(of file: MappedFile) { self = withExtendedLifetime(file) { Digest(of: file.bytes) } }
}
