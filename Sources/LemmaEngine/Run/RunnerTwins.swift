import LemmaBasics
import LemmaStore

/// Stages that are the very same action: one is executed, and its twins take the result over.
extension Runner {
  /// Makes a stage the twin of one that is under way.
  func join(_ number: Int, to first: Int) {
    graph[first].twins.append(number)
    guard case .captured = graph[first].state, let result = graph.result(first) else { return }
    // Found out again by whoever asks: not worth a flush.
    _ = take(result, ofTwin: number, of: first)
  }

  /// Takes a result over that is not durable yet, if the twin, too, expects such a one.
  /// - Returns: what became known of the outputs.
  func take(_ result: ActionResult, ofTwin twin: Int, of first: Int) -> [ActionRecord] {
    do {
      let facts = try facts(of: result, for: twin)
      graph.take(result, of: twin)
      graph.wake(twin)
      return facts
    } catch {
      graph[first].twins.removeAll { $0 == twin }
      fail(twin, error)
      return []
    }
  }

  func settleTwins(of number: Int, _ result: ActionResult) {
    for twin in leave(number) {
      guard case .ready(let action, _) = graph[twin].state else { continue }
      do {
        try restore(result, of: action.stage)
        graph[twin].state = .done(action, nil)
        graph[twin].outcome = .cached
        observe(.finished(stage: action.stage.id, .cached))
      } catch {
        graph.forgetResult(twin)
        fail(twin, error)
      }
    }
  }

  /// The twins of a stage that gave no result are looked at again.
  func releaseTwins(of number: Int) {
    let twins = leave(number)
    if isStopping || isCancelled() { return }
    for twin in twins {
      graph.reopen(twin)
      graph.prepare(twin)
    }
  }

  /// Notes that a stage is not under way any more.
  /// - Returns: its twins.
  private func leave(_ number: Int) -> [Int] {
    if let key = graph[number].action.0?.document.key, underWay[key] == number { underWay[key] = nil }
    defer { graph[number].twins = [] }
    return graph[number].twins
  }
}
