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

  private func norm(_ x: [Double], _ norm: ParameterLayout.Norm) -> [Double] {
    let mean = norm.bias == nil ? 0 : x.reduce(0, +) / Double(x.count)
    let x = x.map { $0 - mean }
    let scale = 1 / (x.reduce(0) { $0 + $1 * $1 } / Double(x.count) + model.normEpsilon).squareRoot()
    return x.indices.map { index in
      x[index] * scale * weights[norm.gain + index] + (norm.bias.map { weights[$0 + index] } ?? 0)
    }
  }

  private func project(_ x: [Double], _ matrix: Int, _ outputs: Int, _ bias: Int? = nil) -> [Double] {
    (0..<outputs).map { row in
      var sum = bias.map { weights[$0 + row] } ?? 0
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
    var stream = tokens.enumerated().map { position, token in
      (0..<d).map { index in
        weights[layout.embedding + Int(token) * d + index]
          + (layout.positions.map { weights[$0 + position * d + index] } ?? 0)
      }
    }
    for layer in layout.layers {
      let qkv = stream.enumerated().map { position, x in
        var row = project(norm(x, layer.attentionNorm), layer.attention, model.attentionWidth, layer.attentionBias)
        if model.hasRotaryPositions {
          for head in 0..<model.heads + model.keyValueHeads { rotate(&row, head: head, position: position) }
        }
        return row
      }
      for row in stream.indices {
        let middle = zip(stream[row], project(attend(qkv, row), layer.output, d, layer.outputBias)).map(+)
        let up = project(norm(middle, layer.feedForwardNorm), layer.up, model.upWidth, layer.upBias)
        let active = (0..<f).map { index in
          model.isGated ? up[index] / (1 + exp(-up[index])) * up[f + index] : gelu(up[index])
        }
        stream[row] = zip(middle, project(active, layer.down, d, layer.downBias)).map(+)
      }
    }
    return stream.map { project(norm($0, layout.finalNorm), layout.head, model.vocabularySize) }
  }

  private func gelu(_ x: Double) -> Double {
    0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
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
