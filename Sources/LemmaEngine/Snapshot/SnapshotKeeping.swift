import Glibc
import LemmaBasics
import LemmaHash
import LemmaLedger
import LemmaPipeline
import LemmaStore

/// Leaving behind what the next run begins with.
extension Project {
  /// Writes down how a run went: in the ledger, if it is news, and in the snapshot for the next run. Both are
  /// made at once, since for many stages neither is small.
  /// - Returns: the ledger's commit; nil when there was nothing to record.
  /// - Throws: `Failure` when one of them cannot be written; the run itself is not touched by that.
  public func record(_ summary: RunSummary) throws -> String? {
    let draft = try RunCommit(summary, of: self)
    var keeper = Keeper(project: self, summary: summary)
    let commit = try Threads.beside({ try draft.write() }) { try keeper.addStages() }
    if commit != nil || !isCurrent { try keeper.write(commit: commit ?? earlierCommit) }
    return commit
  }

  /// Brings the snapshot up to date after a look that found nothing to do.
  public func keepSurvey() throws -> RunSummary {
    let summary = RunSummary.unchanged(stages: stageCount, began: Clock.now(), seconds: 0)
    if !isCurrent {
      var keeper = Keeper(project: self, summary: summary)
      try keeper.addStages()
      try keeper.write(commit: earlierCommit)
    }
    return summary
  }

  /// Whether the snapshot says all that there is to say.
  private var isCurrent: Bool { survey.map { $0.isClean && !$0.isStale } ?? false }

  /// Whether nothing is to be done.
  public var isUpToDate: Bool {
    guard let survey, stages.snapshot != nil else { return false }
    return survey.isUnchanged
  }

  /// Waits until something changes that the last run rested on.
  /// - Returns: false when `isCancelled` turned true first.
  public func waitForChange(isCancelled: () -> Bool) throws -> Bool {
    while !isCancelled() {
      // A run that could not leave a snapshot is simply tried again.
      guard let snapshot = Snapshot(path: snapshotPlace), try Survey(snapshot, store: workspace.store).areFilesUnchanged
      else { return true }
      usleep(250_000)
    }
    return false
  }
}

private struct Keeper {
  let project: Project
  let summary: RunSummary
  var writer: SnapshotWriter
  /// By path, so that each is looked at once.
  var exact: [String: Watch] = [:]
  let records: [Int: RunSummary.StageRecord]

  init(project: Project, summary: RunSummary) {
    self.project = project
    self.summary = summary
    writer = SnapshotWriter(stages: project.stages.count, after: project.survey?.snapshot)
    records = Dictionary(uniqueKeysWithValues: summary.records.map { ($0.number, $0) })
  }

  private var store: Store { project.workspace.store }

  mutating func addStages() throws {
    for number in 0..<project.stages.count {
      switch (summary.states[number], project.earlier[number], records[number]) {
      case (.unchanged, let earlier?, let record): try copy(number, earlier, restored: record)
      case (.examined, _, let record?): try add(number, record)
      default: addOpen(number)
      }
    }
  }

  /// Writes the snapshot, which rests on a run of the ledger.
  mutating func write(commit: String?) throws {
    let watches: JSON = [
      "pipeline": [JSON(try pipelineWatch())], "program": [JSON(writer.number(of: watch(exactly: program())))],
      "ledger": .array(try ledgerWatches().map { JSON(writer.number(of: $0)) }),
    ]
    let context: JSON = [
      "pipeline": .string(project.name), "parameters": .object(project.parameters),
      "sources": Source.json(project.sources), "path": .string(searchPath()),
      "commit": commit.map(JSON.string) ?? .null, "watches": watches,
    ]
    try Files.makeFolder(Files.parent(project.snapshotPlace))
    try writer.write(to: project.snapshotPlace, context: context)
  }

  // MARK: Stages

  private mutating func copy(_ number: Int, _ earlier: Int, restored record: RunSummary.StageRecord?) throws {
    guard let survey = project.survey else { return addOpen(number) }
    let snapshot = survey.snapshot
    var watches: [Int] = []
    for watch in snapshot.watches(of: earlier) where record == nil || !snapshot.watch(watch).kind.isOutput {
      watches.append(writer.number(of: watch, in: snapshot, refreshed: survey.refreshed[watch]))
    }
    if let record, let result = record.result {
      watches += outputs(of: record.stage, result).map { writer.number(of: $0) }
    }
    writer.add(
      id: project.stages.id(number), declaration: snapshot.bytes(.stageOffset, .stageLength, of: earlier),
      position: project.position(number), dependencies: project.stages.dependencies[number],
      result: snapshot.bytes(.resultOffset, .resultLength, of: earlier), flags: snapshot.flags(earlier),
      watches: watches)
  }

