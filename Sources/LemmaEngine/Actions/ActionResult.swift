import LemmaBasics
import LemmaHash
import LemmaPipeline

/// What an action gave: kept in the index under the action key, and in the ledger.
public struct ActionResult: Sendable {
  public var outputs: [String: Artifact]
  /// Finite numbers by name.
  public var metrics: [String: JSON]
  /// What a command printed, if anything.
  public var log: Artifact?
  /// Wall time of the execution; what was used, not what was made: it enters no key.
  public var seconds: Double
  /// Processor time, where it is known.
  public var cpuSeconds: Double?
  /// Peak memory in KiB, where it is known.
  public var peakKiB: Int?
  /// How many attempts it took.
  public var attempts = 1

  public var json: JSON {
    var members: [String: JSON] = [
      "outputs": .object(outputs.mapValues(\.json)), "metrics": .object(metrics),
      "resources": [
        "seconds": JSON((seconds * 1000).rounded() / 1000),
        "cpu_seconds": cpuSeconds.map { JSON(($0 * 1000).rounded() / 1000) } ?? .null,
        "peak_kib": peakKiB.map { JSON($0) } ?? .null,
      ],
    ]
    if let log { members["log"] = log.json }
    if attempts > 1 { members["attempts"] = JSON(attempts) }
    return .object(members)
  }

  /// Reads what `json` wrote; `nil` for anything else.
  public init?(json: JSON?) {
    guard let outputs = json?["outputs"]?.object else { return nil }
    self.outputs = [:]
    for (name, value) in outputs {
      guard let artifact = Artifact(json: value) else { return nil }
      self.outputs[name] = artifact
    }
    metrics = json?["metrics"]?.object ?? [:]
    log = Artifact(json: json?["log"])
    seconds = json?["resources"]?["seconds"]?.double ?? 0
    cpuSeconds = json?["resources"]?["cpu_seconds"]?.double
    peakKiB = json?["resources"]?["peak_kib"]?.int
    attempts = json?["attempts"]?.int ?? 1
  }

  /// Whether it has every output that the stage declares: a row of the index that has not is no result of
  /// the stage, whoever wrote it.
  func isComplete(for stage: Stage) -> Bool { stage.outputs.allSatisfy { outputs[$0.name] != nil } }

  init(outputs: [String: Artifact], metrics: [String: JSON], log: Artifact?, usage: Usage) {
    self.outputs = outputs
    self.metrics = metrics
    self.log = log
    seconds = usage.seconds
    cpuSeconds = usage.cpuSeconds
    peakKiB = usage.peakKiB
  }
}

/// What an execution used.
struct Usage: Sendable {
  var seconds: Double
  var cpuSeconds: Double?
  var peakKiB: Int?
}
