import Glibc

@testable import LemmaModel

/// The decoder written out in double with plain loops: what `Network` is measured against.
struct ReferenceDecoder {
  let model: ModelConfiguration
  let layout: ParameterLayout
  var weights: [Double]

  init(_ model: ModelConfiguration, _ parameters: Parameters) {
    self.model = model
    layout = parameters.layout
    weights = (0..<layout.count).map { Double(parameters.values.pointer[$0]) }
  }

  private func norm(_ x: [Double], _ gain: Int) -> [Double] {
    let scale = 1 / (x.reduce(0) { $0 + $1 * $1 } / Double(x.count) + model.normEpsilon).squareRoot()
    return x.indices.map { x[$0] * scale * weights[gain + $0] }
  }

  private func project(_ x: [Double], _ matrix: Int, _ outputs: Int) -> [Double] {
    (0..<outputs).map { row in
      var sum = 0.0
      for i in x.indices { sum += x[i] * weights[matrix + row * x.count + i] }
      return sum
    }
  }

  private func rotate(_ row: inout [Double], head: Int, position: Int) {
    let half = model.headSize / 2
    for i in 0..<half {
      let angle = Double(position) * pow(model.ropeBase, -Double(i) / Double(half))
      let (first, second) = (head * model.headSize + i, head * model.headSize + half + i)
      let (a, b) = (row[first], row[second])
      row[first] = a * cos(angle) - b * sin(angle)
      row[second] = b * cos(angle) + a * sin(angle)
    }
  }

  private func attend(_ qkv: [[Double]], _ row: Int) -> [Double] {
    let size = model.headSize
    var out = [Double](repeating: 0, count: model.queryWidth)
    for h in 0..<model.heads {
      let key = model.queryWidth + h / (model.heads / model.keyValueHeads) * size
      let value = key + model.keyValueHeads * size
      var p = (0...row).map { j in
        exp((0..<size).reduce(0) { $0 + qkv[row][h * size + $1] * qkv[j][key + $1] } / Double(size).squareRoot())
      }
      let sum = p.reduce(0, +)
      p = p.map { $0 / sum }
      for j in 0...row { for e in 0..<size { out[h * size + e] += p[j] * qkv[j][value + e] } }
    }
    return out
  }

  /// The logits of each token of one document.
  func logits(_ tokens: some Collection<Int32>) -> [[Double]] {
    let d = model.hiddenSize
    let f = model.intermediateSize
    var stream = tokens.map { token in (0..<d).map { weights[layout.embedding + Int(token) * d + $0] } }
    for layer in layout.layers {
      let qkv = stream.enumerated().map { position, x in
        var row = project(norm(x, layer.attentionNorm), layer.attention, model.attentionWidth)
        for head in 0..<model.heads + model.keyValueHeads { rotate(&row, head: head, position: position) }
        return row
      }
      for row in stream.indices {
        let middle = zip(stream[row], project(attend(qkv, row), layer.output, d)).map(+)
        let gateUp = project(norm(middle, layer.feedForwardNorm), layer.gateUp, 2 * f)
        let gated = (0..<f).map { gateUp[$0] / (1 + exp(-gateUp[$0])) * gateUp[f + $0] }
        stream[row] = zip(middle, project(gated, layer.down, d)).map(+)
      }
    }
    return stream.map { project(norm($0, layout.finalNorm), layout.embedding, model.vocabularySize) }
  }

  /// The mean loss over the responses' tokens.
  func loss(_ documents: [(tokens: [Int32], responseStart: Int)]) -> Double {
    var losses: [Double] = []
    for document in documents {
      let logits = logits(document.tokens.dropLast())
      for index in max(1, document.responseStart)..<document.tokens.count {
        let row = logits[index - 1]
        losses.append(log(row.reduce(0) { $0 + exp($1) }) - row[Int(document.tokens[index])])
      }
    }
    return losses.reduce(0, +) / Double(losses.count)
  }
}
