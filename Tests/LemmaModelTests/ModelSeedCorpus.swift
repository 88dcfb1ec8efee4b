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
      "chat": (ChatFamilies.all.map(\.source) + ChatSnippet.all.map(\.source)).map { Array($0.utf8) },
      "tokenizer": tokenizers.map(\.bytes),
    ]
    for (reader, files) in tables {
      try Files.makeFolder("\(folder)/\(reader)")
      for (number, bytes) in files.enumerated() { try Files.write(bytes, to: "\(folder)/\(reader)/\(number)") }
    }
  }

  /// One of each kind.
  private var tokenizers: [TokenizerDocument] {
    var added = TokenizerDocument.byteLevel(["a b"])
    added.normalizer = TokenizerDocument.sequence(
      "normalizers", ["type": "NFD"], ["type": "Strip", "strip_left": true, "strip_right": true],
      ["type": "Replace", "pattern": ["Regex": "a+"], "content": "b"], ["type": "Prepend", "prepend": "x"])
    added.add("[L]", ["lstrip", "rstrip", "special"])
    added.add("Low", ["normalized", "single_word"])
    added.postProcessor = ["type": "RobertaProcessing", "sep": ["[L]", 258], "cls": ["[L]", 258]]
    var affixes = TokenizerDocument.metaspace("abé", ["a b"])
    affixes.model = ["unk_token": "<unk>", "end_of_word_suffix": "é"]
    affixes.preTokenizer = ["type": "Split", "pattern": ["String": "a"], "behavior": "Contiguous", "invert": true]
    affixes.decoder = TokenizerDocument.sequence(
      "decoders", ["type": "BPEDecoder", "suffix": "é"], ["type": "Strip", "content": "a", "start": 1, "stop": 2],
      ["type": "Fuse"])
    return [
      added, affixes, .byteLevel(["Ġ a"], preTokenizer: TokenizerDocument.split(KnownPatterns.llama3Source)),
      .metaspace("▁ab", ["▁ a"], scheme: "always"),
    ]
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
