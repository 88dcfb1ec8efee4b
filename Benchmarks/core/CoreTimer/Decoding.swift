import LemmaBasics
import LemmaModel

/// Decodes `waves` batches of prompts of one length one after the other. As all answers of a wave end in the same
/// step, the first step of each wave is that of its prompts and the others give one token a sequence; the first
/// wave's also rearranges the weights and is told apart.
func timeDecoding(_ arguments: [String]) throws {
  guard arguments.count >= 6 else { throw Failure(.user, "usage", usage) }
  let precision = try precision(arguments[2])
  let (threads, waves) = (try number(arguments[3]), try number(arguments[4]))
  let shape = shapes[arguments[1]]
  let model = try shape.map(newModel) ?? Checkpoint.load(from: arguments[1])
  let decoder = try Decoder(model: model, precision: precision, threads: threads)
  var cases: [JSON] = []
  for word in arguments[5...] {
    let sizes = try word.split(separator: ",").map { try number($0) }
    guard sizes.count == 3 else { throw Failure(.user, "usage", "'\(word)' is not SEQUENCES,PROMPT,NEW") }
    let (sequences, length, new) = (sizes[0], sizes[1], sizes[2])
    let prompts = try (0..<waves * sequences).map { try prompt(of: length, for: model, seed: $0 + 1) }
    let clock = ContinuousClock()
    var last = clock.now
    var steps: [Double] = []
    var tokens = 0
    _ = try decoder.generate(prompts: prompts, maxNewTokens: new, batch: sequences) {
      let now = clock.now
      steps.append((now - last) / .seconds(1))
      (last, tokens) = (now, $0.tokens)
    }
    guard tokens == waves * sequences * new, steps.count == waves * new else {
      throw Failure(
        .user, "decoding",
        "\(tokens) tokens came in \(steps.count) steps where \(waves * sequences * new) in \(waves * new) were asked "
          + "for: an answer ended early, or the prompts did not fit into one step")
    }
    cases.append([
      "sequences": JSON(sequences), "prompt": JSON(length), "new": JSON(new), "first_seconds": JSON(steps[0]),
      "prefill_seconds": .array((1..<max(1, waves)).map { JSON(steps[$0 * new]) }),
      "decode_seconds": .array(steps.indices.filter { $0 % new != 0 }.map { JSON(steps[$0]) }),
      "wave_seconds": .array((1..<max(1, waves)).map { JSON(steps[($0 * new)..<(($0 + 1) * new)].reduce(0, +)) }),
    ])
  }
  print(
    JSON.object([
      "parameters": JSON(model.configuration.parameterCount), "cases": .array(cases),
      "peak_mib": JSON(try peakMemory()),
    ]).canonical)
}

/// A text of exactly `length` tokens of the model's tokenizer.
private func prompt(of length: Int, for model: Model, seed: Int) throws -> String {
  let text = model.tokenizer.decode(model.tokenizer.encode(letters(16 * length, seed)).prefix(length))
  guard model.tokenizer.encode(text).count == length else {
    throw Failure(.user, "decoding", "no prompt of \(length) tokens was found")
  }
  return text
}
