import CKernels

/// Which examples go into which step: a function of their lengths, the configuration and the seed, nothing else.
struct Curriculum {
  private let lengths: [Int]
  private let budget: Int
  private let seed: UInt64
  private(set) var steps = 0
  private var epoch = 0
  private var order: [Int] = []
  private var next = 0

  /// - Parameter lengths: the tokens of each example, at least one and none longer than the budget.
  init(lengths: [Int], configuration: TrainingConfiguration) {
    self.lengths = lengths
    budget = configuration.stepTokens
    seed = configuration.seed
    switch configuration.duration {
    case .steps(let count): steps = count
    case .epochs(let count): steps = Curriculum.steps(self, while: { epochs, _ in epochs < count })
    case .tokens(let count): steps = Curriculum.steps(self, while: { _, tokens in tokens < count })
    }
  }

  /// How many steps begin while a condition on whole epochs done and on tokens seen holds.
  private static func steps(_ start: Curriculum, while goesOn: (_ epochs: Int, _ tokens: Int) -> Bool) -> Int {
    var (curriculum, tokens, steps) = (start, 0, 0)
    while goesOn(curriculum.next == curriculum.order.count ? curriculum.epoch : curriculum.epoch - 1, tokens) {
      tokens += curriculum.batch().reduce(0) { $0 + start.lengths[$1] }
      steps += 1
    }
    return steps
  }

  /// The examples of the next step: in shuffled order, as many as fit; no step spans two epochs.
  mutating func batch() -> ArraySlice<Int> {
    if next == order.count {
      order = Curriculum.permutation(lengths.count, seed: seed, epoch: epoch)
      epoch += 1
      next = 0
    }
    let start = next
    var left = budget
    while next < order.count, lengths[order[next]] <= left {
      left -= lengths[order[next]]
      next += 1
    }
    return order[start..<next]
  }

  /// Fisher and Yates' shuffle with numbers of (seed, epoch, index).
  static func permutation(_ count: Int, seed: UInt64, epoch: Int) -> [Int] {
    var order = Array(0..<count)
    var bits: [UInt32] = [0, 0, 0, 0]
    let key = [UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)]
    for last in stride(from: count - 1, to: 0, by: -1) {
      // The weights' streams count matrices; bit 63 sets the shuffles' apart.
      let counter = [
        UInt32(truncatingIfNeeded: last), UInt32(truncatingIfNeeded: last >> 32), UInt32(truncatingIfNeeded: epoch),
        1 << 31,
      ]
      lemma_philox(counter, key, &bits)
      let random = UInt64(bits[0]) << 32 | UInt64(bits[1])
      order.swapAt(last, Int(random.multipliedFullWidth(by: UInt64(last + 1)).high))
    }
    return order
  }
}
