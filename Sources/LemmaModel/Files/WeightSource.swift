import LemmaBasics

/// A file or folder that holds a model's tensors, whatever its format: their names, their shapes, and their values
/// as float32. What a tensor is for, it does not know.
public protocol WeightSource: Sendable {
  /// The file or folder, for messages.
  var path: String { get }
  /// All tensors, sorted by name.
  var tensors: [WeightTensor] { get }
  /// The tensor of that name, or nil.
  func tensor(_ name: String) -> WeightTensor?
  /// Writes all values of a tensor, in row-major order, to memory for `shape`'s product of them. Several threads may
  /// read at once.
  /// - Throws: `Failure` when there is no such tensor or its numbers are of a type that is not read.
  func read(_ name: String, into values: UnsafeMutablePointer<Float>) throws
}

extension WeightSource {
  /// The names, sorted.
  public var names: [String] { tensors.map(\.name) }

  /// The shape of a tensor, the slowest dimension first.
  /// - Throws: `Failure` when there is no such tensor.
  public func shape(of name: String) throws -> [Int] { try require(name).shape }

  /// All values of a tensor, in row-major order.
  /// - Throws: `Failure` when there is no such tensor or its numbers are of a type that is not read.
  public func values(of name: String) throws -> [Float] {
    let count = try require(name).count
    return try [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      if let start = buffer.baseAddress { try read(name, into: start) }
      initialized = count
    }
  }

  private func require(_ name: String) throws -> WeightTensor {
    guard let tensor = tensor(name) else { throw missing(name) }
    return tensor
  }

  func missing(_ name: String) -> Failure {
    Failure(
      .user, "no-such-tensor", "there is no tensor '\(name)'", at: Position(file: path),
      hint: nearest(to: name, among: names).map { "did you mean '\($0)'?" })
  }
}

/// What a model file says of a tensor.
public struct WeightTensor: Hashable, Sendable {
  public let name: String
  /// The slowest dimension first; no product of dimensions is beyond an `Int`.
  public let shape: [Int]
  /// The type of the stored numbers, as its format names it.
  public let type: String
  /// How many values, the product of the shape.
  public let count: Int
}

/// What model files may claim at most.
enum WeightLimits {
  static let tensors = 100_000
  /// Bytes before the first tensor's.
  static let header = 100_000_000
  /// Bytes of a tensor's name.
  static let name = 1024
}

extension Sequence<Int> {
  /// The product, or nil when a factor is negative or a product on the way is beyond an `Int`.
  func checkedProduct(times factor: Int = 1) -> Int? {
    var product = factor
    for element in self {
      let (next, overflow) = product.multipliedReportingOverflow(by: element)
      if element < 0 || overflow { return nil }
      product = next
    }
    return product
  }
}

/// Where the values of a tensor stand in a mapped file, and how they are widened.
struct StoredTensor: Sendable {
  let tensor: WeightTensor
  /// Of its bytes in the file; a whole number of blocks.
  let range: Range<Int>
  /// Nil for numbers that are not read.
  let encoding: WeightEncoding?

  /// - Precondition: `range` lies inside the file.
  func read(from file: MappedFile, into values: UnsafeMutablePointer<Float>) throws {
    guard let encoding else {
      throw Failure(
        .user, "tensor-type", "'\(tensor.name)' is of type \(tensor.type), which Lemma does not read",
        at: Position(file: file.path), hint: "Lemma reads \(WeightEncoding.names)")
    }
    guard let start = file.bytes.baseAddress, !range.isEmpty else { return }
    encoding.widen(
      range.count / encoding.blockBytes, (start + range.lowerBound).assumingMemoryBound(to: UInt8.self), values)
  }
}
