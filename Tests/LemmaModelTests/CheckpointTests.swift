import LemmaBasics
import LemmaTestSupport
import Testing

@testable import LemmaModel

@Suite struct CheckpointTests {
  let space = TestSpace()

  private func saved() throws -> (model: Model, folder: String) {
    let model = try newModel(reversals(20), layers: 2)
    let folder = space.file("model")
    try Checkpoint.save(model, to: folder)
    return (model, folder)
  }

  @Test func aModelComesBackFromItsFolder() throws {
    let (model, folder) = try saved()
    #expect(
      try Files.list(folder) == [
        "config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
      ])
    let read = try Checkpoint.load(from: folder)
    #expect(read.configuration == model.configuration)
    #expect(read.tokenizer == model.tokenizer)
    #expect(weights(read) == weights(model))
  }

  @Test func theSameModelGivesTheSameBytes() throws {
    let (model, folder) = try saved()
    let again = space.file("again")
    try Checkpoint.save(try Checkpoint.load(from: folder), to: again)
    try Checkpoint.save(model, to: space.file("third"))
    for name in try Files.list(folder) {
      let bytes = try Files.read("\(folder)/\(name)")
      #expect(try Files.read("\(again)/\(name)") == bytes)
      #expect(try Files.read(space.file("third/\(name)")) == bytes)
    }
  }

  @Test func tensorsHaveTheNamesAndShapesOfLlama() throws {
    let (_, folder) = try saved()
    let tensors = try Safetensors.decode(Files.read("\(folder)/model.safetensors"), file: "model.safetensors")
    #expect(tensors.count == 2 + 9 * 2)
    #expect(tensors["model.layers.1.self_attn.k_proj.weight"]?.shape == [8, 16])
    #expect(tensors["model.layers.0.mlp.down_proj.weight"]?.shape == [16, 32])
    #expect(tensors["model.norm.weight"]?.shape == [16])
  }

  @Test func aFolderThatDoesNotFitTogetherIsRefused() throws {
    let (_, folder) = try saved()
    let config = try space.read("model/config.json")
    let weights = try Files.read("\(folder)/model.safetensors")
    func refused(_ what: String) {
      #expect(throws: (any Error).self, "\(what)") { try Checkpoint.load(from: folder) }
    }
    for (old, new) in [
      ("\"llama\"", "\"gpt2\""), ("\"silu\"", "\"gelu\""),
      ("\"tie_word_embeddings\": true", "\"tie_word_embeddings\": false"),
      ("\"rope_scaling\": null", "\"rope_scaling\": {\"type\": \"linear\"}"),
      ("\"hidden_size\": 16", "\"hidden_size\": 18"),
      ("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3"),
      ("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1"),
      ("\"hidden_size\": 16", "\"hidden_size\": -16"), ("\"vocab_size\": ", "\"vocab_size\": 9"), ("{", "["),
    ] {
      #expect(config.contains(old))
      let place = config.utf8.firstRange(of: old.utf8)!
      try space.write("model/config.json", config[..<place.lowerBound] + new + config[place.upperBound...])
      refused(new)
    }
    for (new, words) in [
      (config.replacing("\"llama\"", with: "\"mistral\",\"sliding_window\":0"), "sliding_window must be at least 2"),
      (
        "{\"model_type\":\"gpt2\",\"n_embd\":\(Int.min),\"n_head\":1,\"n_layer\":1,\"vocab_size\":1}",
        "hidden_size must be"
      ),
    ] {
      try space.write("model/config.json", new)
      let failure = #expect(throws: Failure.self) { try Checkpoint.load(from: folder) }
      #expect(failure?.message.contains(words) == true, "\(failure?.message ?? "")")
    }
    try space.write("model/config.json", config)
    try Files.write(weights.dropLast(4), to: "\(folder)/model.safetensors")
    refused("cut")
    try Files.remove("\(folder)/model.safetensors")
    refused("no weights")
    #expect(throws: Failure.self) { try Checkpoint.load(from: space.file("nowhere")) }
  }
}

@Suite struct SafetensorsTests {
  private func file(_ header: String, data: Int = 0, length: UInt64? = nil) -> [UInt8] {
    let length = length ?? UInt64(header.utf8.count)
    return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + Array(header.utf8)
      + [UInt8](repeating: 0, count: data)
  }

