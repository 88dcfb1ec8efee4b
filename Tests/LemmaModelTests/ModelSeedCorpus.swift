import Glibc
import LemmaBasics
import LemmaTestSupport
import Testing

@testable import LemmaModel

private let seeds = getenv("LEMMA_FUZZ_SEEDS").map { String(cString: $0) }

/// Writes model files as these tests build them: what fuzzing of their readers begins with. `scripts/fuzz` runs it.
@Suite(.enabled(if: seeds != nil, "only scripts/fuzz needs it"))
struct ModelSeedCorpus {
  @Test func write() throws {
    let folder = try #require(seeds)
    let index = "{\"metadata\":{\"total_size\":8},\"weight_map\":{\"a\":\"model-00001-of-00001.safetensors\"}}"
    let tables: [String: [[UInt8]]] = [
      "gguf": [GGUFBuilder.sample().bytes, GGUFBuilder.sample(version: 2).bytes, everyType],
      "safetensors": [SafetensorsFileTests.sample], "index": [Array(index.utf8)],
    ]
    for (reader, files) in tables {
      try Files.makeFolder("\(folder)/\(reader)")
      for (number, bytes) in files.enumerated() { try Files.write(bytes, to: "\(folder)/\(reader)/\(number)") }
    }
  }

  /// A tensor of two blocks for each type that has a number.
  private var everyType: [UInt8] {
    let types = (0..<50 as Range<UInt32>).compactMap { number in GGMLType.layout(of: number).map { (number, $0) } }
    var file = GGUFBuilder()
    file.header(tensors: UInt64(types.count), pairs: 0)
    var data: [UInt8] = []
    for (number, layout) in types {
      file.tensor(layout.name, [UInt64(layout.blockValues), 2], type: number, offset: UInt64(data.count))
      data += (0..<2 * layout.blockBytes).map { UInt8(truncatingIfNeeded: 37 * $0) }
      data += [UInt8](repeating: 0, count: (32 - data.count % 32) % 32)
    }
    file.pad()
    file.data(data)
    return file.bytes
  }
}
