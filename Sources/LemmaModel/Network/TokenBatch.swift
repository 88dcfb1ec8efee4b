/// Documents laid end to end: what one training step or one evaluation sees. Attention keeps them apart and
/// positions restart with each, so no padding is needed.
struct TokenBatch {
  private(set) var tokens: [Int32] = []
  private(set) var positions: [Int32] = []
  /// Where each document starts, and the end.
  private(set) var starts: [Int32] = [0]
  /// The rows that count, and the token that each should predict.
  private(set) var lossRows: [Int32] = []
  private(set) var targets: [Int32] = []

  var count: Int { tokens.count }
  var documents: Int { starts.count - 1 }

  /// Adds a sequence of at least two tokens, of which those from `responseStart` on are to be predicted.
  mutating func append(_ sequence: ArraySlice<Int32>, responseStart: Int) {
    let base = tokens.count
    let input = sequence.dropLast()
    tokens += input
    positions += (0..<input.count).map(Int32.init)
    starts.append(Int32(tokens.count))
    for (row, target) in sequence.dropFirst().enumerated() where row + 1 >= responseStart {
      lossRows.append(Int32(base + row))
      targets.append(target)
    }
  }
}
