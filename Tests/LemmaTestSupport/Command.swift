import CLinux
import Glibc
import LemmaBasics

/// A program run to its end, with what it printed.
public struct CommandOutput: Sendable {
  public var status: Int32
  public var out: String
  public var error: String
}

/// Starts real programs for tests.
public enum Command {
  /// Runs a program found on PATH or by an absolute path, in `folder`.
  public static func run(
    _ words: [String], in folder: String, environment: [String: String] = [:]
  ) throws -> CommandOutput {
    let running = try start(words, in: folder, environment: environment)
    return try running.wait()
  }

  /// Starts a program and leaves it running.
  public static func start(
    _ words: [String], in folder: String, environment: [String: String] = [:]
  ) throws -> RunningCommand {
    let outputs = TestSpace()
    let shell = ["sh", "-c", "exec \"$@\" > \"$LEMMA_TEST_OUT\" 2> \"$LEMMA_TEST_ERROR\"", "sh"] + words
    var variables = [
      "PATH": text(getenv("PATH")) ?? "/usr/bin:/bin", "HOME": outputs.path, "TERM": "dumb", "LANG": "C.UTF-8",
      // A test that is about trust sets it otherwise.
      "LEMMA_TRUST": "1",
      "LEMMA_TEST_OUT": outputs.file("out"), "LEMMA_TEST_ERROR": outputs.file("error"),
    ]
    variables.merge(environment) { $1 }
    let entries = variables.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    let log = open("/dev/null", O_WRONLY | O_CLOEXEC)
    defer { close(log) }
    var pid: pid_t = 0
    let code = withCStrings(shell) { arguments in
      withCStrings(entries) { lemma_spawn("/bin/sh", arguments, $0, folder, log, &pid) }
    }
    guard code == 0 else { throw Failure.system("spawn", path: words[0], errno: code) }
    return RunningCommand(pid: pid, outputs: outputs)
  }

  private static func text(_ pointer: UnsafeMutablePointer<CChar>?) -> String? { pointer.map { String(cString: $0) } }

  private static func withCStrings<T>(
    _ texts: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> T
  ) -> T {
    let pointers: [UnsafeMutablePointer<CChar>?] = texts.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    return pointers.withUnsafeBufferPointer { body($0.baseAddress!) }
  }
}

/// A program that was started and not yet waited for.
public struct RunningCommand: Sendable {
  public let pid: pid_t
  let outputs: TestSpace

  public func send(_ signal: Int32) { kill(pid, signal) }

  /// Waits for its end. What has not ended after ten minutes hangs, and is killed: a test that fails says
  /// more than one that never ends.
  public func wait() throws -> CommandOutput {
    do {
      try LemmaTestSupport.wait(for: "the end of process \(pid)", seconds: 600, pause: 500) { hasEnded }
    } catch {
      send(SIGKILL)
      throw error
    }
    var status: Int32 = 0
    var peak: Int64 = 0
    var cpu: Int64 = 0
    let code = lemma_wait(pid, &status, &peak, &cpu)
    guard code == 0 else { throw Failure.system("wait", path: "\(pid)", errno: code) }
    // What programs print need not be text.
    let printed = try ["out", "error"].map { String(decoding: try Files.read(outputs.file($0)), as: UTF8.self) }
    return CommandOutput(status: status, out: printed[0], error: printed[1])
  }

  /// Whether it has ended, without taking its status.
  public var hasEnded: Bool {
    var info = siginfo_t()
    return waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT | WNOHANG) == 0 && info.si_signo == SIGCHLD
  }
}

/// Whether an environment variable is set to 1.
public func environmentFlag(_ name: String) -> Bool {
  getenv(name).map { String(cString: $0) } == "1"
}
