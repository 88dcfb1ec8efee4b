/// The tokens of pieces seen before.
struct PieceCache {
  /// Long pieces are rarely seen twice.
  static let longestPiece = 64
  private static let sizeLimit = 1 << 26

  private var table = ByteTable(minimumCapacity: 1024)
  private var ids: [Int32] = []
  /// Where the tokens of each piece begin, and those of the last one end.
  private var starts: [Int32] = [0]

  /// Appends the tokens of a piece, found by `find` the first time.
  @inline(__always)
  mutating func append(
    _ piece: UnsafeBufferPointer<UInt8>, to result: inout [Int32], _ find: (inout [Int32]) -> Void
  ) {
    guard piece.count <= Self.longestPiece else { return find(&result) }
    if let index = table.value(piece) {
      for position in Int(starts[Int(index)])..<Int(starts[Int(index) + 1]) { result.append(ids[position]) }
      return
    }
    let start = result.count
    find(&result)
    if table.size > Self.sizeLimit { self = PieceCache() }
    table.insert(piece, Int32(table.count))
    ids += result[start...]
    starts.append(Int32(ids.count))
  }
}
