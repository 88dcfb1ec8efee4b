import Glibc
import LemmaBasics
import LemmaPipeline

/// Running one program for a stage: under its sandbox, within its time, with its log.
extension Execution {
  /// Starts the program, waits for it and everything it started.
  /// - Parameters:
  ///   - launch: makes the launch, given the descriptor of the log.
  ///   - what: the program, for messages.
  /// - Throws: `Cancelled`, or `Failure` when it could not start or took too long.
  func start(
    _ what: String, needs: Confinement.Needs, in root: ExecutionRoot, under confinement: Confinement,
    reply: ChildProcess.Reply? = nil, _ launch: (_ log: Int32) -> ChildProcess.Launch
  ) throws -> (ending: ChildProcess.Ending, usage: Usage) {
    let log = try CommandLog(path: root.log).begin()
    defer { close(log) }
    let process: ChildProcess
    let start: Double
    do {
      let launch = try confinement.confine(launch(log), needs, in: root)
      try awaitTurn()
      if isCancelled() { throw Cancelled() }
      start = Clock.monotonic()
      process = try ChildProcess(launch)
    } catch var failure as Failure {
      failure.message = "stage '\(stage.id)': \(failure.message)"
      failure.position = stage.position
      throw failure
    }
    let ending = try process.wait(
      isCancelled: isCancelled, deadline: stage.policy.timeout.map { start + Double($0) }, reply: reply)
    root.isQuiet = ending.isQuiet
    // Another stage may start while this one's outputs are taken in.
    if ending.status == 0, stage.policy.retries == 0 { processEnded() }
    // Work that ended well just as the run was stopped, or its time was over, is finished work.
    if ending.status != 0 {
      if isCancelled() { throw Cancelled() }
      if ending.wasTimedOut, let timeout = stage.policy.timeout {
        throw Failure(
          .user, "timeout", "stage '\(stage.id)': '\(what)' was ended after its timeout of \(duration(timeout))",
          at: stage.position, hint: "give it a longer 'timeout', or find out in its log what it waits for")
      }
    }
    let usage = Usage(seconds: Clock.monotonic() - start, cpuSeconds: ending.cpuSeconds, peakKiB: ending.peakKiB)
    return (ending, usage)
  }

  /// How a program ended that did not end well.
  func describe(_ status: Int32) -> String {
    guard status > 128 else { return "exited with \(status)" }
    let name = String(cString: strsignal(status - 128))
    let advice = status - 128 == SIGKILL ? ", maybe for want of memory" : ""
    return "was ended by signal \(status - 128) (\(name)\(advice))"
  }

  /// The failure with the end of what was printed, which is kept whole where the message says.
  func withLog(_ failure: Failure, in root: ExecutionRoot, secrets: [String: String]) -> Failure {
    var failure = failure
    let log = CommandLog(path: root.log)
    let tail = log.tail(withoutSecrets: secrets)
    guard !tail.isEmpty else { return failure }
    failure.message += "\n\(tail)"
    let kept = CommandLog.keptPath(of: action.document.key, in: store)
    if (try? log.keep(at: kept, withoutSecrets: secrets)) != nil {
      failure.message += "\n  the whole log: \(workspace.relative(kept))"
    }
    return failure
  }

  /// What the environment of every stage holds.
  func commonVariables(place: String) -> [String: String] {
    [
      "HOME": "\(place)/tmp", "TMPDIR": "\(place)/tmp", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TZ": "UTC",
    ]
  }

  private func duration(_ seconds: Int) -> String {
    for (unit, name) in [(86400, "d"), (3600, "h"), (60, "m")] where seconds % unit == 0 {
      return "\(seconds / unit)\(name)"
    }
    return "\(seconds)s"
  }
}

extension Workspace {
  /// A path as a person in the project would write it.
  func relative(_ path: String) -> String {
    path.hasPrefix(project + "/") ? String(path.dropFirst(project.utf8.count + 1)) : path
  }
}
