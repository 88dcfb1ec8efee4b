import LemmaBasics
import LemmaEngine
import LemmaHash
import LemmaPipeline

/// What an audit is asked about: a metric of a stage, an output, or a whole stage.
public struct Target: Sendable {
  public var stage: String
  public var output: String?
  public var metric: String?

  /// The words that name it: `train[size=500]`, `train[size=500].model`, `evaluate[size=500].accuracy`.
  public var text: String { [stage, metric ?? output].compactMap { $0 }.joined(separator: ".") }
}

extension Target {
  /// Finds what `text` names in a run: a file or folder of the workspace (by its place), a stage, or
  /// a stage and one of its metrics or outputs, joined by a dot. A stage with a matrix may be named
  /// without it when there is just one instance.
  /// - Throws: `Failure` with the nearest name.
  public static func find(_ text: String, stages: [RecordedStage], project: String, folder: String) throws -> Target {
    if let byPlace = place(text, stages: stages, project: project, folder: folder) { return byPlace }
    var names: [String] = []
    for stage in stages {
      names.append(stage.stage)
      for output in (stage.result?.outputs ?? [:]).keys.sorted() { names.append("\(stage.stage).\(output)") }
      for metric in (stage.result?.metrics ?? [:]).keys.sorted() { names.append("\(stage.stage).\(metric)") }
    }
    for stage in stages {
      if text == stage.stage { return Target(stage: stage.stage) }
      guard text.hasPrefix(stage.stage + ".") else { continue }
      let rest = String(text.dropFirst(stage.stage.count + 1))
      let output = stage.result?.outputs[rest] == nil ? nil : rest
      let metric = stage.result?.metrics[rest] == nil ? nil : rest
      if output != nil || metric != nil { return Target(stage: stage.stage, output: output, metric: metric) }
    }
    // A metric's or a stage's bare name, when it belongs to one stage only.
    let byMetric = stages.filter { $0.result?.metrics[text] != nil }
    if byMetric.count == 1 { return Target(stage: byMetric[0].stage, metric: text) }
    let instances = stages.filter { $0.stage.hasPrefix(text + "[") }
    if instances.count == 1 { return Target(stage: instances[0].stage) }
    let candidates = (byMetric.isEmpty ? instances.map(\.stage) : byMetric.map { "\($0.stage).\(text)" })
    if candidates.count > 1 {
      throw Failure(.user, "ambiguous", "'\(text)' names several: \(candidates.joined(separator: ", "))")
    }
    throw Failure(
      .user, "no-such-thing", "the run has no stage, output, metric or workspace file '\(text)'",
      hint: nearest(to: text, among: names).map { "did you mean '\($0)'?" } ?? "see 'lemma show'")
  }

  private static func place(_ text: String, stages: [RecordedStage], project: String, folder: String) -> Target? {
    func normal(_ path: String) -> [Substring] {
      path.split(separator: "/").reduce(into: []) { parts, part in
        if part == ".." { _ = parts.popLast() } else if part != "." { parts.append(part) }
      }
    }
    // A relative path is meant from the folder of the command, or as 'lemma run' prints it.
    let places = text.hasPrefix("/") ? [text] : ["\(folder)/\(text)", "\(project)/\(text)"]
    for wanted in places.map(normal) {
      for stage in stages {
        for (output, place) in stage.places.sorted(by: { $0.key < $1.key }) {
          let path = normal("\(project)/\(place)")
          if wanted == path || wanted.count > path.count && wanted.starts(with: path) {
            return Target(stage: stage.stage, output: output)
          }
        }
      }
    }
    return nil
  }
}
