import LemmaBasics
import LemmaTestSupport
import Testing

/// The faults that `scripts/trust` injects into the real command, as the quick run samples them.
@Suite("Faults, through the real command")
struct CatalogueTests {
  @Test("the engine survives", arguments: try Catalogue.faults())
  func survives(fault: String) throws {
    let output = try Catalogue.command("--json", "--quick", "--only", fault)
    let outcome = try #require(try JSON(parsing: output.out.utf8, file: fault).array?.first, "\(output.error)")
    let detail = outcome["detail"]?.string ?? ""
    if outcome["outcome"] == "skipped" { return try skip("\(fault): \(detail)") }
    #expect(outcome["outcome"] == "survived", "\(fault): \(outcome["fault"]?.string ?? "") \(detail)")
  }

  @Test("the page names every fault as the script injects it")
  func page() throws {
    let page = try Files.readText("\(Catalogue.root)/docs/trust.md")
    let catalogue = try Catalogue.command("--list").out
    for line in catalogue.split(separator: "\n") { #expect(page.contains(line)) }
  }

  /// Ends the test as neither passed nor failed, where the toolchain can, and says why.
  private func skip(_ reason: String) throws {
    print("skipped \(reason)")
    #if compiler(>=6.3)
      try Test.cancel("\(reason)")
    #endif
  }
}

/// `scripts/trust`.
private enum Catalogue {
  static let root = #filePath.split(separator: "/").dropLast(3).map { "/\($0)" }.joined()

  static func command(_ words: String...) throws -> CommandOutput {
    try Command.run(
      ["\(root)/scripts/trust"] + words, in: root, environment: ["LEMMA_PROGRAM": lemmaProgram])
  }

  static func faults() throws -> [String] {
    let output = try command("--list", "--json")
    return try JSON(parsing: output.out.utf8, file: "scripts/trust --list").array?.compactMap(\.string) ?? []
  }
}