  private func tensor(_ shape: String, _ from: Int, _ to: Int, type: String = "F32") -> String {
    "{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":[\(from),\(to)]}"
  }

  @Test func aFileIsReadAsItWasWritten() throws {
    let values: [Float] = [1, 2, 3, 4, 5, 6]
    let bytes = values.withUnsafeBytes { raw in
      Safetensors.encode([
        (name: "b", shape: [2, 2], bytes: UnsafeRawBufferPointer(rebasing: raw[..<16])),
        (name: "a", shape: [2], bytes: UnsafeRawBufferPointer(rebasing: raw[16...])),
        (name: "none", shape: [0, 3], bytes: UnsafeRawBufferPointer(rebasing: raw[..<0])),
      ])
    }
    let tensors = try Safetensors.decode(bytes, file: "f")
    #expect(tensors["b"]?.shape == [2, 2] && tensors["a"]?.shape == [2] && tensors["none"]?.shape == [0, 3])
    let range = try #require(tensors["a"]?.range)
    #expect(range.lowerBound % 8 == 0)
    #expect(bytes[range].elementsEqual([0, 0, 160, 64, 0, 0, 192, 64]))
  }

  @Test func aHostileFileIsRefused() {
    let good = tensor("[2]", 0, 8)
    let hostile: [(String, [UInt8])] = [
      ("nothing", []), ("seven bytes", [1, 2, 3, 4, 5, 6, 7]),
      ("header beyond the file", file("{}", length: 3)), ("huge header", file("{}", length: .max)),
      ("header of 2^63", file("{}", length: 1 << 63)), ("not JSON", file("{]")), ("a list", file("[]")),
      ("an empty header", file("")), ("a key twice", file("{\"a\":\(good),\"a\":\(good)}", data: 8)),
      ("outside", file("{\"a\":\(good)}", data: 7)), ("beyond", file("{\"a\":\(tensor("[2]", 8, 16))}", data: 8)),
      ("backwards", file("{\"a\":\(tensor("[2]", 8, 0))}", data: 8)),
      ("negative", file("{\"a\":\(tensor("[2]", -8, 0))}", data: 8)),
      ("wrong size", file("{\"a\":\(tensor("[3]", 0, 8))}", data: 8)),
      ("overflow", file("{\"a\":\(tensor("[4611686018427387904,4]", 0, 8))}", data: 8)),
      ("negative shape", file("{\"a\":\(tensor("[-2,-1]", 0, 8))}", data: 8)),
      ("shape of text", file("{\"a\":\(tensor("[\"2\"]", 0, 8))}", data: 8)),
      ("other type", file("{\"a\":\(tensor("[2]", 0, 8, type: "I64"))}", data: 8)),
      ("overlap", file("{\"a\":\(good),\"b\":\(tensor("[2]", 4, 12))}", data: 12)),
      ("same place", file("{\"a\":\(good),\"b\":\(good)}", data: 8)),
      ("gap", file("{\"a\":\(good),\"b\":\(tensor("[1]", 12, 16))}", data: 16)),
      ("rest", file("{\"a\":\(good)}", data: 12)), ("incomplete", file("{\"a\":{\"dtype\":\"F32\"}}")),
      ("three offsets", file("{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4,4]}}", data: 4)),
      ("deep", file(String(repeating: "{\"a\":", count: 5000))),
    ]
    for (what, bytes) in hostile {
      #expect(throws: Failure.self, "\(what)") { try Safetensors.decode(bytes, file: "f") }
    }
  }

  @Test(arguments: 0..<30 as Range<UInt64>) func damageIsNeverACrash(_ seed: UInt64) throws {
    var bytes = file("{\"a\":\(tensor("[2]", 0, 8)),\"b\":\(tensor("[1,1]", 8, 12))}", data: 12)
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<3 {
      bytes[Int.random(in: bytes.indices, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
    }
    do {
      let tensors = try Safetensors.decode(bytes, file: "f")
      #expect(tensors.values.allSatisfy { $0.range.upperBound <= bytes.count })
    } catch let failure as Failure {
      #expect(failure.kind == .user)
    }
  }
}
