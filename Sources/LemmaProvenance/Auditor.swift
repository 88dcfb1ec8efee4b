import LemmaBasics
import LemmaEngine
import LemmaHash
import LemmaLedger
import LemmaStore

/// Walks from a target to its sources.
public final class Auditor {
  let workspace: Workspace
  let history: History
  var faults: [Audit.Fault] = []
  var notes: [String] = []
  private var steps: [Audit.Step] = []
  private var stages: [String: RecordedStage] = [:]
  private var executions: [String: (run: RecordedRun, stage: RecordedStage)] = [:]
  var summary: JSON = .null
  private var verified: [Identity: Bool] = [:]
  private var visited: Set<String> = []
  private var checkedPaths: Set<String> = []
  private var datasets = DatasetCheck()

  public init(workspace: Workspace) throws {
    self.workspace = workspace
    history = History(try workspace.ledger())
  }

  /// - Parameters:
  ///   - text: what to audit; see `Target.find`.
  ///   - run: a run as `Ledger.resolve` takes it.
  ///   - folder: relative paths in `text` start here.
  /// - Throws: `Failure` when the ledger cannot be read at all, or holds no such thing.
  public func audit(_ text: String, run: String = "latest", folder: String) throws -> Audit {
    let ledger = history.ledger
    guard try ledger.head() != nil else {
      if let lost = try RunRecord.lostHead(of: ledger, in: workspace) {
        throw Failure(.store, "ledger-lost", "the ledger is gone: its newest run was commit \(lost)")
      }
      throw Failure(.user, "no-runs", "nothing has been run here yet", hint: "start with 'lemma run'")
    }
    let (id, target) = try find(text, run: run, folder: folder)
    let recorded = try ledger.run(id)
    let commits = try verifyLedger()
    summary = try history.summary(of: id)
    let all = try history.stages(of: id)
    stages = Dictionary(all.map { ($0.stage, $0) }) { first, second in
      faults.append(Audit.Fault(subject: "commit \(id)", message: "it names the stage '\(second.stage)' twice"))
      return first
    }
    try verifyCommit(id, stages: all)
    try verifyWorkspace(target)
    executions = try history.executions(before: id)
    try visit(target.stage)
    faults += datasets.faults
    return Audit(
      target: target, run: recorded, circumstances: summary, steps: steps, faults: faults,
      notes: notes + datasets.notes, objectsVerified: verified.count, commitsVerified: commits)
  }

  /// The newest run in which what is asked about has a result, unless a run was named.
  private func find(_ text: String, run: String, folder: String) throws -> (run: String, target: Target) {
    let first = try history.ledger.resolve(run)
    func target(in id: String) throws -> Target {
      try Target.find(text, stages: history.stages(of: id), project: workspace.project, folder: folder)
    }
    if run == "latest" {
      for recorded in try history.ledger.runs(from: first) {
        guard let found = try? target(in: recorded.id) else { continue }
        if try history.stage(found.stage, of: recorded.id).result != nil {
          if recorded.id != first { notes.append("the newest run with this result is run \(recorded.number)") }
          return (recorded.id, found)
        }
      }
    }
    return (first, try target(in: first))
  }

  /// The file that a person looks at must be the one that was made.
  private func verifyWorkspace(_ target: Target) throws {
    guard let output = target.output, let stage = stages[target.stage], let place = stage.places[output],
      let made = stage.result?.outputs[output]
    else { return }
    guard let found = try workspace.store.identify(workspace.absolute(place), trustsStamps: false) else {
      notes.append("'\(place)' is not in the workspace; the store's copy was audited")
      return
    }
    if found != made {
      faults.append(
        Audit.Fault(subject: place, message: "the workspace's file is not the one that stage '\(stage.stage)' made"))
    }
  }

