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

  @Test("the first example expands")
  func example() throws {
    let manual = try manual()
    let start = try #require(manual.firstRange(of: "```yaml\n")?.upperBound)
    let end = try #require(manual[start...].firstRange(of: "```")?.lowerBound)
    #expect(
      try pipeline(String(manual[start..<end])).stages.map(\.id) == [
        "normal", "train[size=500]", "train[size=2000]", "train[size=8000]", "own",
      ])
  }

  @Test("every key that a stage may have is described")
  func keys() throws {
    let manual = try manual()
    for key in ["uses", "with", "run", "env", "tools", "in", "out", "matrix", "resources"] {
      #expect(manual.contains("\n| `\(key)` |"), "\(key)")
    }
  }
}
