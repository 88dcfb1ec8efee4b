import Glibc
import LemmaBasics
import LemmaEngine
import LemmaPipeline
import LemmaTestSupport
import Synchronization
import Testing

/// Writes its text, in capitals when asked, after `delay` milliseconds; counts how many are at work.
private struct WriteStage: BuiltinStage {
  static let atWork = Mutex<(now: Int, most: Int)>((0, 0))

  let implementation = 1
  let kind = StageKind(
    name: "write", summary: "Writes a text.",
    inputs: [.init(name: "after", summary: "Appended.", isRequired: false, isList: true)],
    outputs: [.init(name: "text", summary: "The text.", fileName: "text.txt")],
    parameters: [
      .init(name: "text", summary: "The text.", type: .string),
      .init(name: "delay", summary: "Milliseconds.", type: .integer(0...100_000), defaultValue: 0),
      .init(name: "fail", summary: "Fails.", type: .boolean, defaultValue: false),
    ])

  func run(_ context: StageContext) throws -> JSON {
    WriteStage.atWork.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
    defer { WriteStage.atWork.withLock { $0.now -= 1 } }
    for _ in 0..<(context.configuration["delay"]?.int ?? 0) {
      usleep(1000)
      try context.checkCancellation()
    }
    if context.configuration["fail"] == true { throw Failure(.user, "asked", "failed as asked") }
    var text = context.configuration["text"]?.string ?? ""
    for input in context.inputs["after"] ?? [] { text += try Files.readText(input.path) }
    try Files.write(Array(text.utf8), to: context.output("text"))
    return ["length": JSON(text.utf8.count)]
  }
}

@Suite("The runner: what is executed, in which order, within which limits", .serialized)
struct RunnerTests {
  let space = TestSpace()
  private let registry = Registry([WriteStage()])

  private func run(_ text: String, jobs: Int = 2, isCancelled: @escaping @Sendable () -> Bool = { false }) throws -> (
    summary: RunSummary, started: [String]
  ) {
    let file = try space.write("lemma.yaml", "pipeline: p\nstages:\n" + text)
    let pipeline = try Pipeline.load(file: file, overrides: [:], catalogue: registry.catalogue)
    let started = Started()
    let project = try Project(
      workspace: try Workspace(project: space.path), pipeline: pipeline, registry: registry)
    let runner = try Runner(
      project: project, options: RunOptions(jobs: jobs),
      observe: { if case .started(let stage, _) = $0 { started.add(stage) } }, isCancelled: isCancelled)
    return (try runner.run(), started.all)
  }

  private final class Started: Sendable {
    private let names = Mutex<[String]>([])
    var all: [String] { names.withLock { $0 } }
    func add(_ name: String) { names.withLock { $0.append(name) } }
  }

  private let diamond = """
      a: { uses: write, with: { text: a } }
      b: { uses: write, in: { after: "${stages.a.text}" }, with: { text: b } }
      c: { uses: write, in: { after: "${stages.a.text}" }, with: { text: c } }
      d: { uses: write, in: { after: ["${stages.b.text}", "${stages.c.text}"] }, with: { text: d } }

    """

  @Test("a diamond runs in order, and not at all the second time")
  func order() throws {
    let first = try run(diamond, jobs: 1)
    #expect(first.started == ["a", "b", "c", "d"])
    #expect(try space.read("results/d/text.txt") == "dbaca")
    #expect(first.summary.records.map { $0.result?.metrics["length"] } == [1, 2, 2, 5])
    #expect(try run(diamond).started == [])
  }

  @Test("results of before are known in every order of edits")
  func backAndForth() throws {
    #expect(try run(diamond).summary.failures.map(\.description) == [])
    let edited = diamond.replacing("text: b", with: "text: x")
    #expect(try run(edited).started == ["b", "d"])
    #expect(try run(diamond).started == [])
    #expect(try space.read("results/d/text.txt") == "dbaca")
  }

  @Test("a chain of a thousand known stages is looked up without running or deepening the stack")
  func longChain() throws {
    var text = "  s0: { uses: write, with: { text: x } }\n"
    for number in 1..<1000 {
      // The same text at every link, so that one execution serves all but the first.
      text += "  s\(number): { uses: write, in: { after: \"${stages.s\(number - 1).text}\" }, with: { text: \"\" } }\n"
    }
    #expect(try run(text).summary.status == "complete")
    #expect(try run(text).started == [])
  }

  @Test("stages at work stay within the processors", arguments: [(1, 1), (2, 2), (3, 3)])
  func processors(jobs: Int, most: Int) throws {
    WriteStage.atWork.withLock { $0 = (0, 0) }
    let text = (0..<6).map { "  s\($0): { uses: write, with: { text: \"\(jobs)-\($0)\", delay: 60 } }\n" }.joined()
    _ = try run(text, jobs: jobs)
    #expect(WriteStage.atWork.withLock { $0.most } == most)
  }

  @Test("a stage that wants all processors runs alone; one that wants more than there are gets what there is")
  func wideStages() throws {
    WriteStage.atWork.withLock { $0 = (0, 0) }
    let text = (0..<3).map {
      "  s\($0): { uses: write, with: { text: \"w\($0)\", delay: 30 }, resources: { cpus: 64 } }\n"
    }.joined()
    #expect(try run(text).summary.status == "complete")
    #expect(WriteStage.atWork.withLock { $0.most } == 1)
  }

  @Test("a failure starts nothing new, lets the others finish, and blocks what depends on it")
  func failure() throws {
    let text = """
        bad: { uses: write, with: { text: x, fail: true } }
        slow: { uses: write, with: { text: w, delay: 100 } }
        after: { uses: write, in: { after: "${stages.bad.text}" }, with: { text: z } }
        later: { uses: write, in: { after: "${stages.slow.text}" }, with: { text: z } }

      """
    let summary = try run(text).summary
    #expect(
      Dictionary(uniqueKeysWithValues: summary.records.map { ($0.stage.id, $0.outcome.word) })
        == ["bad": "failed", "slow": "ran", "after": "blocked", "later": "blocked"])
    #expect(summary.failures.map(\.message) == ["failed as asked"])
    #expect(summary.status == "failed")
  }

  @Test("a cancelled run stops what is at work and keeps what is finished")
  func cancellation() throws {
    let text = """
        quick: { uses: write, with: { text: q } }
        slow: { uses: write, in: { after: "${stages.quick.text}" }, with: { text: s, delay: 60000 } }

      """
    let space = space
    let summary = try run(text, isCancelled: { Files.exists(space.file("results/quick/text.txt")) }).summary
    #expect(summary.records.map { $0.outcome.word }.first == "ran")
    #expect(["cancelled", "blocked"].contains(summary.records[1].outcome.word))
    #expect(summary.status == "interrupted")
    #expect(try run(text.replacing("delay: 60000", with: "delay: 0")).started == ["slow"])
  }

  @Test("the reason for a run names the field that changed")
  func reason() throws {
    _ = try run(diamond)
    let summary = try run(diamond.replacing("text: c", with: "text: C")).summary
    let reasons = Dictionary(uniqueKeysWithValues: summary.records.map { ($0.stage.id, $0.reason?.text) })
    #expect(reasons["c"] == "with.text: \"c\" -> \"C\"")
    #expect(reasons["d"]??.hasPrefix("input 'after[1]': ") == true)
  }
}
