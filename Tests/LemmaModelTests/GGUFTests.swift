import LemmaBasics
import LemmaTestSupport
import Testing

@testable import LemmaModel

@Suite struct GGUFTests {
  @Test(arguments: [2, 3] as [UInt32]) func everyKindOfValueIsRead(_ version: UInt32) throws {
    let metadata = try gguf(GGUFBuilder.sample(version: version).bytes).metadata
    #expect(metadata.count == 15)
    #expect(metadata["general.architecture"]?.string == "llama")
    #expect(metadata["general.alignment"]?.int == 32)
    #expect(metadata["u8"]?.int == 200 && metadata["i8"]?.int == -100)
    #expect(metadata["u16"]?.int == 60_000 && metadata["i16"]?.int == -30_000)
    #expect(metadata["i32"]?.int == -2_000_000_000)
    #expect(metadata["f32"]?.double == Double(Float(0.1)) && metadata["f64"]?.double == 0.1)
    #expect(metadata["bool"]?.bool == true)
    #expect(metadata["u64"] == .unsigned(.max) && metadata["u64"]?.int == nil)
    #expect(metadata["i64"]?.int == Int.min)
    #expect(metadata["texts"]?.strings == ["a", "日本"] && metadata["texts"]?.ints == nil)
    #expect(metadata["none"]?.array == [])
    #expect(metadata["nested"] == .array([.array([.signed(1), .signed(-2)]), .array([.signed(3)])]))
    #expect(metadata["nested"]?.array?.first?.doubles == [1, -2])
    #expect(metadata["texts"]?.typeName == "list" && metadata["u8"]?.typeName == "integer")
  }

  @Test func tensorsAreReadInRowMajorOrder() throws {
    let file = try gguf(GGUFBuilder.sample().bytes)
    #expect(file.names == ["a", "b"])
    #expect(file.tensor("b") == WeightTensor(name: "b", shape: [3, 2], type: "F32", count: 6))
    #expect(try file.shape(of: "a") == [32])
    #expect(try file.values(of: "b") == [1, 2, 3, 4, 5, 6])
    #expect(try file.values(of: "a") == (-16..<16).map { Float($0) / 2 })
  }

  @Test func aTensorThatIsNotThereIsNamed() throws {
    let file = try gguf(GGUFBuilder.sample().bytes)
    var value: Float = 0
    #expect(throws: Failure.self) { try file.read("c", into: &value) }
    #expect(throws: Failure.self) { try file.shape(of: "") }
    #expect(file.tensor("c") == nil)
  }

  @Test func aTypeThatIsNotReadIsRefusedByNameWhenItIsAskedFor() throws {
    var builder = GGUFBuilder()
    builder.header(tensors: 2, pairs: 0)
    builder.tensor("plain", [1], type: 0, offset: 0)
    builder.tensor("odd", [256], type: 10, offset: 32)
    builder.pad()
    builder.data([0, 0, 128, 63] + [UInt8](repeating: 0, count: 28 + 84))
    let file = try gguf(builder.bytes)
    #expect(try file.values(of: "plain") == [1])
    let failure = try #require(throws: Failure.self) { try file.values(of: "odd") }
    #expect(failure.code == "tensor-type" && failure.message.contains("Q2_K"))
  }

  @Test func theAlignmentOfTheFileCounts() throws {
    var builder = GGUFBuilder()
    builder.header(tensors: 2, pairs: 1)
    builder.pair("general.alignment", 8)
    builder.tensor("a", [1], type: 0, offset: 8)
    builder.tensor("b", [1], type: 0, offset: 0)
    builder.pad(to: 8)
    builder.data([0, 0, 128, 63, 0, 0, 0, 0, 0, 0, 0, 64])
    let file = try gguf(builder.bytes)
    #expect(try file.values(of: "a") == [2] && file.values(of: "b") == [1])
  }

  // MARK: Refusals

