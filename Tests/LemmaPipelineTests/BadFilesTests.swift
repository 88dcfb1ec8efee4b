import LemmaBasics
import LemmaPipeline
import Testing

/// A pipeline file that is refused, and all that the user is told: places, reasons, hints.
struct Bad: CustomTestStringConvertible, Sendable {
  let name: String
  let text: String
  let told: String

  init(_ name: String, _ text: String, _ told: String) {
    self.name = name
    self.text = text
    self.told = told
  }

  var testDescription: String { name }
}

@Suite("Bad files are refused with the place, the reason and the way out")
struct BadFilesTests {
  @Test("YAML itself", arguments: Bad.yaml)
  func yaml(_ bad: Bad) { #expect(mistakes(bad.text) == bad.told) }

  @Test("scalars that YAML readers disagree about", arguments: Bad.scalars)
  func scalars(_ bad: Bad) { #expect(mistakes(bad.text) == bad.told) }

  @Test("keys and names", arguments: Bad.keys)
  func keys(_ bad: Bad) { #expect(mistakes(bad.text) == bad.told) }

  @Test("references", arguments: Bad.references)
  func references(_ bad: Bad) { #expect(mistakes(bad.text) == bad.told) }

  @Test("built-in kinds", arguments: Bad.kinds)
  func kinds(_ bad: Bad) { #expect(mistakes(bad.text) == bad.told) }

  @Test("matrices", arguments: Bad.matrices)
  func matrices(_ bad: Bad) { #expect(mistakes(bad.text) == bad.told) }

  @Test("circles", arguments: Bad.circles)
  func circles(_ bad: Bad) { #expect(mistakes(bad.text) == bad.told) }

  @Test("paths", arguments: Bad.paths)
  func paths(_ bad: Bad) { #expect(mistakes(bad.text) == bad.told) }

  @Test("overlaps", arguments: Bad.overlaps)
  func overlaps(_ bad: Bad) { #expect(mistakes(bad.text) == bad.told) }

  @Test("commands", arguments: Bad.commands)
  func commands(_ bad: Bad) { #expect(mistakes(bad.text) == bad.told) }

  @Test("several mistakes at once", arguments: Bad.several)
  func several(_ bad: Bad) { #expect(mistakes(bad.text) == bad.told) }

  @Test("a kind's codes are words for programs")
  func codes() throws {
    let failures = try #require(throws: Failures.self) { try pipeline("pipeline: p\nstages: { a: { uses: sfft } }\n") }
    #expect(failures.all.map(\.code) == ["unknown-kind"])
    #expect(failures.all.map(\.kind) == [.user])
  }

  @Test("bytes that are not UTF-8 are refused where they begin")
  func notText() {
    let bytes = Array("pipeline: p\nparams: { é: \"".utf8) + [0xC3, 0x28]
    let failures = #expect(throws: Failures.self) { try Pipeline(bytes: bytes, file: "p.yaml", catalogue: catalogue) }
    #expect(failures?.description == "p.yaml:2:16: the file is not valid UTF-8")
  }

  @Test("a hostile name cannot drive the terminal")
  func hostileNames() {
    let told = mistakes("pipeline: p\nstages:\n  \"a\\e[31m\": { run: [make] }\n  \"\\u202Eb\": { run: [make] }\n")
    #expect(!told.unicodeScalars.contains { $0.value == 0x1B || $0.value == 0x202E })
    #expect(told.contains("p.yaml:4:3: '\\u{202e}b' cannot name a stage"))
  }
}