  private func visit(_ id: String) throws {
    guard visited.insert(id).inserted else { return }
    guard let stage = stages[id] else {
      faults.append(Audit.Fault(subject: "stage \(id)", message: "the run's record has no such stage"))
      return
    }
    guard let action = stage.action, let result = stage.result, let key = stage.actionKey else {
      faults.append(Audit.Fault(subject: "stage \(id)", message: "it has no result in this run: it \(stage.outcome)"))
      return
    }
    verifyDocument(of: stage, action: action)
    try verifyIndex(of: stage, result: result)
    verifyMetrics(of: stage, result: result)
    let outputs = result.outputs.sorted { $0.key < $1.key }.map { name, artifact in
      link(name, artifact, origin: stage.places[name] ?? "", role: "output '\(name)' of stage '\(id)'")
    }
    if let log = result.log { _ = link("log", log, origin: "", role: "log of stage '\(id)'") }
    let inputs = try links(inputsOf: stage, action: action)
    datasets.check(stage: id, inputs: inputs, outputs: outputs, store: workspace.store, isSound: isSound)
    let execution = executions[key]?.run
    if let executed = executions[key], let made = executed.stage.result {
      if made.outputs != result.outputs || made.metrics != result.metrics {
        faults.append(
          Audit.Fault(
            subject: "stage \(id)",
            message: "its result is not the one that run \(executed.run.number) recorded when it ran"))
      }
    } else {
      notes.append("no run of this ledger executed '\(id)': its result came from the store")
    }
    steps.append(
      Audit.Step(
        stage: id, kind: action["kind"]?.string ?? action["command"]?.array?.first?.string ?? "",
        configuration: action["with"] ?? action["command"] ?? .null, actionKey: key,
        executedIn: execution.map { ($0.number, $0.id) }, inputs: inputs, outputs: outputs, metrics: result.metrics))
    for origins in stage.origins.sorted(by: { $0.key < $1.key }).map(\.value) {
      for case .stage(let producer, _) in origins { try visit(producer) }
    }
  }

  /// The document in the ledger must be the one that key and seal were made from, and the store's.
  private func verifyDocument(of stage: RecordedStage, action: JSON) {
    let identity = Identity(of: action.canonicalBytes)
    if identity.digest.hex != stage.actionKey || identity.seal.hex != stage.actionSeal {
      faults.append(
        Audit.Fault(
          subject: "action \(stage.actionKey ?? "?")",
          message: "the document of stage '\(stage.stage)' in the ledger does not have the digests recorded with it"))
    }
    _ = verify(identity, role: "action document of stage '\(stage.stage)'")
  }

  /// The index is only a memory, but what it would serve must be what the ledger says.
  private func verifyIndex(of stage: RecordedStage, result: ActionResult) throws {
    guard let action = stage.action else { return }
    let identity = Identity(of: action.canonicalBytes)
    let known = try workspace.store.index.result(key: identity.digest, documentSeal: identity.seal)
    if let known = ActionResult(json: known), known.outputs != result.outputs || known.metrics != result.metrics {
      faults.append(
        Audit.Fault(
          subject: "action \(identity.digest.hex)",
          message: "index and ledger disagree on what stage '\(stage.stage)' gave"))
    }
  }

  /// The numbers must be those of the metrics file, when the stage wrote one.
  private func verifyMetrics(of stage: RecordedStage, result: ActionResult) {
    guard let file = result.outputs["metrics"], file.kind != .folder,
      verify(file.identity, role: "output 'metrics' of stage '\(stage.stage)'"),
      let bytes = try? workspace.store.read(file.identity)
    else { return }
    if (try? Metrics.read(bytes, of: stage.stage)) != result.metrics {
      faults.append(
        Audit.Fault(subject: "stage \(stage.stage)", message: "its recorded metrics are not those of its metrics file"))
    }
  }

