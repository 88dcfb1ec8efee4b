import CLinux
import Glibc
import LemmaBasics
import LemmaHash
import LemmaPipeline
import LemmaStore
import Synchronization

/// Running a built-in kind: in a worker process, or in this one where there is no worker program.
extension Execution {
  func run(
    _ builtin: any BuiltinStage, in root: ExecutionRoot, under confinement: Confinement
  ) throws -> ActionResult {
    guard case .builtin(_, let configuration) = stage.work else {
      throw Failure(.internal, "action", "stage '\(stage.id)' is not of a built-in kind")
    }
    let isInside = host.program == nil
    let confinement = isInside ? .off : confinement
    let place = confinement.place(of: root)
    var readable: [String] = []
    var inputs: [String: [StageInput]] = [:]
    for input in action.inputs {
      inputs[input.name] = try input.members.enumerated().map { number, member in
        var path = "\(place)/in/\(input.name)-\(number)"
        if !confinement.canBorrow, ExecutionRoot.isWorthLending(member.artifact) {
          path = try root.lend(member.artifact.identity)
          readable.append(path)
        } else {
          try root.put(member.artifact, at: "in/\(input.name)-\(number)", borrows: true)
        }
        return StageInput(label: member.label, path: path, artifact: member.artifact)
      }
    }
    let outputs = builtin.kind.outputs.map { ($0.name, "\(place)/out/\($0.fileName)") }
    let request = StageWorker.Request(
      kind: builtin.kind.name, configuration: configuration, inputs: inputs,
      outputs: Dictionary(outputs) { first, _ in first }, threads: threads, lineage: action.lineage,
      resume: root.resumePlace(under: confinement))
    do {
      let (metrics, usage) =
        try isInside
        ? runInside(builtin, request) : runWorker(request, readable: readable, in: root, under: confinement)
      return ActionResult(
        outputs: try capture(builtin.kind.outputs.map { ($0.name, $0.fileName) }, in: root),
        metrics: try Metrics.flatten(metrics, of: stage.id), log: nil, usage: usage)
    } catch let failure as Failure {
      throw translated(failure, inputs: inputs)
    }
  }

  private func runInside(_ builtin: any BuiltinStage, _ request: StageWorker.Request) throws -> (JSON, Usage) {
    try awaitTurn()
    let start = Clock.monotonic()
    let metrics = try StageWorker.run(builtin, request, report: report, isCancelled: isCancelled)
    return (metrics, Usage(seconds: Clock.monotonic() - start, cpuSeconds: nil, peakKiB: nil))
  }

  private func runWorker(
    _ request: StageWorker.Request, readable: [String], in root: ExecutionRoot, under confinement: Confinement
  ) throws -> (JSON, Usage) {
    guard let program = host.program else { throw Failure(.internal, "worker", "there is no program for a worker") }
    let question = try memoryFile(holding: Array(request.json.canonical.utf8))
    defer { close(question) }
    var ends: [Int32] = [-1, -1]
    guard lemma_pipe(&ends) == 0 else { throw Failure.system("pipe", path: program, errno: errno) }
    defer { for end in ends where end >= 0 { close(end) } }
    let replies = ReplyLines(report: report)
    let reply = ChildProcess.Reply(descriptor: ends[0], take: replies.take)
    var variables = commonVariables(place: confinement.place(of: root))
    // A crash is told in one line; what a backtrace would add takes seconds to make.
    variables["SWIFT_BACKTRACE"] = "enable=no"
    let needs = Confinement.Needs(
      readable: { readable + [program] + SystemFolders.ownLibraries }, hasNetwork: stage.policy.hasNetwork)
    let (ending, usage) = try start(request.kind, needs: needs, in: root, under: confinement, reply: reply) { log in
      ChildProcess.Launch(
        path: program, words: ["lemma", StageWorker.entry],
        environment: variables.sorted { $0.key < $1.key }
          .map { "\($0.key)=\($0.value)" }, folder: root.path, log: log, input: question, reply: ends[1])
    }
    switch replies.end {
    case .metrics(let metrics) where ending.status == 0: return (metrics, usage)
    case .failure(let failure): throw failure
    case .cancelled: throw Cancelled()
    default:
      let failure = Failure(
        .user, "worker-failed", "stage '\(stage.id)': the worker of '\(request.kind)' \(describe(ending.status))",
        at: stage.position)
      throw withLog(failure, in: root, secrets: [:])
    }
  }

  private func memoryFile(holding bytes: [UInt8]) throws -> Int32 {
    let descriptor = lemma_memory_file("request")
    guard descriptor >= 0 else { throw Failure.system("memfd_create", path: "request", errno: errno) }
    do {
      try Files.writeAll(bytes, to: descriptor, path: "request")
      guard lseek(descriptor, 0, SEEK_SET) == 0 else { throw Failure.system("lseek", path: "request", errno: errno) }
    } catch {
      close(descriptor)
      throw error
    }
    return descriptor
  }

  /// The failure in the person's words: a kind reads copies and the store's objects, a person knows the
  /// files that they were taken from.
  private func translated(_ failure: Failure, inputs: [String: [StageInput]]) -> Failure {
    var failure = failure
    for (name, members) in inputs {
      for (member, place) in zip(members, action.names[name] ?? []) {
        failure.message = failure.message.replacing(member.path, with: place)
        if let file = failure.position?.file, file.hasPrefix(member.path) {
          failure.position?.file = place + file.dropFirst(member.path.count)
        }
      }
    }
    failure.position = failure.position ?? stage.position
    return failure
  }
}

/// Puts a worker's words together to lines, passes progress on and keeps the last word. One thread's.
private final class ReplyLines {
  private let report: @Sendable (Progress) -> Void
  private var rest: [UInt8] = []
  private(set) var end: StageWorker.Reply?

  init(report: @escaping @Sendable (Progress) -> Void) { self.report = report }

  func take(_ bytes: ArraySlice<UInt8>) {
    rest += bytes
    while let newline = rest.firstIndex(of: UInt8(ascii: "\n")) {
      switch StageWorker.Reply(line: rest[..<newline]) {
      case .progress(let progress): report(progress)
      case .some(let word): end = word
      case nil: break
      }
      rest.removeSubrange(...newline)
    }
  }
}
