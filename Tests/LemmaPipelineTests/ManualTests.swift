import LemmaBasics
import LemmaPipeline
import LemmaTestSupport
import Testing

@Suite("The manual's examples are true")
struct ManualTests {
  /// The text of `docs/pipeline-file.md` in the package that this file belongs to.
  private func manual() throws -> String {
    let package = Files.parent(Files.parent(Files.parent(#filePath)))
    return try Files.readText("\(package)/docs/pipeline-file.md")
  }

  @Test("every key that a stage may have is described")
  func keys() throws {
    let manual = try manual()
    for key in [
      "uses", "with", "run", "env", "tools", "in", "out", "matrix", "resources", "sandbox",
      "network", "determinism", "expect", "resume", "retries", "timeout",
    ] {
      #expect(manual.contains("\n| `\(key)` |"), "\(key)")
    }
  }
}