  private func links(inputsOf stage: RecordedStage, action: JSON) throws -> [Audit.Link] {
    var links: [Audit.Link] = []
    for (name, value) in (action["inputs"]?.object ?? [:]).sorted(by: { $0.key < $1.key }) {
      let members = value.array ?? [value]
      for (number, member) in members.enumerated() {
        guard let artifact = Artifact(json: member) else {
          faults.append(Audit.Fault(subject: "stage \(stage.stage)", message: "its input '\(name)' is not an artifact"))
          continue
        }
        let origins = stage.origins[name] ?? []
        let origin = origins.indices.contains(number) ? origins[number] : nil
        try verifyOrigin(origin, of: artifact, name: name, stage: stage.stage)
        links.append(
          link(name, artifact, origin: origin?.text ?? "unknown", role: "input '\(name)' of stage '\(stage.stage)'"))
      }
    }
    for (path, value) in (action["files"]?.object ?? [:]).sorted(by: { $0.key < $1.key }) {
      guard let artifact = Artifact(json: value) else { continue }
      links.append(link(path, artifact, origin: "file \(path)", role: "file '\(path)' of stage '\(stage.stage)'"))
    }
    return links
  }

  private func verifyOrigin(_ origin: RecordedStage.Origin?, of artifact: Artifact, name: String, stage: String) throws
  {
    switch origin {
    case .stage(let id, let output):
      if stages[id]?.result?.outputs[output] != artifact {
        faults.append(
          Audit.Fault(
            subject: "stage \(stage)",
            message: "its input '\(name)' is not the output '\(output)' that stage '\(id)' gave"))
      }
    case .source(let source):
      guard let declared = summary["sources"]?.array?.first(where: { $0["name"]?.string == source }) else {
        faults.append(
          Audit.Fault(
            subject: "stage \(stage)", message: "its input '\(name)' comes from '\(source)', which the run did not have"
          ))
        return
      }
      try noteChange(of: declared["path"]?.string ?? "", artifact)
    case .path(let path): try noteChange(of: path, artifact)
    case nil:
      faults.append(
        Audit.Fault(subject: "stage \(stage)", message: "the origin of its input '\(name)' is not recorded"))
    }
  }

  private func noteChange(of path: String, _ artifact: Artifact) throws {
    guard checkedPaths.insert(path).inserted else { return }
    guard let found = try? workspace.store.identify(workspace.absolute(path)) else {
      return notes.append("'\(path)' is no longer there; the store has what was read")
    }
    if found != artifact { notes.append("'\(path)' has changed since; the store has what was read") }
  }

  // MARK: Objects

  private func link(_ name: String, _ artifact: Artifact, origin: String, role: String) -> Audit.Link {
    guard verify(artifact.identity, role: role) else {
      return Audit.Link(name: name, artifact: artifact, origin: origin)
    }
    if artifact.kind == .folder {
      do {
        for case (let path, .file(let identity, _)) in try workspace.store.tree(artifact.identity).entries.map({
          ($0.path, $0.node)
        }) {
          _ = verify(identity, role: "\(role), file '\(String(decoding: path, as: UTF8.self))'")
        }
      } catch {
        faults.append(Audit.Fault(subject: "object \(artifact.identity.digest.hex)", message: "\(role): \(error)"))
      }
    }
    let rows = artifact.kind == .file ? datasets.rows(of: artifact.identity, store: workspace.store) : nil
    return Audit.Link(name: name, artifact: artifact, origin: origin, rows: rows)
  }

  /// Computes both names anew, once an object.
  private func verify(_ identity: Identity, role: String) -> Bool {
    if let known = verified[identity] { return known }
    do {
      try workspace.store.verify(identity, quarantines: false)
      verified[identity] = true
    } catch let fault as ObjectFault {
      verified[identity] = false
      faults.append(
        Audit.Fault(
          subject: "object \(identity.digest.hex)",
          message: "\(fault.reason.rawValue): \(role) (sha256 \(identity.seal.hex), \(identity.size) bytes)"))
    } catch {
      verified[identity] = false
      faults.append(Audit.Fault(subject: "object \(identity.digest.hex)", message: "\(role): \(error)"))
    }
    return verified[identity] ?? false
  }

  private func isSound(_ identity: Identity) -> Bool { verified[identity] ?? false }
}
