import LemmaBasics
import LemmaTestSupport
import Testing

@Suite("reproduce: the same action, the same bits")
struct ReproduceTests {
  private let project = Project()

  /// A stage that writes what stands outside of its inputs, which no run could see.
  private func make(_ body: String, output: String) throws {
    try project.write("seen", "1")
    try project.write(
      "lemma.yaml",
      """
      pipeline: p
      sandbox: off
      stages:
        s: { run: 'mkdir -p ${out.o}; rmdir ${out.o}; \(body)', out: { o: \(output) } }
      """)
    try project.run()
    try project.write("seen", "2")
  }

  private func reproduce(expecting status: Int32) throws -> JSON {
    let output = try project.lemma("reproduce", "s", "--json")
    #expect(output.status == status, "\(output.error)")
    return try JSON(parsing: output.out.utf8, file: "reproduce --json")
  }

  private var seen: String { project.space.file("seen") }

  @Test("a stage that depends on its inputs alone gives the same, and the ledger says so")
  func same() throws {
    try make("echo 1 > ${out.o}", output: "o.txt")
    let verdict = try reproduce(expecting: 0)
    #expect(verdict["same"] == true)
    #expect(verdict["same_outputs"] == ["o"])
    #expect(try project.lemma("log").out.contains("Reproduce p: s, same"))
    #expect(try project.run() == [])
    #expect(try project.lemma("audit", "s").status == 0)
    #expect(try project.lemma("audit", "s").out.contains("#1") || project.lemma("show").status == 0)
  }

  @Test("a stage that does not is told, and its recorded result stays")
  func different() throws {
    try make("cat \(seen) > ${out.o}", output: "o.txt")
    let before = try project.digests()
    let verdict = try reproduce(expecting: 1)
    #expect(verdict["differences"]?[0]?["place"] == "byte 0 (of 1, now of 1)")
    #expect(try project.digests() == before)
    #expect(try project.read("o.txt") == "1")
    #expect(try project.lemma("log").out.contains("Reproduce p: s, different"))
  }

  @Test("in a folder the first differing file is named, in rows the first differing row")
  func rows() throws {
    try make(
      #"mkdir ${out.o}; echo x > ${out.o}/a; (echo "{\"id\":\"r1\"}"; echo "{\"id\":\"r2\",\"v\":$(cat SEEN)}") > ${out.o}/rows.jsonl"#
        .replacing("SEEN", with: seen), output: "o")
    let difference = try reproduce(expecting: 1)["differences"]?[0]
    #expect(difference?["file"] == "rows.jsonl")
    #expect(difference?["place"] == "row 2 (id r2)")
  }

  @Test("in a checkpoint the first differing tensor is named")
  func tensors() throws {
    // Two tensors of one byte: the header has 119 bytes.
    let header =
      #"{"first":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"second":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#
    try project.write("header.txt", header)
    try make(
      #"(printf "\\\#(String(header.utf8.count, radix: 8))\\0\\0\\0\\0\\0\\0\\0"; cat HEADER; printf 7; cat SEEN) > ${out.o}"#
        .replacing("SEEN", with: seen).replacing("HEADER", with: project.space.file("header.txt")),
      output: "m.safetensors")
    #expect(try reproduce(expecting: 1)["differences"]?[0]?["place"] == "tensor 'second', byte 0 of it")
  }

  @Test("a stage that was declared otherwise in the newest run is not reproduced")
  func changed() throws {
    try make("echo 1 > ${out.o}", output: "o.txt")
    try project.edit("lemma.yaml", "echo 1", "echo 2")
    let output = try project.lemma("reproduce", "s")
    #expect(output.status == 2)
    #expect(output.error.contains("is not what it was in that run"))
  }
}
