import CKernels

/// Low-rank adapters of every matrix of a network's layers. The network itself sees only merged weights,
/// W + scale B A; what it finds as their gradients is turned into those of A and B.
final class Adapters {
  private struct Place {
    var tensor: ParameterLayout.Tensor
    /// [rank, inputs] and [outputs, rank] in `values`.
    var a: Int
    var b: Int
    var outputs: Int
    var inputs: Int
  }

  let values: Floats
  let gradients: Floats
  private let rank: Int
  private let scale: Float
  private let places: [Place]
  private let base: Parameters
  /// B times the scale, or A's and B's pieces on their way.
  private let scratch: Floats
  private let pool: KernelPool

  /// New adapters: A is normal numbers of (seed, matrix, element), B is 0, so that nothing changes at first.
  /// - Parameter pool: in float32, whatever the network computes in.
  init(_ base: Parameters, _ configuration: AdapterConfiguration, seed: UInt64, pool: KernelPool) throws {
    self.base = base
    self.pool = pool
    (rank, scale) = (configuration.rank, configuration.scale)
    var next = 0
    var places: [Place] = []
    // Files name the matrices one by one; embeddings and the output projection are not among them.
    for tensor in base.layout.tensors where tensor.shape.count == 2 && Adapters.isInLayer(tensor, base.layout) {
      let (outputs, inputs) =
        tensor.isTransposed ? (tensor.shape[1], tensor.shape[0]) : (tensor.shape[0], tensor.shape[1])
      places.append(
        Place(tensor: tensor, a: next, b: next + rank * inputs, outputs: outputs, inputs: inputs))
      next += rank * (inputs + outputs)
    }
    self.places = places
    values = try Floats(next)
    gradients = try Floats(next)
    scratch = try Floats((places.map(\.outputs).max() ?? 0) * rank)
    for (index, place) in places.enumerated() {
      // The deviation of an even spread between -1 and 1 over the root of the inputs.
      let deviation = Float(1 / (3 * Double(place.inputs)).squareRoot())
      lemma_fill_normal(seed, UInt64(index) | 1 << 62, rank * place.inputs, deviation, values.pointer + place.a)
    }
  }

  /// How many numbers adapters of this rank have.
  static func count(_ layout: ParameterLayout, rank: Int) -> Int {
    layout.tensors.reduce(0) { sum, tensor in
      tensor.shape.count == 2 && isInLayer(tensor, layout) ? sum + rank * (tensor.shape[0] + tensor.shape[1]) : sum
    }
  }

  private static func isInLayer(_ tensor: ParameterLayout.Tensor, _ layout: ParameterLayout) -> Bool {
    layout.layers.first.map { tensor.offset >= $0.attention } ?? false && tensor.offset < layout.matrixCount
  }

  private func scaled(_ place: Place) {
    for index in 0..<place.outputs * rank { scratch.pointer[index] = scale * values.pointer[place.b + index] }
  }

  /// weights = base + scale B A
  func merge(into weights: Parameters) {
    for place in places {
      scaled(place)
      var product = lemma_product(
        m: place.outputs, n: place.inputs, k: rank, a: scratch.pointer, lda: rank, b: values.pointer + place.a,
        ldb: place.inputs, c0: base.values.pointer + place.tensor.offset, ld0: place.inputs,
        c: weights.values.pointer + place.tensor.offset, stored: nil, ldc: place.inputs)
      lemma_product_nn(pool.handle, &product)
    }
  }

  /// dA = scale B^T dW, dB = scale dW A^T
  func project(_ slopes: Floats) {
    for place in places {
      let slope = slopes.pointer + place.tensor.offset
      scaled(place)
      var product = lemma_product(
        m: rank, n: place.inputs, k: place.outputs, a: scratch.pointer, lda: rank, b: slope, ldb: place.inputs,
        c0: nil, ld0: 0, c: gradients.pointer + place.a, stored: nil, ldc: place.inputs)
      lemma_product_tn(pool.handle, &product)
      let b = gradients.pointer + place.b
      product = lemma_product(
        m: place.outputs, n: rank, k: place.inputs, a: slope, lda: place.inputs, b: values.pointer + place.a,
        ldb: place.inputs, c0: nil, ld0: 0, c: b, stored: nil, ldc: rank)
      lemma_product_nt(pool.handle, &product)
      for index in 0..<place.outputs * rank { b[index] *= scale }
    }
  }
}
