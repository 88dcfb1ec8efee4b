import LemmaBasics
import LemmaTestSupport
import Testing

@testable import LemmaModel

/// Agreement with PyTorch and the Hugging Face libraries, where Python has them.
@Suite struct PeerTests {
  static let texts: [String] = {
    var generator = SeededGenerator(seed: 11)
    let random = (0..<40).map { _ in
      var text = ""
      for _ in 0..<60 {
        let limit: UInt32 = [0x80, 0x80, 0x250, 0x3000, 0x11_0000][Int.random(in: 0..<5, using: &generator)]
        text.unicodeScalars.append(Unicode.Scalar(UInt32.random(in: 0..<limit, using: &generator)) ?? " ")
      }
      return text
    }
    return random + [
      "", " ", "  ", "a", " a", "Tom has 12 apples.", "it's we'll 'round they're I'm I'd you've 'tis '",
      "a  b\n\n c \t9  ", "\nx\n", "3×4=12; (x+1)²", "naïve café", "\u{0}\u{7F}\u{B}\u{C}\u{1C} \u{85}\u{A0}x\u{2003}y",
      "#### 1,234.50 ", "日本語のテキスト 🎉🎉",
    ]
  }()

  private func folder(_ space: TestSpace) throws -> String {
    let examples = reversals(60)
    let tokenizer = try Tokenizer.train(
      texts: examples.flatMap { [$0.prompt, $0.response] } + TokenizerTests.corpus, vocabularySize: 320)
    var shape = ModelConfiguration(
      vocabularySize: 320, hiddenSize: 24, intermediateSize: 40, layers: 2, heads: 4, keyValueHeads: 2, headSize: 8,
      contextLength: 64)
    shape.initialDeviation = 0.2
    let start = try Model(configuration: shape, tokenizer: tokenizer, seed: 1)
    let model = try train(start, examples, settings(.steps(60), rate: 5e-3)).model
    let folder = space.file("checkpoint")
    try Checkpoint.save(model, to: folder)

    var batch = TokenBatch()
    var documents: [JSON] = []
    for example in examples[..<5] {
      let prompt = tokenizer.encode(example.prompt)
      let tokens = prompt + tokenizer.encode(example.response + " 12 apples") + [tokenizer.endOfText]
      batch.append(tokens[...], responseStart: prompt.count)
      documents.append(["tokens": ids(tokens), "response_start": JSON(prompt.count)])
    }
    let pool = try KernelPool(threads: 2, path: .best, precision: .float32)
    let network = try Network(
      NetworkShape(
        model: model.configuration, precision: .float32, tokens: batch.count, stepTokens: batch.count),
      parameters: model.parameters, pool: pool)
    try Files.write(network.allLogits(batch).withUnsafeBytes { Array($0) }, to: "\(folder)/logits.bin")
    let loss = network.step([batch])
    let gradients = network.gradients.bytes
    let tensors = model.parameters.layout.tensors.map {
      (
        name: $0.name, shape: $0.shape,
        bytes: UnsafeRawBufferPointer(rebasing: gradients[$0.offset * 4..<($0.offset + $0.count) * 4])
      )
    }
    try Files.write(Safetensors.encode(tensors), to: "\(folder)/gradients.safetensors")
    let prompts = examples[..<10].map(\.prompt)
    let answers = try Decoder(model: model, threads: 1).generate(prompts: prompts, maxNewTokens: 8)
    let expected: JSON = [
      "documents": .array(documents), "loss": JSON(loss),
      "texts": .array(Self.texts.map { ["text": .string($0), "ids": ids(tokenizer.encode($0))] }),
      "answers": .array(zip(prompts, answers).map { ["prompt": .string($0), "tokens": ids($1.tokens)] }),
    ]
    try Files.write(expected.canonicalBytes, to: "\(folder)/expected.json")
    return folder
  }

  private func ids(_ tokens: [Int32]) -> JSON { .array(tokens.map { JSON(Int($0)) }) }

  private func compare(_ peer: String) throws {
    let space = TestSpace()
    let script = "\(Files.parent(Files.parent(#filePath)))/Peers/compare_model.py"
    let (status, output) = try Python.run([script, peer, folder(space)])
    #expect(status == 0, "\(output)")
  }

  @Test(.enabled(if: Python.has("torch"), "python3 cannot import torch"))
  func lossLogitsAndGradientsAreThoseOfPyTorch() throws { try compare("torch") }

  @Test(.enabled(if: Python.has("torch") && Python.has("transformers"), "python3 cannot import transformers"))
  func logitsIDsAndAnswersAreThoseOfTransformers() throws { try compare("transformers") }

  @Test(.enabled(if: Python.has("tokenizers"), "python3 cannot import tokenizers"))
  func idsAreThoseOfTheTokenizersLibrary() throws { try compare("tokenizers") }
}
