import ArgumentParser
import Glibc
import LemmaBasics
import LemmaEngine
import LemmaPipeline

extension SandboxMode: ExpressibleByArgument {}

/// How the stages of a run are kept to their declared inputs.
struct StageOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The sandbox of every stage, in place of what the pipeline says. Default: the variable LEMMA_SANDBOX, if it is set."
    ))
  var sandbox: SandboxMode?

  @Option(
    help: ArgumentHelp(
      "Run this stage under strace, keep nothing of it, and list what it reads and does not declare.",
      valueName: "stage"
    ))
  var trace: String?

  /// What holds for every run of stages from this program.
  var options: RunOptions {
    var options = RunOptions()
    options.program = StageOptions.program
    return options
  }

  /// What was asked for, by option or by environment.
  func mode() throws -> SandboxMode? { try StageOptions.mode(sandbox) }

  static func mode(_ asked: SandboxMode?) throws -> SandboxMode? {
    if let asked { return asked }
    guard let word = getenv("LEMMA_SANDBOX").map({ String(cString: $0) }), !word.isEmpty else { return nil }
    if let mode = SandboxMode(rawValue: word) { return mode }
    throw Failure(
      .user, "sandbox", "LEMMA_SANDBOX is '\(word)', which is no sandbox",
      hint: "use one of \(SandboxMode.allCases.map(\.rawValue).joined(separator: ", "))")
  }

  /// This very program, for its hidden entries.
  static let program: String? = {
    guard let path = realpath("/proc/self/exe", nil) else { return nil }
    defer { free(path) }
    return String(cString: path)
  }()
}
