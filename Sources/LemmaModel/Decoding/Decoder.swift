import LemmaBasics

/// Greedy decoding of many prompts at a time. An answer depends on the model and its prompt alone: not on the other
/// prompts, the batch size, the threads or the processor path.
public struct Decoder {
  private let model: Model
  private let pool: KernelPool

  /// - Throws: `Failure` for a thread count outside 1...256, or a model without a form in that precision.
  public init(model: Model, precision: Precision = .float32, threads: Int, path: KernelPath = .best) throws {
    try model.configuration.check(precision)
    self.model = model
    pool = try KernelPool(threads: threads, path: path, precision: precision)
  }

  /// A sequence in a slot of the cache.
  private struct Sequence {
    var prompt: Int
    /// Tokens not yet run; once the prompt is through, the last one generated.
    var pending: ArraySlice<Int32>
    var position = 0
    var generated: [Int32] = []
  }

  /// Answers every prompt, in the order given.
  /// - Parameters:
  ///   - form: how the prompts are put to the model.
  ///   - maxNewTokens: the most tokens of an answer, at least 1.
  ///   - batch: sequences decoded at a time, at least 1; as one ends, the next takes its place.
  ///   - progress: called after each step.
  ///   - isCancelled: asked before each step; true ends the decoding with `CancellationError`.
  public func generate(
    prompts: [String], as form: PromptForm = .plain, maxNewTokens: Int, batch: Int = 64,
    progress: (DecodingProgress) -> Void = { _ in }, isCancelled: () -> Bool = { false }
  ) throws -> [Completion] {
    guard maxNewTokens >= 1, batch >= 1 else {
      throw Failure(.user, "decoding", "the numbers of new tokens and of the batch must be at least 1")
    }
    let context = model.configuration.longestSequence
    let encoded = try model.encode(prompts: prompts, as: form)
    var completions = [Completion?](repeating: nil, count: prompts.count)
    // An empty prompt gives the model nothing to go on; it starts from the end of text.
    var waiting = encoded.enumerated().map {
      Sequence(prompt: $0, pending: $1.isEmpty ? [model.tokenizer.endOfText] : $1[...])
    }
    for sequence in waiting where sequence.pending.count > context {
      completions[sequence.prompt] = Completion(text: "", tokens: [], finish: .contextFull)
    }
    waiting.removeAll { $0.pending.count > context }
    // The longest first, so that none is left to run alone at the end; the order does not show in the answers.
    waiting.sort { ($0.pending.count, $0.prompt) < ($1.pending.count, $1.prompt) }
    let slots = min(batch, max(1, waiting.count))
    let longest = waiting.last?.pending.count ?? 1
    // In whole lane groups, which the kernels read.
    let capacity = (min(context, longest + min(maxNewTokens, context)) + 15) / 16 * 16
    // Room for any prompt beside one token of every other slot, and for several prompts at once.
    let rowLimit = longest + max(slots, 512)
    let network = try CachedNetwork(model: model, slots: slots, capacity: capacity, rowLimit: rowLimit, pool: pool)
    var running = [Sequence?](repeating: nil, count: slots)
    var tokens = 0
    while true {
      if isCancelled() { throw CancellationError() }
      var rows: [DecodingRow] = []
      for slot in running.indices {
        if running[slot] == nil { running[slot] = waiting.popLast() }
        guard let sequence = running[slot], rows.count + sequence.pending.count <= rowLimit - (slots - slot - 1) else {
          continue
        }
        for (offset, token) in sequence.pending.enumerated() {
          rows.append(
            DecodingRow(
              token: token, slot: Int32(slot), position: Int32(sequence.position + offset),
              isAsked: offset == sequence.pending.count - 1))
        }
      }
      if rows.isEmpty { break }
      let best = network.step(rows)
      for (row, token) in zip(rows.filter(\.isAsked), best) {
        let slot = Int(row.slot)
        guard var sequence = running[slot] else { continue }
        tokens += 1
        sequence.position += sequence.pending.count
        let finish = take(token, into: &sequence, limit: maxNewTokens)
        running[slot] = finish == nil ? sequence : nil
        if let finish {
          completions[sequence.prompt] = Completion(
            text: model.tokenizer.decode(sequence.generated), tokens: sequence.generated, finish: finish)
        }
      }
      progress(
        DecodingProgress(finished: completions.count { $0 != nil }, prompts: prompts.count, tokens: tokens))
    }
    return completions.compactMap { $0 }
  }

  /// Adds the token; tells why the sequence ends, if it does.
  private func take(_ token: Int32, into sequence: inout Sequence, limit: Int) -> Completion.Finish? {
    if token < 0 { return .notFinite }
    if model.conventions.ends.contains(token) { return .endOfText }
    sequence.generated.append(token)
    sequence.pending = [token]
    if sequence.generated.count == limit { return .length }
    return sequence.position == model.configuration.longestSequence ? .contextFull : nil
  }
}
