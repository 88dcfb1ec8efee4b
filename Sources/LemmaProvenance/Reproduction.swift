import LemmaBasics
import LemmaEngine
import LemmaHash
import LemmaLedger
import LemmaStore

/// Whether a recorded action gives the same bits again: executed anew, compared output by output, the
/// verdict put on record.
public struct Reproduction: Sendable {
  public var stage: String
  /// The run that recorded the action.
  public var run: String
  public var actionKey: String
  /// Outputs that came out the same, sorted.
  public var same: [String]
  /// The first difference in each output that did not, sorted by output.
  public var divergences: [Divergence]
  /// The commit of the verdict.
  public var commit = ""

  public var isSame: Bool { divergences.isEmpty }

  /// - Parameters:
  ///   - name: a stage of the project's newest run, or the one instance of it.
  /// - Throws: `Failure` when nothing is recorded of it, it is not what it was, or it fails.
  public init(
    of name: String, in project: Project, options: RunOptions, report: @escaping @Sendable (Progress) -> Void,
    isCancelled: @escaping @Sendable () -> Bool
  ) throws {
    let workspace = project.workspace
    let history = History(try workspace.ledger())
    guard
      let newest = try history.ledger.runs().first(where: {
        try history.summary(of: $0.id)["pipeline"]?.string == project.name
      })
    else { throw Failure(.user, "no-runs", "this pipeline has not been run here yet", hint: "start with 'lemma run'") }
    run = newest.id
    let stages = try history.stages(of: run)
    let target = try Target.find(name, stages: stages, project: workspace.project, folder: workspace.project)
    guard let recorded = stages.first(where: { $0.stage == target.stage }), let key = recorded.actionKey,
      let result = recorded.result
    else {
      throw Failure(
        .user, "not-run", "the newest run has no result of stage '\(target.stage)'", hint: "run it first")
    }
    stage = recorded.stage
    actionKey = key
    let results = Dictionary(
      stages.compactMap { stage in stage.result.map { (stage.stage, $0) } }, uniquingKeysWith: { first, _ in first })
    let made = try StageRepeater(project: project, options: options).run(
      stage, key: key, results: results, report: report, isCancelled: isCancelled
    ).result
    same = []
    divergences = []
    for (output, artifact) in result.outputs.sorted(by: { $0.key < $1.key }) {
      guard let again = made.outputs[output] else {
        divergences.append(Divergence(output: output, place: "it was not made again"))
        continue
      }
      if again == artifact {
        same.append(output)
      } else {
        divergences.append(
          try Divergence.between(
            artifact, again, output: output, place: recorded.places[output] ?? "", store: workspace.store))
      }
    }
    let verdict: JSON = [
      "format": 1, "stage": .string(stage), "run": .string(run), "action_key": .string(key),
      "verdict": isSame ? "same" : "different", "same": .array(same.map(JSON.string)),
      "differences": .array(divergences.map(\.json)), "recorded": .object(result.outputs.mapValues(\.json)),
      "made": .object(made.outputs.mapValues(\.json)),
    ]
    commit = try RunRecord.append(
      verdict, at: "reproductions/\(RunRecord.fileName(stage)).json", about: run,
      summary: try history.summary(of: run),
      title: "Reproduce \(project.name): \(stage), \(isSame ? "same" : "different")", in: workspace)
  }
}
