import Glibc
import LemmaBasics
import LemmaEngine
import Synchronization

/// Shows a run while it goes on: a live block of running stages on a terminal, plain lines
/// elsewhere. Writes to standard error, so that standard output is the command's answer.
final class ProgressDisplay: Sendable {
  private struct Running {
    var stage: String
    var started: Double
    var progress: Progress?
    /// The moment and place of the first progress report: what an ETA is reckoned from.
    var first: (moment: Double, done: Int)?
  }

  private struct State {
    var total = 0
    var finished = 0
    var cached = 0
    var running: [Running] = []
    var blockHeight = 0
    var isOver = false
    var lastPlain: [String: (moment: Double, detail: String)] = [:]
    var isStopping = false
  }

  private let state = Mutex(State())
  private let isLive: Bool

  init(isLive: Bool = Terminal.isInteractive) {
    self.isLive = isLive
    if isLive { refresh() }
  }

  func handle(_ event: Event) {
    state.withLock { state in
      switch event {
      case .began(let stages, _): state.total = stages
      case .started(let stage, let reason):
        _ = running(&state, stage)
        line(
          &state,
          "\(Terminal.paint("start ", .blue)) \(printableLine(stage))  \(Terminal.paint("\(printableLine(reason))", .dim))"
        )
      case .progress(let stage, let progress): update(&state, stage, progress)
      case .restored(let stage, let path):
        line(
          &state,
          "\(Terminal.paint("put   ", .green)) \(printableLine(path))  \(Terminal.paint("from the store, for \(printableLine(stage))", .dim))"
        )
      case .finished(let stage, let outcome): finish(&state, stage, outcome)
      case .note(let text): line(&state, Terminal.paint("note   \(printableLine(text))", .yellow))
      }
    }
  }

  /// Says that the run is being stopped.
  func announceStop() {
    state.withLock { state in
      state.isStopping = true
      line(&state, Terminal.paint("stopping: finished work is kept; press Ctrl-C again to end at once", .yellow))
    }
  }

  /// Clears the live block for good.
  func end() {
    state.withLock { state in
      erase(&state)
      state.isOver = true
    }
  }

  private func update(_ state: inout State, _ stage: String, _ progress: Progress) {
    let index = running(&state, stage)
    let moment = Clock.monotonic()
    state.running[index].progress = progress
    // A count may begin where an earlier run came to.
    if state.running[index].first == nil, progress.total > 0 { state.running[index].first = (moment, progress.done) }
    let last = state.lastPlain[stage] ?? (state.running[index].started, "")
    // What is no count is news, the first time.
    if !isLive, moment - last.moment >= 10 || progress.total == 0 && progress.detail != last.detail {
      state.lastPlain[stage] = (moment, progress.detail)
      line(&state, "       \(printableLine(stage))  \(describe(state.running[index], at: moment))")
    }
  }

  /// The place of a stage among those at work. One that waits for another run has not started, but tells so.
  private func running(_ state: inout State, _ stage: String) -> Int {
    if let index = state.running.firstIndex(where: { $0.stage == stage }) { return index }
    state.running.append(Running(stage: stage, started: Clock.monotonic()))
    return state.running.count - 1
  }

  private func finish(_ state: inout State, _ stage: String, _ outcome: Outcome) {
    state.running.removeAll { $0.stage == stage }
    state.finished += 1
    switch outcome {
    case .ran(let seconds):
      line(
        &state,
        "\(Terminal.paint("done  ", .green)) \(printableLine(stage))  \(Terminal.paint("\(Terminal.duration(seconds))", .dim))"
      )
    case .cached: state.cached += 1
    case .failed(let failure): line(&state, "\(Terminal.paint("failed", .red)) \(printableLine(stage))\n\(failure)")
    case .cancelled: line(&state, "\(Terminal.paint("stopped", .yellow)) \(printableLine(stage))")
    case .blocked: break
    }
  }

  /// Prints a line above the live block.
  private func line(_ state: inout State, _ text: Shown) {
    erase(&state)
    Terminal.note(text)
    if isLive { draw(&state) }
  }

  private func erase(_ state: inout State) {
    guard state.blockHeight > 0 else { return }
    // CSI n A: cursor up; CSI J: erase from the cursor to the end of the screen.
    Terminal.write("\u{1B}[\(state.blockHeight)A\r\u{1B}[J", to: STDERR_FILENO)
    state.blockHeight = 0
  }

  private func draw(_ state: inout State) {
    guard !state.isOver else { return }
    let moment = Clock.monotonic()
    let width = max(8, Terminal.width - 1)
    var lines = state.running.map { running -> Shown in
      "\(clip("  \(printableLine(running.stage))  \(describe(running, at: moment))", to: width))"
    }
    var tally = "  \(state.finished) of \(state.total) stages"
    if state.cached > 0 { tally += ", \(state.cached) unchanged" }
    if state.isStopping { tally += ", stopping" }
    lines.append(Terminal.paint("\(clip(tally, to: width))", .dim))
    Terminal.write(lines.map { $0.text + "\n" }.joined(), to: STDERR_FILENO)
    state.blockHeight = lines.count
  }

  private func clip(_ text: String, to width: Int) -> String {
    text.count <= width ? text : "\(text.prefix(width - 1))…"
  }

  private func describe(_ running: Running, at moment: Double) -> String {
    let elapsed = Terminal.duration(moment - running.started)
    guard let progress = running.progress else { return elapsed }
    if progress.total == 0 { return "\(elapsed)  \(printableLine(progress.detail))" }
    let share = min(1, Double(progress.done) / Double(progress.total))
    let length = Terminal.width < 100 ? 8 : 20
    let filled = Int(share * Double(length))
    let bar = String(repeating: "━", count: filled) + String(repeating: "╌", count: length - filled)
    var text = "\(elapsed)  \(bar) \(progress.done)/\(progress.total) \(progress.unit)"
    if let first = running.first, progress.done > first.done, moment > first.moment + 1 {
      let rate = Double(progress.done - first.done) / (moment - first.moment)
      text += " · ETA \(Terminal.duration(Double(progress.total - progress.done) / rate))"
    }
    // Last, since a narrow terminal cuts the line here.
    if !progress.detail.isEmpty { text += " · \(progress.detail)" }
    return printableLine(text)
  }

  /// Redraws four times a second, so that elapsed times move.
  private func refresh() {
    try? Threads.start { [weak self] in
      while let display = self {
        let isOver = display.state.withLock { state in
          if !state.isOver, !state.running.isEmpty {
            display.erase(&state)
            display.draw(&state)
          }
          return state.isOver
        }
        if isOver { return }
        usleep(250_000)
      }
    }
  }
}
