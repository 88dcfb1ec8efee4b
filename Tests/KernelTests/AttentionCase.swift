import CKernels
import Glibc
import Testing

/// A shape of attention with the ways to run it: packed, backward, cached, and by the textbook in double.
struct AttentionCase: CustomTestStringConvertible {
  var heads, groups, head: Int
  var lengths: [Int]

  var width: Int { (heads + 2 * groups) * head }
  var outWidth: Int { heads * head }
  var rows: Int { lengths.reduce(0, +) }
  var starts: [Int32] { lengths.reduce(into: [0]) { $0.append($0[$0.count - 1] + Int32($1)) } }
  var testDescription: String { "\(heads)/\(groups) heads of \(head), documents \(lengths)" }

  private func withShape(_ body: (UnsafePointer<lemma_attention>) -> Void) {
    starts.withUnsafeBufferPointer { starts in
      var shape = lemma_attention(
        documents: lengths.count, heads: heads, groups: groups, head: head, ld: width, starts: starts.baseAddress)
      body(&shape)
    }
  }

  func forward(_ qkv: [Float], _ pool: OpaquePointer) -> (out: [Float], stats: [Float]) {
    let (out, stats) = stored(qkv, pool)
    return (numbers(pool, out), stats)
  }

  private func stored(_ qkv: [Float], _ pool: OpaquePointer) -> (out: [UInt8], stats: [Float]) {
    var out = room(pool, rows * outWidth)
    var stats = [Float](repeating: 0, count: rows * heads * 2)
    withShape { lemma_attention_forward(pool, $0, operands(pool, qkv), &out, &stats) }
    return (out, stats)
  }

  func backward(_ qkv: [Float], _ dout: [Float], _ pool: OpaquePointer) -> [Float] {
    let (out, stats) = stored(qkv, pool)
    var gradient = [Float](repeating: .nan, count: qkv.count)
    withShape {
      lemma_attention_backward(pool, $0, operands(pool, qkv), out, stats, operands(pool, dout), &gradient)
    }
    return gradient
  }

  /// The same documents through the cache, `step` positions of each at a time, the last document first.
  func cached(_ qkv: [Float], step: Int, _ pool: OpaquePointer) -> [Float] {
    let longest = lengths.max() ?? 0
    let capacity = (longest + 15) / 16 * 16
    var cache = [UInt8](repeating: 0xFF, count: lengths.count * lemma_cache_size(pool, groups, head, capacity))
    var result = [Float](repeating: 0, count: rows * outWidth)
    for from in stride(from: 0, to: longest, by: step) {
      var (chosen, slots, positions): ([Int], [Int32], [Int32]) = ([], [], [])
      for (document, length) in lengths.enumerated().reversed() {
        for position in from..<max(from, min(from + step, length)) {
          chosen.append(Int(starts[document]) + position)
          slots.append(Int32(document))
          positions.append(Int32(position))
        }
      }
      let input = operands(pool, chosen.flatMap { qkv[$0 * width..<($0 + 1) * width] })
      var out = room(pool, chosen.count * outWidth)
      slots.withUnsafeBufferPointer { slots in
        positions.withUnsafeBufferPointer { positions in
          var shape = lemma_cached_attention(
            rows: chosen.count, heads: heads, groups: groups, head: head, ld: width, capacity: capacity,
            slots: slots.baseAddress, positions: positions.baseAddress)
          lemma_attention_cached(pool, &shape, input, &cache, &out)
        }
      }
      let found = numbers(pool, out)
      for (index, row) in chosen.enumerated() {
        result.replaceSubrange(
          row * outWidth..<(row + 1) * outWidth, with: found[index * outWidth..<(index + 1) * outWidth])
      }
    }
    return result
  }

  /// The textbook's formulas in double: output, and gradient with respect to qkv.
  func reference(_ input: [Float], _ slope: [Float]) -> (out: [Double], gradient: [Double]) {
    let (qkv, dout) = (input.map(Double.init), slope.map(Double.init))
    var out = [Double](repeating: 0, count: rows * outWidth)
    var gradient = [Double](repeating: 0, count: qkv.count)
    let scale = 1 / Double(head).squareRoot()
    func dot(_ a: [Double], _ i: Int, _ b: [Double], _ j: Int) -> Double {
      (0..<head).reduce(0) { $0 + a[i + $1] * b[j + $1] }
    }
    for (document, length) in lengths.enumerated() {
      for h in 0..<heads {
        let g = h / (heads / groups)
        func at(_ row: Int, _ column: Int) -> Int { (Int(starts[document]) + row) * width + column * head }
        for i in 0..<length {
          let q = at(i, h)
          let o = ((Int(starts[document]) + i) * heads + h) * head
          let scores = (0...i).map { dot(qkv, q, qkv, at($0, heads + g)) * scale }
          let top = scores.max() ?? 0
          let weights = scores.map { exp($0 - top) }
          let sum = weights.reduce(0, +)
          let p = weights.map { $0 / sum }
          let slopes = (0...i).map { dot(dout, o, qkv, at($0, heads + groups + g)) }
          let along = zip(p, slopes).reduce(0) { $0 + $1.0 * $1.1 }
          for j in 0...i {
            let (k, v) = (at(j, heads + g), at(j, heads + groups + g))
            let pull = p[j] * (slopes[j] - along) * scale
            for e in 0..<head {
              out[o + e] += p[j] * qkv[v + e]
              gradient[v + e] += p[j] * dout[o + e]
              gradient[q + e] += pull * qkv[k + e]
              gradient[k + e] += pull * qkv[q + e]
            }
          }
        }
      }
    }
    return (out, gradient)
  }
}
