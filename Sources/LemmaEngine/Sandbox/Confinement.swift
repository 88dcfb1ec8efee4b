import LemmaBasics
import LemmaPipeline

/// What keeps a stage to its declared inputs, on this machine.
enum Confinement: Sendable {
  case strict(Bubblewrap)
  case landlock(version: Int)
  case off
  /// Nothing is closed, and every path that is used is told.
  case traced(Strace)

  /// Where the stage finds its execution root. Under `strict` it is the same for every stage, project
  /// and machine, so that no path of ours can get into what it makes.
  func place(of root: ExecutionRoot) -> String {
    if case .strict = self { return Bubblewrap.rootPlace }
    return root.path
  }

  /// Whether the store's own file of a large object can stand in the root, instead of a copy.
  var canBorrow: Bool { if case .strict = self { true } else { false } }

  /// Puts a launch under its rules. `launch.path` and `launch.environment` speak of places as the stage
  /// sees them.
  func confine(_ launch: ChildProcess.Launch, _ needs: Needs, in root: ExecutionRoot) throws -> ChildProcess.Launch {
    var launch = launch
    switch self {
    case .off: break
    case .traced(let strace): launch = strace.watch(launch)
    case .landlock(let version): launch.rules = try LandlockRules(version: version, needs, in: root)
    case .strict(let bubblewrap):
      let program = [launch.path] + launch.words.dropFirst()
      launch.isEnclosure = true
      launch.path = bubblewrap.path
      launch.words = ["bwrap"] + bubblewrap.arguments(needs, in: root) + ["--"] + program
    }
    return launch
  }

  /// What a stage may reach beside its execution root and the system's own folders.
  struct Needs {
    /// Files and folders to read, by absolute path; found out only where something is closed.
    var readable: () -> [String]
    var hasNetwork: Bool
  }
}
