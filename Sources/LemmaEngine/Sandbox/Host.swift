import CLinux
import LemmaBasics
import LemmaPipeline
import LemmaStore
import Synchronization

/// What the machine gives to the stages of one run: their sandbox, the program that runs built-in kinds,
/// and the warden that outlives a killed run to end its stages.
final class Host: Sendable {
  /// The program whose hidden entries work for stages (`StageWorker`, `Warden`); nil where there is none,
  /// and kinds run inside this process.
  let program: String?
  let roots: RootPool
  private let store: Store
  private let mode: SandboxMode?
  private let note: @Sendable (String) -> Void
  private let found = Mutex(Found())

  private struct Found {
    var strict: Result<Bubblewrap, Bubblewrap.Unavailable>?
    var wasNoted = false
    var warden: Warden?
  }

  /// - Parameter note: told once when nothing keeps stages to their inputs.
  init(store: Store, options: RunOptions, note: @escaping @Sendable (String) -> Void) {
    self.store = store
    roots = RootPool(store: store)
    program = options.program
    mode = options.sandbox
    self.note = note
  }

  /// - Throws: `Failure` when the sandbox that was asked for by name does not work here.
  func confinement(of stage: Stage) throws -> Confinement {
    let wanted = mode ?? stage.policy.sandbox
    if wanted == .off { return .off }
    let version = Int(lemma_landlock_abi())
    if wanted == .landlock {
      if version > 0 { return .landlock(version: version) }
      throw unavailable(wanted, "this kernel has no Landlock", stage)
    }
    let reason: String
    switch strict() {
    case .success(let bubblewrap): return .strict(bubblewrap)
    case .failure(let unavailable): reason = unavailable.reason
    }
    if wanted == .strict { throw unavailable(wanted, reason, stage) }
    if version > 0 { return .landlock(version: version) }
    let isFirst = found.withLock { found in
      defer { found.wasNoted = true }
      return !found.wasNoted
    }
    if isFirst {
      note("no sandbox works here (\(reason); no Landlock), so that nothing keeps stages to their declared inputs")
    }
    return .off
  }

  private func strict() -> Result<Bubblewrap, Bubblewrap.Unavailable> {
    found.withLock { found in
      if let known = found.strict { return known }
      let answer = Bubblewrap.find(store: store)
      found.strict = answer
      return answer
    }
  }

  private func unavailable(_ mode: SandboxMode, _ reason: String, _ stage: Stage) -> Failure {
    Failure(
      .user, "no-sandbox", "stage '\(stage.id)': 'sandbox: \(mode.rawValue)' does not work here: \(reason)",
      at: stage.position,
      hint: mode == .strict ? "install bubblewrap, or use 'sandbox: auto'" : "use 'sandbox: auto'")
  }

  /// Makes sure that stages end when this process is killed. Those in bubblewrap's namespaces end with it,
  /// but what it has just started waits for it for ever when both are killed in that moment.
  func watch() throws {
    guard let program else { return }
    try found.withLock { found in
      if found.warden == nil { found.warden = try Warden(program: program) }
    }
  }
}
