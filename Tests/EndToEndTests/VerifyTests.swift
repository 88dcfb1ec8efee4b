import LemmaBasics
import LemmaTestSupport
import Testing

@Suite("verify: every object under both names")
struct VerifyTests {
  private let project = Project()

  init() throws {
    try project.write("in.txt", "1\n")
    try project.write(
      "lemma.yaml",
      """
      pipeline: p
      stages:
        a:
          run: 'mkdir ${out.d}; cat ${in.i} > ${out.d}/small; head -c 100000 /dev/zero > ${out.d}/big'
          in: { i: in.txt }
          out: { d: results/d }
        b: { run: 'cat ${in.d}/small ${in.d}/big > ${out.o}', in: { d: "${stages.a.d}" }, out: { o: results/b } }
      """)
    try project.run()
  }

  private func verify(_ words: String..., expecting status: Int32) throws -> JSON {
    let output = try Command.run([Project.program, "verify", "--json"] + words, in: project.space.path)
    #expect(output.status == status, "\(output.error)")
    return try JSON(parsing: output.out.utf8, file: "verify --json")
  }

  private func object(size: Int) throws -> StoredObject {
    try #require(try StoredObject.all(in: project.space.file("cache")).first { $0.size == size })
  }

  @Test("a store as a run left it is sound, and every object was read")
  func sound() throws {
    let found = try verify(expecting: 0)
    #expect(found["sound"] == true)
    #expect(found["objects"]?.int == (try StoredObject.all(in: project.space.file("cache")).count))
  }

  @Test("an altered object is named with what it is, whatever its times say, and stays where it is")
  func altered() throws {
    let big = try object(size: 100_000)
    try big.flip()
    let faults = try verify(expecting: 1)["faults"]?.array ?? []
    #expect(faults.map { $0["xxh3"]?.string } == [big.digest])
    #expect(faults.first?["reason"] == "altered")
    #expect(faults.first?["of"] == ["a.d, file 'big'"])
    #expect(Files.exists(big.path))
    #expect(try project.lemma("verify").out.contains("a.d, file 'big'"))
  }

  @Test("an altered object is named when the ledger is damaged as well")
  func damagedLedger() throws {
    let big = try object(size: 100_000)
    try big.flip()
    try Files.remove(project.space.file("cache/ledger.git/objects"))
    let faults = try verify(expecting: 1)["faults"]?.array ?? []
    #expect(faults.map { $0["xxh3"]?.string } == [big.digest])
  }

  @Test("a missing object is named")
  func missing() throws {
    let output = try object(size: 100_002)
    try Files.remove(output.path)
    let faults = try verify(expecting: 1)["faults"]?.array ?? []
    #expect(faults.map { $0["reason"] } == ["missing"])
    #expect(faults.first?["of"] == ["b.o"])
  }

  @Test("a file that is no object is told")
  func stray() throws {
    try project.write("cache/objects/00/junk", "x")
    #expect(try verify(expecting: 1)["strays"]?.array?.count == 1)
  }

  @Test("what was put aside, in a pack or not, is made again by the next run", arguments: [2, 100_002])
  func quarantine(size: Int) throws {
    let damaged = try object(size: size)
    let before = try project.digests()
    try damaged.flip()
    _ = try verify("--quarantine", expecting: 1)
    #expect(try !Files.list(project.space.file("cache/quarantine")).isEmpty)
    try Files.remove(project.space.file("results"))
    try project.run()
    #expect(try project.digests() == before)
    #expect(try verify(expecting: 0)["sound"] == true)
    #expect(try project.read("results/d/small") == "1\n")
  }
}
