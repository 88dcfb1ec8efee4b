import LemmaBasics
import LemmaTestSupport
import Testing

/// The package's folder: three above this file.
private let root = Files.parent(Files.parent(Files.parent(#filePath)))

/// The floors of `docs/architecture.md`.
private let floors: [String: Int] = [
  "CCrypto": 0, "CGit2": 0, "COnig": 0, "CSQLite": 0, "CXXHash": 0, "CYAML": 0, "CLinux": 0, "CKernels": 0,
  "LemmaBasics": 1,
  "LemmaHash": 2, "LemmaStore": 3, "LemmaLedger": 3, "LemmaPipeline": 3, "LemmaCorpus": 3, "LemmaModel": 3,
  "LemmaEngine": 4, "LemmaSynthesis": 4, "LemmaEvaluation": 4, "LemmaReport": 4, "LemmaStages": 5,
  "LemmaProvenance": 5, "lemma": 6,
]

/// The engine's side and the domain's do not know each other.
private let engineSide: Set<String> = ["LemmaStore", "LemmaLedger", "LemmaPipeline", "LemmaEngine", "LemmaProvenance"]
private let domainSide: Set<String> = ["LemmaCorpus", "LemmaModel", "LemmaSynthesis", "LemmaEvaluation", "LemmaReport"]

private func swiftFiles(under folder: String) throws -> [String] {
  try Files.list(folder).flatMap { name -> [String] in
    let path = "\(folder)/\(name)"
    if Files.isFolder(path) { return try swiftFiles(under: path) }
    return name.hasSuffix(".swift") ? [path] : []
  }
}

private func imports(of path: String) throws -> [String] {
  try Files.readText(path).split(separator: "\n").compactMap { line in
    let words = line.split(separator: " ")
    guard let index = words.firstIndex(of: "import"), words.count > index + 1,
      words[..<index].allSatisfy({ $0.hasPrefix("@") || $0 == "public" })
    else { return nil }
    return String(words[index + 1])
  }
}

@Suite("The directions of the house")
struct DirectionTests {
  @Test("every target has a floor, and imports only floors below its own")
  func downward() throws {
    for target in try Files.list("\(root)/Sources") {
      let floor = try #require(floors[target], "\(target) has no floor")
      for file in try swiftFiles(under: "\(root)/Sources/\(target)") {
        for name in try imports(of: file) {
          if let below = floors[name] { #expect(below < floor, "\(file) imports \(name)") }
        }
      }
    }
  }

  @Test("the engine knows no domain, the domain no engine")
  func sides() throws {
    for (side, other) in [(engineSide, domainSide), (domainSide, engineSide)] {
      for target in side {
        for file in try swiftFiles(under: "\(root)/Sources/\(target)") {
          #expect(other.isDisjoint(with: try imports(of: file)), "\(file)")
        }
      }
    }
  }

  @Test("nothing imports Foundation: it costs three times the start-up")
  func noFoundation() throws {
    for file in try swiftFiles(under: "\(root)/Sources") {
      #expect(try imports(of: file).allSatisfy { !$0.hasPrefix("Foundation") }, "\(file)")
    }
  }

  @Test("Package.swift declares for each target the floors that this test checks")
  func manifest() throws {
    let manifest = try Files.readText("\(root)/Package.swift")
    for target in floors.keys { #expect(manifest.contains("name: \"\(target)\""), "\(target)") }
    #expect(Set(try Files.list("\(root)/Sources")) == Set(floors.keys))
  }

  @Test("the map of the house names every room")
  func documented() throws {
    let page = try Files.readText("\(root)/docs/architecture.md")
    for target in floors.keys { #expect(page.contains(target), "\(target)") }
  }
}
