import Glibc
import LemmaBasics
import LemmaTestSupport
import Testing

@testable import LemmaModel

@Suite struct MappedFileTests {
  let space = TestSpace()

  @Test func theBytesAreThoseOfTheFile() throws {
    try space.write("f", "text")
    #expect(symlink("f", space.file("link")) == 0)
    for name in ["f", "link"] {
      let file = try MappedFile(space.file(name))
      withExtendedLifetime(file) { #expect(file.bytes.elementsEqual("text".utf8)) }
    }
  }

  @Test func whatIsNoFileWithBytesIsRefused() throws {
    try space.write("empty", "")
    #expect(mkfifo(space.file("pipe"), 0o600) == 0)
    for (name, code) in [
      ("nowhere", "no-such-file"), (".", "not-a-file"), ("pipe", "not-a-file"), ("empty", "empty-file"),
    ] {
      let failure = try #require(throws: Failure.self) { try MappedFile(space.file(name)) }
      #expect(failure.code == code && failure.message.contains("'"), "\(name)")
    }
  }
}

@Suite struct SafetensorsFileTests {
  /// A file with that header and as many bytes of data, which count up from 0.
  static func file(_ header: String, data: Int) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: header.utf8.count >> (8 * $0)) } + Array(header.utf8)
      + (0..<data).map { UInt8(truncatingIfNeeded: $0) }
  }

  static let sample = file(
    """
    {"__metadata__":{"format":"pt"},"half":{"dtype":"F16","shape":[2,2],"data_offsets":[8,16]},\
    "brain":{"dtype":"BF16","shape":[2],"data_offsets":[16,20]},"single":{"dtype":"F32","shape":[2],\
    "data_offsets":[0,8]},"long":{"dtype":"I64","shape":[],"data_offsets":[20,28]},\
    "new":{"dtype":"F4","shape":[3],"data_offsets":[28,30]},"none":{"dtype":"F32","shape":[0,7],"data_offsets":[8,8]}}
    """, data: 30)

  private func open(_ bytes: [UInt8]) throws -> SafetensorsFile {
    try SafetensorsFile(MappedFile(copying: bytes, as: "f"))
  }

  @Test func threeTypesAreRead() throws {
    let file = try open(Self.sample)
    #expect(file.names == ["brain", "half", "long", "new", "none", "single"])
    #expect(try file.shape(of: "half") == [2, 2] && file.tensor("half")?.type == "F16")
    #expect(try file.values(of: "single").map(\.bitPattern) == [0x0302_0100, 0x0706_0504])
    #expect(try file.values(of: "half") == [0x0908, 0x0B0A, 0x0D0C, 0x0F0E].map { Float(Float16(bitPattern: $0)) })
    #expect(try file.values(of: "brain").map(\.bitPattern) == [0x1110_0000, 0x1312_0000])
    #expect(try file.values(of: "none").isEmpty)
  }

  @Test func otherTypesAreRefusedByNameWhenTheyAreAskedFor() throws {
    let file = try open(Self.sample)
    for (name, type) in [("long", "I64"), ("new", "F4")] {
      let failure = try #require(throws: Failure.self) { try file.values(of: name) }
      #expect(failure.code == "tensor-type" && failure.message.contains(type) && failure.message.contains(name))
    }
    let failure = try #require(throws: Failure.self) { try file.values(of: "singel") }
    #expect(failure.hint == "did you mean 'single'?")
  }

  @Test func aFileThatIsCutAnywhereIsRefused() {
    for length in 0..<Self.sample.count {
      #expect(throws: Failure.self, "\(length) bytes") { try open(Array(Self.sample[..<length])) }
    }
  }

  @Test func hostileNumbersAreRefused() {
    func entry(_ shape: String = "[2]", _ from: String = "0", _ to: String = "8") -> String {
      "{\"a\":{\"dtype\":\"F32\",\"shape\":\(shape),\"data_offsets\":[\(from),\(to)]}}"
    }
    #expect((try? open(Self.file(entry(), data: 8))) != nil)
    let signed = hostileValues.flatMap { ["\($0)", "\(Int64(bitPattern: $0))"] } + ["1e300", "-0.5", "null", "\"2\""]
    for number in signed {
      if number != "0" {
        #expect(throws: Failure.self, "from \(number)") { try open(Self.file(entry("[2]", number), data: 8)) }
      }
      #expect(throws: Failure.self, "to \(number)") { try open(Self.file(entry("[2]", "0", number), data: 8)) }
      #expect(throws: Failure.self, "shape \(number)") { try open(Self.file(entry("[\(number)]"), data: 8)) }
      if number != "1" {
        #expect(throws: Failure.self, "[2, \(number)]") { try open(Self.file(entry("[2,\(number)]"), data: 8)) }
      }
    }
    let unknown = "{\"a\":{\"dtype\":\"F4\",\"shape\":[4611686018427387904],\"data_offsets\":[0,0]}}"
    #expect(throws: Failure.self) { try open(Self.file(unknown, data: 0)) }
    for length in hostileValues {
      var bytes = Self.file(entry(), data: 8)
      for index in 0..<8 { bytes[index] = UInt8(truncatingIfNeeded: length >> (8 * index)) }
      #expect(throws: Failure.self, "header of \(length)") { try open(bytes) }
    }
  }

  @Test func moreThanIsReadIsRefused() {
    let name = String(repeating: "n", count: 1025)
    let entry = "{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}"
    #expect(throws: Failure.self) { try open(Self.file("{\"\(name)\":\(entry)}", data: 0)) }
    let many = (0...100_000).map { "\"\($0)\":\(entry)" }.joined(separator: ",")
    #expect(throws: Failure.self) { try open(Self.file("{\(many)}", data: 0)) }
    let zeros = String(repeating: "0,", count: 2_000_000)
    #expect(throws: Failure.self) { try open(Self.file("{\"a\":[\(zeros)0]}", data: 0)) }
  }

  @Test(arguments: 0..<30 as Range<UInt64>) func damageIsNeverACrash(_ seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<40 {
      var bytes = Self.sample
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        bytes[Int.random(in: bytes.indices, using: &generator)] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
      }
      do {
        try readAll(open(bytes))
      } catch {
        #expect((error as? Failure)?.kind == .user, "seed \(seed)")
      }
    }
  }
}

