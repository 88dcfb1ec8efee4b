import LemmaBasics
import LemmaPipeline
import LemmaStore

/// Looking at stages: is a result known, or must it run?
extension Runner {
  /// Looks at every stage whose inputs are known, and those whose inputs thereby become known.
  func lookAtAll() {
    while !isStopping, !isCancelled(), let number = graph.nextToPrepare() {
      guard case .waiting(let verdict) = graph[number].state, !graph.waitsAgain(number) else { continue }
      do {
        if verdict != .changed, let earlier = graph.unchanged(number) {
          try keep(number, earlier, isMisplaced: verdict == .misplaced)
        } else {
          try look(number)
        }
      } catch is ObjectFault {
        lookAgain(number)
      } catch {
        graph[number].watches = resolver.watches
        fail(number, error)
      }
    }
  }

  /// Takes over what the last run knew, and puts its outputs back where they are missing.
  private func keep(_ number: Int, _ earlier: ActionResult, isMisplaced: Bool) throws {
    if isMisplaced {
      try restore(earlier, of: project.stages[number])
      graph[number].outcome = .cached
    }
    graph.settle(number)
    graph.wake(number)
  }

  private func look(_ number: Int) throws {
    let stage = project.stages[number]
    let action = try resolver.action(for: stage) { graph.result(of: $0) }
    if graph[number].isForced, graph[number].outcome == nil {
      graph[number].state = .ready(action, .forced)
      return ready.append(number)
    }
    switch try lookup.find(action, repairs: true) {
    case .known(let result, let mended):
      for name in mended {
        observe(
          .note(
            "\(stage.id): output '\(name)' was missing or altered in the store; the workspace's copy is sound and was taken"
          ))
      }
      // An audit reads it; where it was lost it is here again.
      _ = try workspace.store.put(action.document.bytes)
      try takeKnown(result, of: number, action, reason: nil)
    case .unknown(let reason):
      graph[number].state = .ready(action, reason)
      if let first = underWay[action.document.key] { return join(number, to: first) }
      underWay[action.document.key] = number
      ready.append(number)
    }
  }

  /// Takes over a result that is durable, and puts its outputs into the workspace.
  /// - Throws: `Failure` when it is not what the stage expects.
  func takeKnown(_ result: ActionResult, of number: Int, _ action: Resolver.Action, reason: Reason?) throws {
    let facts = try facts(of: result, for: number)
    if !facts.isEmpty { try workspace.store.flush(recording: facts) }
    try restore(result, of: action.stage)
    graph.take(result, of: number)
    graph[number].state = .done(action, reason)
    graph[number].outcome = .cached
    observe(.finished(stage: action.stage.id, .cached))
    graph.wake(number)
  }

  /// - Returns: what became known of the outputs.
  /// - Throws: `Failure` when a result is not what the stage expects.
  func facts(of result: ActionResult, for number: Int) throws -> [ActionRecord] {
    let expectations = Expectations(store: workspace.store)
    try expectations.check(result, of: project.stages[number])
    return expectations.found
  }

  /// Makes the workspace hold a result's outputs, and tells of those that it lacked.
  func restore(_ result: ActionResult, of stage: Stage) throws {
    for path in try outputs.restore(result, of: stage) { observe(.restored(stage: stage.id, path: path)) }
  }

  /// An object went into quarantine: looked up again, the stage will not find it.
  private func lookAgain(_ number: Int) {
    graph[number].faults += 1
    if graph[number].faults <= 3 { return graph.prepare(number) }
    fail(
      number, Failure(.store, "object", "the store's objects for '\(project.stages.id(number))' keep failing"))
  }
}
