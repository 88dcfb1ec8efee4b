import Glibc
import LemmaBasics
import LemmaTestSupport
import Testing

@testable import LemmaModel

/// Agreement, bit for bit, with the libraries that define the formats of model files, where Python has them.
@Suite struct FilePeerTests {
  let space = TestSpace()

  private func python(_ arguments: String...) throws {
    let script = "\(Files.parent(Files.parent(#filePath)))/Peers/model_files.py"
    let (status, output) = try Python.run([script] + arguments)
    try #require(status == 0, "\(output)")
  }

  /// Compares every tensor of a source with the values in a file of its name.
  private func compare(_ source: some WeightSource, count: Int) throws {
    #expect(source.tensors.count == count)
    for tensor in source.tensors {
      let expected = try Files.read(space.file("\(tensor.name).bin"))
      let found = try source.values(of: tensor.name).withUnsafeBytes { Array($0) }
      #expect(found == expected, "\(tensor.name)")
    }
  }

  @Test(.enabled(if: Python.has("gguf"), "python3 cannot import gguf"))
  func everyTypeIsWidenedAsTheGGUFLibraryDoes() throws {
    try python("gguf", space.path)
    let file = try GGUF(MappedFile(space.file("model.gguf")))
    try compare(file, count: 17)
    #expect(try file.shape(of: "F32") == [3, 4, 512] && file.shape(of: "Q4_K.random") == [20, 512])
    #expect(file.metadata["llama.block_count"]?.int == 30)
    #expect(file.metadata["llama.rope.freq_base"]?.double == 10_000)
    #expect(file.metadata["tokenizer.ggml.add_bos_token"]?.bool == false)
    #expect(file.metadata["tokenizer.ggml.tokens"]?.strings == ["a", "Ġb", "日本"])
    #expect(file.metadata["tokenizer.ggml.token_type"]?.ints == [1, 3, 1])
    #expect(file.metadata["tokenizer.ggml.scores"]?.doubles == [0.5, -1.5, 0.25])
  }

  static let published = getenv("LEMMA_GGUF").map { String(cString: $0) }

  @Test(.enabled(if: published != nil && Python.has("gguf"), "LEMMA_GGUF names no file, or there is no gguf"))
  func aPublishedModelIsWidenedAsTheGGUFLibraryDoes() throws {
    let path = try #require(Self.published)
    try python("dequantise", path, space.file("values"))
    let expected = try MappedFile(space.file("values"))
    let file = try GGUF(MappedFile(path))
    var offset = 0
    for tensor in file.tensors {
      let values = try file.values(of: tensor.name)
      let isSame = values.withUnsafeBytes { found in
        withExtendedLifetime(expected) {
          offset + found.count <= expected.bytes.count
            && memcmp(found.baseAddress!, expected.bytes.baseAddress! + offset, found.count) == 0
        }
      }
      #expect(isSame, "\(tensor.name)")
      offset += tensor.count * 4
    }
    #expect(offset == expected.bytes.count)
  }

  @Test(.enabled(if: Python.has("safetensors.numpy"), "python3 cannot import safetensors and numpy"))
  func theSafetensorsLibraryReadsWhatIsWrittenAndTheOtherWayRound() throws {
    let entries = ["a", "b", "c"].map { Safetensors.Entry(name: $0, shape: [3, 4]) }
    var values: [Float] = []
    let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 48, alignment: 4)
    defer { block.deallocate() }
    try Safetensors.write(entries, inFolder: space.path, shardsOfAtMost: 96) { number in
      values = (0..<12).map { Float(12 * number + $0) }
      values.withUnsafeBytes { block.copyMemory(from: $0) }
      return UnsafeRawBufferPointer(block)
    }
    try python("safetensors", space.path)
    let theirs = try SafetensorsFile(MappedFile(space.file("theirs.safetensors")))
    try compare(theirs, count: 3)
    #expect(try theirs.shape(of: "half") == [3, 5, 7] && theirs.shape(of: "scalar") == [])
  }
}
