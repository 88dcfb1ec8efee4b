import Glibc
import LemmaBasics
import LemmaTestSupport
import Testing

/// A project with something bad in it, driven through the real command. The processor time and the memory
/// of the command are limited: who exceeds them is ended by a signal, which no test takes for an answer.
struct HostileProject {
  let space = TestSpace()

  static let cpuSeconds = 20
  static let dataKiB = 1 << 20

  @discardableResult
  func lemma(_ words: [String], environment: [String: String] = [:], dataKiB: Int = dataKiB) throws -> CommandOutput {
    try shell(
      "ulimit -t \(HostileProject.cpuSeconds); ulimit -d \(dataKiB); exec \"$@\"", [lemmaProgram] + words,
      environment: environment)
  }

  @discardableResult
  func shell(_ script: String, _ words: [String] = [], environment: [String: String] = [:]) throws -> CommandOutput {
    try Command.run(["sh", "-c", script, "sh"] + words, in: space.path, environment: environment)
  }

  func write(_ name: String, _ text: String) throws { try space.write(name, text) }

  func write(_ name: String, bytes: [UInt8]) throws {
    try Files.makeFolder(Files.parent(space.file(name)))
    try Files.write(bytes, to: space.file(name))
  }

  func exists(_ name: String) -> Bool { Files.exists(space.file(name)) }

  /// Gives the project a result that nothing bad may harm.
  func begin() throws {
    try write(
      "good.yaml",
      """
      pipeline: good
      stages:
        a: { run: 'echo 1 > ${out.o}', out: { o: results/good/a.txt } }
        b: { run: 'cat ${in.a} ${in.a} > ${out.o}', in: { a: "${stages.a.o}" }, out: { o: results/good/b.txt } }

      """)
    let output = try lemma(["run", "good.yaml"])
    #expect(output.status == 0, "\(output.error)")
  }

  /// The result is still what it was, nothing of it is made anew, and the store is sound.
  func expectUnharmed(at place: SourceLocation = #_sourceLocation) throws {
    let plan = try lemma(["plan", "good.yaml"])
    #expect(plan.out.contains("nothing to do"), "\(plan)", sourceLocation: place)
    let audit = try lemma(["audit", "results/good/b.txt"])
    #expect(audit.status == 0, "\(audit)", sourceLocation: place)
    #expect(try space.read("results/good/b.txt") == "1\n1\n", sourceLocation: place)
  }
}

/// Something bad, and how it is answered.
struct BadInput {
  var name: String
  /// Files to write first, by path in the project.
  var files: [String: [UInt8]] = [:]
  var words: [String]
  var status: Int32
  /// What the message must hold.
  var tells: [String]
}

extension HostileProject {
  /// Gives a project that has a result each of the inputs, and expects the answer and no harm.
  static func expectClearErrors(_ inputs: [BadInput], at place: SourceLocation = #_sourceLocation) throws {
    let project = HostileProject()
    try project.begin()
    for input in inputs {
      for (name, bytes) in input.files { try project.write(name, bytes: bytes) }
      let output = try project.lemma(input.words)
      expectClear(output, input.name, status: input.status, tells: input.tells, at: place)
    }
    try project.expectUnharmed(at: place)
  }
}

/// Expects an error that a person can act on: the exit code, no crash, what must be told, nothing that
/// drives a terminal.
func expectClear(
  _ output: CommandOutput, _ name: String, status: Int32, tells: [String], at place: SourceLocation = #_sourceLocation
) {
  #expect(output.status == status, "\(name): \(output)", sourceLocation: place)
  for text in tells {
    #expect(output.error.contains(text), "\(name): no '\(text)' in: \(output.error)", sourceLocation: place)
  }
  for word in ["Fatal error", "Stack dump", "internal defect"] {
    #expect(!output.error.contains(word), "\(name): \(output.error)", sourceLocation: place)
  }
  #expect(rawControls(output.out + output.error) == [], "\(name)", sourceLocation: place)
}

/// The characters of a command's output that could drive a terminal or change the direction of text.
func rawControls(_ text: String) -> [UInt32] {
  text.unicodeScalars.map(\.value).filter { value in
    switch value {
    case 0x0A: false
    case 0..<0x20, 0x7F..<0xA0, 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x206F, 0xFEFF: true
    default: false
    }
  }
}