@Suite struct TensorFolderTests {
  let space = TestSpace()
  static let names = ["one", "two", "three", "four"]

  /// Four tensors of 8, 16, 24 and 32 bytes.
  private func save(_ folder: String, limit: Int) throws {
    try Files.makeFolder(space.file(folder))
    let values = (0..<4).map { number in (0..<2 * (number + 1)).map { Float(10 * number + $0) } }
    let entries = zip(Self.names, values).map { Safetensors.Entry(name: $0, shape: [$1.count]) }
    var buffer: [Float] = []
    try withExtendedLifetime(values) {
      let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: 64, alignment: 4)
      defer { copy.deallocate() }
      try Safetensors.write(entries, inFolder: space.file(folder), shardsOfAtMost: limit) { number in
        buffer = values[number]
        // One block for all: a writer that kept what it was given would write the last tensor four times.
        buffer.withUnsafeBytes { copy.copyMemory(from: $0) }
        return UnsafeRawBufferPointer(rebasing: copy[..<(4 * buffer.count)])
      }
    }
  }

  private func index(_ map: String) throws {
    try space.write("m/model.safetensors.index.json", "{\"metadata\":{},\"weight_map\":\(map)}")
  }

  private func refusal() throws -> Failure {
    try #require(throws: Failure.self) { try TensorFolder(space.file("m")) }
  }

  @Test(arguments: [1, 24, 40, 79, 80, Int.max]) func aModelIsReadAsItWasWritten(_ limit: Int) throws {
    try save("m", limit: limit)
    let folder = try TensorFolder(space.file("m"))
    #expect(folder.names == ["four", "one", "three", "two"])
    for (number, name) in Self.names.enumerated() {
      #expect(try folder.values(of: name) == (0..<2 * (number + 1)).map { Float(10 * number + $0) })
    }
  }

  @Test func shardsAreNamedAndFilledAsHuggingFaceDoes() throws {
    try save("m", limit: 40)
    #expect(
      try Files.list(space.file("m")) == [
        "model-00001-of-00003.safetensors", "model-00002-of-00003.safetensors", "model-00003-of-00003.safetensors",
        "model.safetensors.index.json",
      ])
    let index = try JSON(parsing: space.read("m/model.safetensors.index.json").utf8, file: "index")
    #expect(
      index == [
        "metadata": ["total_size": 80],
        "weight_map": [
          "one": "model-00001-of-00003.safetensors", "two": "model-00001-of-00003.safetensors",
          "three": "model-00002-of-00003.safetensors", "four": "model-00003-of-00003.safetensors",
        ],
      ])
  }

  @Test func aModelThatFitsOneFileHasNoIndexAndTheBytesOfEncode() throws {
    try save("m", limit: 40)
    try space.write("m/model-card.md", "mine")
    try space.write("m/model-1-of-2.safetensors", "mine")
    try save("m", limit: 80)
    #expect(
      try Files.list(space.file("m")) == ["model-1-of-2.safetensors", "model-card.md", "model.safetensors"],
      "what an earlier model left is removed, and nothing else")
    let values = (0..<4).map { number in (0..<2 * (number + 1)).map { Float(10 * number + $0) } }
    let encoded = values.flatMap { $0 }.withUnsafeBytes { all in
      var offset = 0
      return Safetensors.encode(
        zip(Self.names, values).map { name, values in
          defer { offset += values.count * 4 }
          let bytes = UnsafeRawBufferPointer(rebasing: all[offset..<offset + values.count * 4])
          return (name: name, shape: [values.count], bytes: bytes)
        })
    }
    #expect(try Files.read(space.file("m/model.safetensors")) == encoded)
  }

  @Test func aWriterThatIsStoppedLeavesNothing() throws {
    struct Stop: Error {}
    #expect(throws: Stop.self) {
      try Safetensors.write([.init(name: "a", shape: [2])], to: space.file("f")) { _ in throw Stop() }
    }
    #expect(try Files.list(space.path).isEmpty)
  }

  @Test func aSingleFileCountsBeforeAnIndex() throws {
    try save("m", limit: .max)
    try index("{\"other\":\"nowhere.safetensors\"}")
    #expect(try TensorFolder(space.file("m")).names.count == 4)
  }

  @Test func aFolderWithoutWeightsIsRefused() throws {
    try Files.makeFolder(space.file("m"))
    #expect(try refusal().code == "no-weights")
    #expect(throws: Failure.self) { try TensorFolder(space.file("nowhere")) }
  }

  @Test func aMissingShardIsNamed() throws {
    try save("m", limit: 40)
    try Files.remove(space.file("m/model-00002-of-00003.safetensors"))
    #expect(try refusal().message.contains("model-00002-of-00003.safetensors"))
  }

  @Test func aShardIsAFileOfTheFolder() throws {
    try save("m", limit: .max)
    try Files.makeFolder(space.file("m/sub"))
    #expect(rename(space.file("m/model.safetensors"), space.file("x.safetensors")) == 0)
    try Files.write(Files.read(space.file("x.safetensors")), to: space.file("m/sub/x.safetensors"))
    for name in [
      "../x.safetensors", "sub/x.safetensors", space.file("x.safetensors"), "..", ".", "", "x", "x\\u0000.safetensors",
    ] {
      try index("{\"one\":\"\(name)\"}")
      let failure = try refusal()
      #expect(failure.code == "weight-index", "\(name): \(failure)")
    }
  }

  @Test func aTensorStandsInTheShardThatTheIndexNamesAndOnlyThere() throws {
    try save("m", limit: 40)
    let map = try JSON(parsing: space.read("m/model.safetensors.index.json").utf8, file: "i")["weight_map"]
    let members = try #require(map?.object)
    func refused(_ what: String, _ change: (inout [String: JSON]) -> Void) throws {
      var members = members
      change(&members)
      try index(JSON.object(members).canonical)
      #expect(try refusal().code == "weight-index", "\(what)")
    }
    try index(JSON.object(members).canonical)
    #expect(throws: Never.self) { try TensorFolder(space.file("m")) }
    try refused("another shard") { $0["one"] = "model-00003-of-00003.safetensors" }
    try refused("a tensor that is nowhere") { $0["five"] = "model-00003-of-00003.safetensors" }
    try refused("a tensor that the index does not know") { $0["two"] = nil }
    try refused("a number") { $0["two"] = 2 }
    try refused("nothing") { $0 = [:] }
    try Files.write(
      Files.read(space.file("m/model-00001-of-00003.safetensors")), to: space.file("m/again.safetensors"))
    try refused("a tensor in two shards") { $0["five"] = "again.safetensors" }
  }

  @Test func anIndexThatIsNoneIsRefused() throws {
    try Files.makeFolder(space.file("m"))
    for text in [
      "", "[]", "{}", "{\"weight_map\":[]}", "{\"weight_map\":{\"a\":\"b.safetensors\",\"a\":\"c.safetensors\"}}",
    ] {
      try space.write("m/model.safetensors.index.json", text)
      _ = try refusal()
    }
    try index("{\(String(repeating: "\"a\":1,", count: 10))\"b\":2}")
    _ = try refusal()
    let values = String(repeating: "0,", count: 200_001)
    try space.write("m/model.safetensors.index.json", "{\"weight_map\":{\"a\":[\(values)0]}}")
    #expect(try refusal().message.contains("more values"))
  }

  @Test func theFormatOfAFileIsFoundByItsBytes() throws {
    try save("m", limit: 40)
    #expect(try WeightFiles.open(space.file("m")) is TensorFolder)
    #expect(try WeightFiles.open(space.file("m/model-00002-of-00003.safetensors")).names == ["three"])
    try Files.write(GGUFBuilder.sample().bytes, to: space.file("model.bin"))
    #expect(try WeightFiles.open(space.file("model.bin")) is GGUF)
    #expect(throws: Failure.self) { try WeightFiles.open(space.file("nowhere")) }
  }
}
