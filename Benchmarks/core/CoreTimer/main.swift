import LemmaBasics
import LemmaModel

/// Times the native core for Benchmarks/core/*.py. Prints one JSON line.
///   core-timer train SHAPE PRECISION THREADS STEPS
///   core-timer decode SHAPE PRECISION THREADS SEQUENCES PROMPT NEW
let arguments = CommandLine.arguments

func fail(_ message: String) -> Never {
  print(message)
  fatalError(message)
}

struct Case {
  var model: ModelConfiguration
  var batch: Int
  var context: Int
}

/// The shapes of Benchmarks/README.md.
let shapes: [String: Case] = [
  "1m": Case(
    model: .init(
      vocabularySize: 512, hiddenSize: 128, intermediateSize: 352, layers: 5, heads: 4, keyValueHeads: 2,
      contextLength: 256), batch: 16, context: 256),
  "10m": Case(
    model: .init(
      vocabularySize: 4096, hiddenSize: 320, intermediateSize: 896, layers: 7, heads: 5, keyValueHeads: 5,
      contextLength: 256), batch: 16, context: 256),
  "135m": Case(
    model: .init(
      vocabularySize: 49_152, hiddenSize: 576, intermediateSize: 1536, layers: 30, heads: 9, keyValueHeads: 3,
      contextLength: 2048), batch: 4, context: 512),
  "gpt2": Case(
    model: {
      var model = ModelConfiguration(
        vocabularySize: 50_257, hiddenSize: 768, intermediateSize: 3072, layers: 12, heads: 12, keyValueHeads: 12,
        contextLength: 1024)
      model.architecture = .gpt2
      return model
    }(), batch: 4, context: 64),
]

/// A text of `count` letters, each one token of an untrained vocabulary.
func text(_ count: Int, _ seed: Int) -> String {
  var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1
  return String(
    decoding: (0..<count).map { _ -> UInt8 in
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return UInt8(97 + state % 26)
    }, as: UTF8.self)
}

guard arguments.count >= 6, let shape = shapes[arguments[2]], let precision = Precision(rawValue: arguments[3]),
  let threads = Int(arguments[4])
else { fail("core-timer train|decode SHAPE PRECISION THREADS ...") }
let tokenizer = try Tokenizer.train(texts: [], vocabularySize: Tokenizer.leastVocabularySize)
let model = try Model(configuration: shape.model, tokenizer: tokenizer, seed: 1)

switch arguments[1] {
case "train":
  var configuration = TrainingConfiguration()
  configuration.batchSize = shape.batch
  configuration.contextLength = shape.context
  configuration.duration = .steps(Int(arguments[5]) ?? 10)
  configuration.learningRate = 1e-4
  configuration.precision = precision
  let examples = (0..<4 * shape.batch).map { Example(prompt: "", response: text(shape.context, $0 + 1)) }
  var rates: [Double] = []
  let result = try Trainer(model: model, configuration: configuration, threads: threads).run(examples: examples) {
    rates.append($0.tokensPerSecond)
  }
  print(
    JSON.object([
      "parameters": JSON(shape.model.parameterCount), "tokens": JSON(result.history[0].tokens),
      "rates": .array(rates.map { JSON($0) }), "loss": JSON(result.history.last?.loss ?? 0),
    ]).canonical)
case "decode":
  let count = Int(arguments[5]) ?? 1
  let prompts = (0..<count).map { text(Int(arguments[6]) ?? 16, $0 + 1) }
  let decoder = try Decoder(model: model, precision: precision, threads: threads)
  let clock = ContinuousClock()
  var first: ContinuousClock.Instant?
  var firstTokens = 0
  var tokens = 0
  let began = clock.now
  _ = try decoder.generate(prompts: prompts, maxNewTokens: Int(arguments[7]) ?? 64, batch: count) {
    if first == nil {
      first = clock.now
      firstTokens = $0.tokens
    }
    tokens = $0.tokens
  }
  let end = clock.now
  let prefill = ((first ?? end) - began) / .seconds(1)
  let rest = (end - (first ?? end)) / .seconds(1)
  print(
    JSON.object([
      "tokens": JSON(tokens), "prefill_seconds": JSON(prefill),
      "decode_rate": JSON(rest > 0 ? Double(tokens - firstTokens) / rest : 0),
    ]).canonical)
default: fail("core-timer train|decode ...")
}