  @Test func aFileThatIsCutAnywhereIsRefused() {
    let bytes = GGUFBuilder.sample().bytes
    for length in 0..<bytes.count {
      #expect(throws: Failure.self, "\(length) of \(bytes.count) bytes") {
        try gguf(Array(bytes[..<length]))
      }
    }
  }

  @Test func aHostileFieldIsRefused() {
    let sample = GGUFBuilder.sample()
    let original = sample.bytes
    for field in sample.fields {
      for value in hostileValues + [2, 4, 16, 33] {
        let value = field.width == 8 ? value : value & ((1 << (8 * UInt64(field.width))) - 1)
        var bytes = original
        for index in 0..<field.width { bytes[field.offset + index] = UInt8(truncatingIfNeeded: value >> (8 * index)) }
        if bytes == original || isHarmless(field.name, value) { continue }
        #expect(throws: Failure.self, "\(field.name) = \(value)") { try gguf(bytes) }
      }
    }
  }

  /// Another value, type or place that makes another file in order.
  private func isHarmless(_ field: String, _ value: UInt64) -> Bool {
    switch field {
    case "version": value == 2
    case "value of general.alignment": value == 16
    // Bits of four bytes can be taken for an unsigned or a floating-point number.
    case "type of i32", "type of f32", "type in inner": [4, 5, 6].contains(value)
    case "type of i8", "type of bool", "type of u8": value <= 1
    case "type of u16": value == 2
    case "type of i16": value == 2
    // Tensors of fewer bytes lie apart still.
    case "dimension 0 of b", "dimension 1 of b": [1, 2, 4].contains(value)
    case "type of b": [1, 16].contains(value)
    default: false
    }
  }

  @Test func whatDoesNotFitTogetherIsRefused() {
    func refused(_ what: String, _ build: (inout GGUFBuilder) -> Void) {
      var builder = GGUFBuilder()
      build(&builder)
      #expect(throws: Failure.self, "\(what)") { try gguf(builder.bytes) }
    }
    func one(_ dimensions: [UInt64], type: UInt32, offset: UInt64 = 0, bytes: Int) -> (inout GGUFBuilder) -> Void {
      { file in
        file.header(tensors: 1, pairs: 0)
        file.tensor("t", dimensions, type: type, offset: offset)
        file.pad()
        file.data([UInt8](repeating: 0, count: bytes))
      }
    }
    var control = GGUFBuilder()
    one([32, 2], type: 2, bytes: 36)(&control)
    #expect((try? gguf(control.bytes)) != nil)

    refused("a row that is no whole number of blocks", one([16, 4], type: 2, bytes: 36))
    refused("no dimensions", one([], type: 0, bytes: 32))
    refused("five dimensions", one([1, 1, 1, 1, 1], type: 0, bytes: 32))
    refused("a type that was taken back", one([32], type: 4, bytes: 64))
    refused("a type beyond all", one([32], type: 99, bytes: 640))
    refused("a product of 2^64", one([1 << 32, 1 << 32], type: 0, bytes: 32))
    refused("a product of 2^64 and a little", one([1 << 32, (1 << 32) + 1], type: 0, bytes: 32))
    refused("a size of 2^64", one([1 << 62], type: 0, bytes: 32))
    refused("a block's size beyond 2^63", one([((1 << 63) - 1) / 256 * 256], type: 15, bytes: 320))
    refused("an offset that wraps around", one([8], type: 0, offset: .max - 31, bytes: 32))
    refused("an offset between", one([1], type: 0, offset: 4, bytes: 32))
    refused("two tensors in one place") { file in
      file.header(tensors: 2, pairs: 0)
      file.tensor("a", [8], type: 0, offset: 0)
      file.tensor("b", [8], type: 0, offset: 0)
      file.pad()
      file.data([UInt8](repeating: 0, count: 64))
    }
    refused("a tensor over the next") { file in
      file.header(tensors: 2, pairs: 0)
      file.tensor("a", [9], type: 0, offset: 0)
      file.tensor("b", [8], type: 0, offset: 32)
      file.pad()
      file.data([UInt8](repeating: 0, count: 64))
    }
    refused("a gap between tensors") { file in
      file.header(tensors: 2, pairs: 0)
      file.tensor("a", [8], type: 0, offset: 0)
      file.tensor("b", [8], type: 0, offset: 64)
      file.pad()
      file.data([UInt8](repeating: 0, count: 96))
    }
    refused("bytes behind the last tensor", one([8], type: 0, bytes: 64))
    refused("a tensor's name twice") { file in
      file.header(tensors: 2, pairs: 0)
      file.tensor("a", [8], type: 0, offset: 0)
      file.tensor("a", [8], type: 0, offset: 32)
      file.pad()
      file.data([UInt8](repeating: 0, count: 64))
    }
    refused("a very long name of a tensor") { file in
      file.header(tensors: 1, pairs: 0)
      file.tensor(String(repeating: "n", count: 1025), [8], type: 0, offset: 0)
      file.pad()
      file.data([UInt8](repeating: 0, count: 32))
    }
    refused("a very long key") { file in
      file.header(tensors: 0, pairs: 1)
      file.pair(String(repeating: "n", count: 65_536), 1)
    }
    refused("a key twice") { file in
      file.header(tensors: 0, pairs: 2)
      file.pair("a", 1)
      file.pair("a", 2)
    }
    refused("a text that is not UTF-8") { file in
      file.header(tensors: 0, pairs: 1)
      file.key("a", type: 8)
      file.integer(UInt64(1))
      file.data([0xFF])
    }
    refused("a boolean of 2") { file in
      file.header(tensors: 0, pairs: 1)
      file.key("a", type: 7)
      file.data([2])
    }
    refused("arrays in arrays without end") { file in
      file.header(tensors: 0, pairs: 1)
      file.key("a", type: 9)
      for _ in 0..<200_000 { file.array(9, count: 1) }
    }
    for alignment: UInt32 in [0, 1, 4, 24, 33, .max] {
      refused("an alignment of \(alignment)") { file in
        file.header(tensors: 0, pairs: 1)
        file.pair("general.alignment", alignment)
      }
    }
    refused("an alignment of text") { file in
      file.header(tensors: 0, pairs: 1)
      file.pair("general.alignment", "32")
    }
    refused("more values than are read") { file in
      file.header(tensors: 0, pairs: 1)
      file.key("a", type: 9)
      file.array(0, count: 4_000_001)
      file.data([UInt8](repeating: 0, count: 4_000_001))
    }
    refused("more values in arrays of arrays than are read") { file in
      file.header(tensors: 0, pairs: 1)
      file.key("a", type: 9)
      file.array(9, count: 3)
      for _ in 0..<3 {
        file.array(0, count: 1_400_000)
        file.data([UInt8](repeating: 0, count: 1_400_000))
      }
    }
    refused("more pairs than are read") { file in
      file.header(tensors: 0, pairs: 100_001)
      for number in 0..<100_001 { file.pair("\(number)", 1) }
    }
    refused("another magic number") { $0.data(Array("GGJT".utf8) + [UInt8](repeating: 3, count: 60)) }
  }

  /// Before anything is reserved for it: a text takes eight bytes at least.
  @Test func aCountIsHeldAgainstTheBytesThatAreLeft() throws {
    var file = GGUFBuilder()
    file.header(tensors: 0, pairs: 1)
    file.key("a", type: 9)
    file.array(8, count: 3)
    for _ in 0..<2 { file.string("") }
    let failure = try #require(throws: Failure.self) { try gguf(file.bytes) }
    #expect(failure.message.contains("too short for 3 values"))
  }

  @Test func theOtherByteOrderIsNamed() throws {
    var bytes = GGUFBuilder.sample().bytes
    bytes.replaceSubrange(4..<8, with: [0, 0, 0, 3])
    let failure = try #require(throws: Failure.self) { try gguf(bytes) }
    #expect(failure.message.contains("most significant"))
  }

  @Test(arguments: 0..<60 as Range<UInt64>) func damageIsNeverACrash(_ seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let original = GGUFBuilder.sample().bytes
    for _ in 0..<40 {
      var bytes = original
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        bytes[Int.random(in: bytes.indices, using: &generator)] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
      }
      do {
        try readAll(gguf(bytes))
      } catch {
        #expect((error as? Failure)?.kind == .user, "seed \(seed)")
      }
    }
  }
}
