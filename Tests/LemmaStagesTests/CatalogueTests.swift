import LemmaBasics
import LemmaEngine
import LemmaPipeline
import LemmaStages
import LemmaTestSupport
import Testing

private let root = Files.parent(Files.parent(Files.parent(#filePath)))

@Suite("The catalogue of built-in kinds")
struct CatalogueTests {
  @Test("docs/stage-kinds.md is what 'lemma kinds' says; to write it anew, set LEMMA_RECORD=1")
  func reference() throws {
    let page =
      "# Stage kinds\n\nWhat `uses:` may name. `lemma kinds NAME` prints the same.\n\n"
      + Registry.standard.catalogue.kinds.map(\.reference).joined(separator: "\n")
    let path = "\(root)/docs/stage-kinds.md"
    if environmentFlag("LEMMA_RECORD") { try Files.write(Array(page.utf8), to: path) }
    #expect(try Files.readText(path) == page)
  }

  @Test("the pipelines that are shipped are well formed")
  func shippedPipelines() throws {
    for name in try Files.list("\(root)/pipelines") where name.hasSuffix(".yaml") {
      let pipeline = try Pipeline.load(
        file: "\(root)/pipelines/\(name)", overrides: [:], catalogue: Registry.standard.catalogue)
      #expect(!pipeline.stages.isEmpty)
    }
  }

  @Test("every pipeline in README and docs is well formed", arguments: ["README.md", "docs/pipeline-file.md"])
  func documentedPipelines(page: String) throws {
    let text = try Files.readText("\(root)/\(page)")
    let blocks = text.split(separator: "```yaml\n").dropFirst().compactMap { part in
      part.firstRange(of: "```").map { part[..<$0.lowerBound] }
    }
    #expect(!blocks.isEmpty)
    for block in blocks where block.hasPrefix("pipeline:") {
      _ = try Pipeline(bytes: Array(block.utf8), file: page, catalogue: Registry.standard.catalogue)
    }
  }
}
