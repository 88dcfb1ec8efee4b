import LemmaBasics
import LemmaHash
import LemmaTestSupport
import Testing

@Suite("Identity: two names from one pass")
struct IdentityTests {
  @Test("the names are those that xxhsum -H2 and sha256sum print")
  func knownValues() {
    let empty = Identity(of: [])
    #expect(empty.digest.hex == "99aa06d3014798d86001c324468d497f")
    #expect(empty.seal.hex == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    #expect(Seal(of: Array("abc".utf8)).hex == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
  }

  @Test("a stream gives the same names whatever its chunks")
  func chunks() {
    let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    for size in [1, 7, 4096, 99_999] {
      var hasher = ContentHasher()
      for start in stride(from: 0, to: bytes.count, by: size) {
        hasher.update(bytes[start..<min(start + size, bytes.count)])
      }
      #expect(hasher.finish() == Identity(of: bytes))
    }
    #expect(Digest(of: bytes) == Identity(of: bytes).digest)
  }

  @Test("an artifact survives its JSON, and nothing else is taken for one")
  func artifactJSON() {
    let artifact = Artifact(kind: .folder, identity: Identity(of: [1, 2, 3]))
    #expect(Artifact(json: artifact.json) == artifact)
    for broken: JSON in [[:], ["xxh3": "00", "sha256": "00", "size": 1, "type": "file"], "x", nil] {
      #expect(Artifact(json: broken) == nil)
    }
  }
}

@Suite("Tree manifests: canonical, and hostile until proven otherwise")
struct TreeTests {
  private func file(_ path: String) -> Tree.Entry {
    Tree.Entry(path: Array(path.utf8), node: .file(Identity(of: Array(path.utf8)), isExecutable: false))
  }
  private func folder(_ path: String) -> Tree.Entry { Tree.Entry(path: Array(path.utf8), node: .folder) }

  @Test("entries are sorted, so the order of finding them does not show")
  func canonical() throws {
    let entries = [folder("b"), file("b/x"), file("a"), Tree.Entry(path: Array("l".utf8), node: .link(target: [0x2F]))]
    let tree = try Tree(entries)
    #expect(try Tree(entries.reversed()).bytes == tree.bytes)
    #expect(try Tree(parsing: tree.bytes) == tree)
  }

  @Test("names that are not UTF-8, or hold newlines and spaces, survive")
  func names() throws {
    let tree = try Tree(
      [[0xFF, 0x0A, 0x20], [0x1B], Array("a b".utf8)].map { Tree.Entry(path: $0, node: .link(target: $0)) })
    #expect(try Tree(parsing: tree.bytes) == tree)
  }

  @Test(
    "paths that leave the folder are refused",
    arguments: ["/etc/passwd", "../x", "a/../../x", "a//b", "", ".", "..", "a/.", "x/y"])
  func escaping(path: String) {
    #expect(throws: Failure.self) { try Tree([folder("a"), file(path)]) }
  }

  @Test("nothing can be put behind a link or inside a file")
  func behindLink() {
    let link = Tree.Entry(path: Array("out".utf8), node: .link(target: Array("/tmp".utf8)))
    #expect(throws: Failure.self) { try Tree([link, file("out/x")]) }
    #expect(throws: Failure.self) { try Tree([file("f"), file("f/x")]) }
    #expect(throws: Failure.self) { try Tree([file("f"), file("f")]) }
  }

  @Test("damaged manifests are refused or read as something canonical, never crash")
  func fuzz() throws {
    let bytes = try Tree([folder("a"), file("a/b"), file("c"), Tree.Entry(path: [0x64], node: .link(target: [0x65]))])
      .bytes
    for seed in UInt64(0)..<3000 {
      var random = SeededGenerator(seed: seed)
      var damaged = bytes
      for _ in 0...Int.random(in: 0..<4, using: &random) {
        let index = Int.random(in: 0..<damaged.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: damaged[index] = .random(in: 0...255, using: &random)
        case 1: damaged.remove(at: index)
        default: damaged.insert(.random(in: 0...255, using: &random), at: index)
        }
      }
      if let tree = try? Tree(parsing: damaged) { #expect(tree.bytes == damaged, "seed \(seed)") }
    }
  }
}