  private mutating func add(_ number: Int, _ record: RunSummary.StageRecord) throws {
    guard let action = record.action, let result = record.result else { return addOpen(number) }
    var numbers = record.watches.map { writer.number(of: $0) }
    numbers += outputs(of: record.stage, result).map { writer.number(of: $0) }
    numbers += kept(record, action, result).map { writer.number(of: $0) }
    var flags: Snapshot.Flags = [.isDone]
    let isPlain = record.stage.outputs.contains { RunRecord.plainOutputs.contains($0.name) }
    if !result.metrics.isEmpty || isPlain { flags.insert(.isShown) }
    if case .builtin(let kind, _) = record.stage.work, project.registry[kind]?.usesLineage ?? true {
      flags.insert(.isDeep)
    }
    let memo: JSON = ["document": Artifact(kind: .file, identity: action.identity).json, "result": result.json]
    writer.add(
      id: record.stage.id, declaration: record.stage.json.canonicalBytes, position: record.stage.position,
      dependencies: project.stages.dependencies[number], result: memo.canonicalBytes, flags: flags, watches: numbers)
  }

  private mutating func addOpen(_ number: Int) {
    let stage = project.stages[number]
    writer.add(
      id: stage.id, declaration: stage.json.canonicalBytes, position: stage.position,
      dependencies: project.stages.dependencies[number], result: [], flags: [], watches: [])
  }

  // MARK: Watches

  /// Outputs were just written, so that their stamps are too young to vouch for anything.
  private func outputs(of stage: Stage, _ result: ActionResult) -> [Watch] {
    stage.outputs.compactMap { output in
      guard let artifact = result.outputs[output.name] else { return nil }
      return Watch(
        path: project.workspace.absolute(output.path), kind: artifact.kind == .folder ? .outputFolder : .outputFile,
        stamp: .none, hashedAt: 0, artifact: artifact)
    }
  }

  /// The store's files behind a result: its outputs, and what an audit needs of how it was made.
  private mutating func kept(
    _ record: RunSummary.StageRecord, _ action: ActionDocument, _ result: ActionResult
  ) -> [Watch] {
    var artifacts = result.outputs.sorted { $0.key < $1.key }.map(\.value)
    artifacts.append(Artifact(kind: .file, identity: action.identity))
    artifacts += record.watches.filter { $0.kind == .file || $0.kind == .folder }.compactMap(\.artifact)
    if let log = result.log { artifacts.append(log) }
    // Tools are not kept; what else is not there is found to be so when it is needed.
    let files = Set(artifacts.flatMap { (try? store.files(holding: $0)) ?? [] })
    return files.sorted().map { watch(exactly: $0) }
  }

  private mutating func watch(exactly path: String) -> Watch {
    if let watch = exact[path] { return watch }
    let watch = Watch.exact(path)
    exact[path] = watch
    return watch
  }

  /// The pipeline file by the bytes that were read, whatever it holds by now.
  private mutating func pipelineWatch() throws -> Int {
    if let survey = project.survey, project.stages.snapshot != nil,
      let number = survey.snapshot.context["watches"]?["pipeline"]?[0]?.int
    {
      return writer.number(of: number, in: survey.snapshot, refreshed: survey.refreshed[number])
    }
    var status = stat()
    let isExecutable = stat(project.file, &status) == 0 && status.st_mode & 0o100 != 0
    var path = project.file
    if let real = realpath(project.file, nil) {
      path = String(cString: real)
      free(real)
    }
    let identity = Identity(of: try project.bytes())
    return writer.number(
      of: Watch(
        path: path, kind: .file, stamp: .none, hashedAt: 0,
        artifact: Artifact(kind: isExecutable ? .executable : .file, identity: identity)))
  }

  private func program() -> String {
    var buffer = [CChar](repeating: 0, count: 4096)
    let length = readlink("/proc/self/exe", &buffer, buffer.count)
    return String(decoding: buffer.prefix(max(0, length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// The files that a new run in the ledger, or its loss, would touch.
  private mutating func ledgerWatches() throws -> [Watch] {
    let location = try project.workspace.ledger().location
    let folder = location.hasSuffix("/") ? String(location.dropLast()) : location
    return [watch(exactly: "\(folder)/\(Ledger.reference)"), watch(exactly: "\(folder)/packed-refs")]
  }
}
