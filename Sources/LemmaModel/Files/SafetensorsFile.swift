import LemmaBasics

/// One safetensors file as a source of weights; its header is read at once, its tensors when they are asked for.
public final class SafetensorsFile: WeightSource {
  public var path: String { file.path }
  public let tensors: [WeightTensor]
  private let file: MappedFile
  private let stored: [String: StoredTensor]

  /// - Throws: `Failure` when any entry of the header is not in order.
  public init(_ file: MappedFile) throws {
    let found = try Safetensors.scan(file.bytes, file: file.path)
    self.file = file
    tensors = found.map(\.tensor)
    // A key that stands twice has been refused with the header.
    stored = Dictionary(found.map { ($0.tensor.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  public func tensor(_ name: String) -> WeightTensor? { stored[name]?.tensor }

  public func read(_ name: String, into values: UnsafeMutablePointer<Float>) throws {
    guard let found = stored[name] else { throw missing(name) }
    try found.read(from: file, into: values)
  }
}
