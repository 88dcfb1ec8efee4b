import Glibc
import LemmaPipeline

/// What a person asks of a run.
public struct RunOptions: Sendable {
  /// Processors that stages may keep busy together.
  public var jobs: Int
  /// Whether stages that do not depend on a failed one go on.
  public var keepsGoing = false
  /// Names of stages; when not empty, only these and what they need are looked at.
  public var only: [String] = []
  /// Names of stages; when not empty, only these, what depends on them and what those need.
  public var from: [String] = []
  /// Names of stages that run even when their result is known.
  public var force: [String] = []

  /// The sandbox of every stage, in place of what the pipeline says.
  public var sandbox: SandboxMode?
  /// The program whose hidden entries run built-in kinds and watch over the run (`StageWorker`, `Warden`):
  /// the running one. Without it kinds run inside this process, and a killed run leaves its stages at work.
  public var program: String?

  public init(jobs: Int = Machine.processors) { self.jobs = max(1, jobs) }
}

/// The machine's means.
public enum Machine {
  /// Processors that this process may use.
  public static var processors: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

  /// Physical memory in bytes.
  public static var memory: Int { sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE)) }
}
