import LemmaBasics
import LemmaModel

/// A model and the tokens of one training step.
struct Shape {
  var model: ModelConfiguration
  /// Sequences of a step.
  var batch: Int
  /// Tokens of a sequence.
  var context: Int
}

/// The shapes of Benchmarks/README.md; the scripts take them from here, so that both sides have the same.
let shapes: [String: Shape] = [
  "1m": Shape(
    model: .init(
      vocabularySize: 512, hiddenSize: 128, intermediateSize: 352, layers: 5, heads: 4, keyValueHeads: 2,
      contextLength: 256), batch: 16, context: 256),
  "10m": Shape(
    model: .init(
      vocabularySize: 4096, hiddenSize: 320, intermediateSize: 896, layers: 7, heads: 5, keyValueHeads: 5,
      contextLength: 256), batch: 16, context: 256),
  "135m": Shape(
    model: .init(
      vocabularySize: 49_152, hiddenSize: 576, intermediateSize: 1536, layers: 30, heads: 9, keyValueHeads: 3,
      contextLength: 2048), batch: 4, context: 512),
  "gpt2": Shape(
    model: {
      var model = ModelConfiguration(
        vocabularySize: 50_257, hiddenSize: 768, intermediateSize: 3072, layers: 12, heads: 12, keyValueHeads: 12,
        contextLength: 1024)
      model.architecture = .gpt2
      return model
    }(), batch: 4, context: 64),
  // For trying the scripts out, not for figures.
  "tiny": Shape(
    model: .init(
      vocabularySize: 300, hiddenSize: 64, intermediateSize: 96, layers: 2, heads: 4, keyValueHeads: 2,
      contextLength: 64), batch: 2, context: 32),
]

func printShapes() {
  let all = shapes.mapValues { shape -> JSON in
    let model = shape.model
    return [
      "model_type": .string(model.architecture.rawValue), "vocab_size": JSON(model.vocabularySize),
      "hidden_size": JSON(model.hiddenSize), "intermediate_size": JSON(model.intermediateSize),
      "num_hidden_layers": JSON(model.layers), "num_attention_heads": JSON(model.heads),
      "num_key_value_heads": JSON(model.keyValueHeads), "head_dim": JSON(model.headSize),
      "max_position_embeddings": JSON(model.contextLength), "initializer_range": JSON(model.initialDeviation),
      "parameters": JSON(model.parameterCount), "batch": JSON(shape.batch), "context": JSON(shape.context),
    ]
  }
  print(JSON.object(all).canonical)
}

/// A new model of a shape, whose tokenizer knows bytes alone. Its seed is one with which no answer of decode.py ends
/// before its length.
func newModel(_ shape: Shape) throws -> Model {
  let tokenizer = try Tokenizer.train(texts: [], vocabularySize: Tokenizer.leastVocabularySize)
  return try Model(configuration: shape.model, tokenizer: tokenizer, seed: 3)
}

/// A text of `count` letters, each one token of a tokenizer that knows bytes alone.
func letters(_ count: Int, _ seed: Int) -> String {
  var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1
  return String(
    decoding: (0..<count).map { _ -> UInt8 in
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return UInt8(97 + state % 26)
    }, as: UTF8.self)
}
