import Glibc
import LemmaBasics
import LemmaPipeline
import LemmaStore

/// Executing stages: letting them in, taking in what they gave, and putting it in its place once it is durable.
extension Runner {
  func startReady() {
    ready.sort()
    var index = 0
    while index < min(ready.count, capacity.worthAsking), !isFull, !isStopping, !isCancelled() {
      let number = ready[index]
      guard case .ready(let action, let reason) = graph[number].state,
        let turn = capacity.turn(for: action.stage.resources)
      else {
        index += 1
        continue
      }
      ready.remove(at: index)
      start(number, action, reason, turn)
    }
  }

  private func start(_ number: Int, _ action: Resolver.Action, _ reason: Reason, _ turn: Turn) {
    running += 1
    graph[number].state = .running(action, reason)
    let id = action.stage.id
    let (observe, mailbox, isCancelled) = (observe, mailbox, isCancelled)
    let execution = Execution(
      workspace: workspace, action: action, threads: turn.share.processors, isForced: graph[number].isForced,
      host: host, report: { observe(.progress(stage: id, $0)) }, isCancelled: isCancelled,
      awaitTurn: { if try turn.wait(isCancelled: isCancelled) { observe(.started(stage: id, reason: reason.text)) } },
      processEnded: {
        turn.end()
        mailbox.post(.room)
      })
    do {
      try Threads.start {
        let result = Result { try execution.run() }
        mailbox.post(.captured(number, result, turn, seconds: turn.seconds))
      }
    } catch {
      mailbox.post(.captured(number, .failure(error), turn, seconds: 0))
    }
  }

  func receive(
    _ number: Int, _ captured: Result<Execution.Captured, any Error>, _ seconds: Double, _ committer: Committer
  ) {
    guard case .running(let action, let reason) = graph[number].state else { return }
    running -= 1
    do {
      let captured = try captured.get()
      guard captured.wasExecuted else {
        // Another process executed the action while this one waited for its lock.
        try takeKnown(captured.result, of: number, action, reason: reason)
        return releaseTwins(of: number)
      }
      // The stages behind it go on with bytes that are in the store, though not yet flushed.
      graph[number].state = .captured(action, reason, seconds: seconds, files: captured.files)
      graph.take(captured.result, of: number)
      graph.wake(number)
      var facts = captured.facts
      for twin in graph[number].twins { facts += take(captured.result, ofTwin: twin, of: number) }
      unsettled += 1
      committer.add(
        Committer.Item(
          number: number, record: action.document.record(of: captured.result), facts: facts,
          places: action.stage.outputs.map(\.path), lock: captured.lock, scratch: captured.scratch))
    } catch is Turn.NeverCame {
      graph[number].state = .ready(action, reason)
    } catch  where error is Cancelled || error is CancellationError {
      end(number, .cancelled)
    } catch let fault as ObjectFault {
      mend(number, fault)
    } catch {
      fail(number, error)
    }
  }

  /// A result reached the disk: now it may be seen.
  func settle(_ number: Int, _ flushed: Result<Void, any Error>) {
    unsettled -= 1
    guard case .captured(let action, let reason, let seconds, let files) = graph[number].state,
      let result = graph.result(number)
    else { return }
    defer { for file in files.values { unlink(file) } }
    do {
      try flushed.get()
      _ = try outputs.restore(result, of: action.stage, from: files)
      graph[number].state = .done(action, reason)
      graph[number].outcome = .ran(seconds: seconds)
      observe(.finished(stage: action.stage.id, .ran(seconds: seconds)))
      settleTwins(of: number, result)
    } catch {
      graph.forgetResult(number)
      fail(number, error)
    }
  }

  /// An input could not be served: the stages before it are looked at again, and those that lost
  /// an output run again. Sources are taken from the workspace anew.
  private func mend(_ number: Int, _ fault: ObjectFault) {
    graph[number].faults += 1
    guard graph[number].faults <= 3 else { return fail(number, fault) }
    observe(.note("\(project.stages.id(number)): \(fault.failure.message); making it again"))
    resolver.forgetFiles()
    releaseTwins(of: number)
    graph.reopen(number)
    let lost = project.stages.dependencies[number].filter { producer in
      switch graph[producer].state {
      case .done, .settled: break
      default: return false
      }
      guard let result = graph.result(producer) else { return false }
      return (try? result.outputs.values.allSatisfy { try workspace.store.isSound($0) }) != true
    }
    for producer in lost {
      graph.addDependent(number, of: producer)
      graph.reopen(producer)
      graph[producer].faults += 1
    }
    for stage in lost.isEmpty ? [number] : lost { graph.prepare(stage) }
  }
}
