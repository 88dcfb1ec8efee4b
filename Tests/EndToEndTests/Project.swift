import LemmaBasics
import LemmaTestSupport
import Testing

/// A project in a temporary folder, driven through the real command.
struct Project {
  let space = TestSpace()

  static let program = lemmaProgram

  @discardableResult
  func lemma(_ words: String..., environment: [String: String] = [:]) throws -> CommandOutput {
    try Command.run([Project.program] + words, in: space.path, environment: environment)
  }

  func start(_ words: String...) throws -> RunningCommand {
    try Command.start([Project.program] + words, in: space.path)
  }

  /// Runs the pipeline and returns the stages that were executed, in the pipeline's order.
  @discardableResult
  func run(_ words: String..., expecting status: Int32 = 0, at place: SourceLocation = #_sourceLocation) throws
    -> [String]
  {
    let output = try Command.run([Project.program, "run", "--json"] + words, in: space.path)
    #expect(output.status == status, "\(output.error)", sourceLocation: place)
    let record = try JSON(parsing: output.out.utf8, file: "run --json")
    return record["stages"]?.array?.filter { $0["outcome"] == "ran" }.compactMap { $0["stage"]?.string } ?? []
  }

  /// Every output digest of the last run, by stage and output.
  func digests() throws -> [String: String] {
    var digests: [String: String] = [:]
    for stage in try JSON(parsing: lemma("run", "--json").out.utf8, file: "run --json")["stages"]?.array ?? [] {
      for (name, artifact) in stage["outputs"]?.object ?? [:] {
        digests["\(stage["stage"]?.string ?? "").\(name)"] = artifact["sha256"]?.string
      }
    }
    return digests
  }

  /// Waits until a run is at work on a stage: until what it prints has a file to go to.
  func waitForStage() throws {
    try LemmaTestSupport.wait(for: "a stage at work") {
      try !Command.run(["find", "cache/tmp", "-name", "*.log"], in: space.path).out.isEmpty
    }
  }

  func wait(forFile name: String) throws {
    try LemmaTestSupport.wait(for: name) { Files.exists(space.file(name)) }
  }

  func write(_ name: String, _ text: String) throws { try space.write(name, text) }
  func read(_ name: String) throws -> String { try space.read(name) }

  func edit(_ name: String, _ old: String, _ new: String) throws {
    let text = try read(name)
    #expect(text.contains(old))
    try write(name, text.replacing(old, with: new))
  }
}
