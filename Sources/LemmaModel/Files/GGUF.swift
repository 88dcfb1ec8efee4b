import LemmaBasics

/// A GGUF file, version 2 or 3, as a source of weights: metadata and places of tensors are read and checked at once,
/// the tensors when they are asked for.
/// Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md.
public final class GGUF: WeightSource {
  public var path: String { file.path }
  /// All key-value pairs of the file, such as `llama.block_count` and `tokenizer.ggml.tokens`.
  public let metadata: [String: GGUFValue]
  /// Sorted by name; shapes have the slowest dimension first, as in safetensors, where the file has it last.
  public let tensors: [WeightTensor]
  private let file: MappedFile
  private let stored: [String: StoredTensor]

  /// - Throws: `Failure` when any part of what describes the tensors is not in order: counts that the file is too
  ///   short for, names that stand twice, tensors outside of the file or over one another, and so on.
  public init(_ file: MappedFile) throws {
    var reader = GGUFReader(file)
    let counts = try reader.header()
    var metadata: [String: GGUFValue] = [:]
    for _ in 0..<counts.pairs {
      let (key, value) = try reader.pair()
      guard metadata.updateValue(value, forKey: key) == nil else {
        throw reader.refusal("the key '\(key)' stands twice")
      }
    }
    let alignment = try Self.alignment(metadata, reader)
    var infos: [GGUFReader.TensorInfo] = []
    infos.reserveCapacity(counts.tensors)
    for _ in 0..<counts.tensors { infos.append(try reader.tensor()) }
    let start = Self.roundUp(reader.offset, to: alignment)
    var stored: [String: StoredTensor] = [:]
    for info in infos {
      let tensor = try Self.place(info, start: start, alignment: alignment, size: file.bytes.count, reader)
      guard stored.updateValue(tensor, forKey: info.name) == nil else {
        throw reader.refusal("the tensor '\(info.name)' stands twice")
      }
    }
    let sorted = stored.values.sorted { $0.tensor.name < $1.tensor.name }
    try Self.checkCover(of: sorted, start: start, alignment: alignment, size: file.bytes.count, reader)
    self.file = file
    self.metadata = metadata
    self.stored = stored
    tensors = sorted.map(\.tensor)
  }

  public func tensor(_ name: String) -> WeightTensor? { stored[name]?.tensor }

  public func read(_ name: String, into values: UnsafeMutablePointer<Float>) throws {
    guard let found = stored[name] else { throw missing(name) }
    try found.read(from: file, into: values)
  }

  /// Of tensors, in bytes: 32 where the file does not say.
  private static func alignment(_ metadata: [String: GGUFValue], _ reader: GGUFReader) throws -> Int {
    guard let value = metadata["general.alignment"] else { return 32 }
    guard case .unsigned = value, let alignment = value.int, alignment >= 8, alignment <= Int(UInt32.max),
      alignment & (alignment - 1) == 0
    else { throw reader.refusal("its alignment is no power of two from 8 on") }
    return alignment
  }

  /// Far from overflow: what is rounded lies in the file, and an alignment is below 2^32.
  private static func roundUp(_ offset: Int, to alignment: Int) -> Int {
    (offset + alignment - 1) / alignment * alignment
  }

  /// Between tensors and behind the last there is only what alignment asks for.
  private static func checkCover(
    of tensors: [StoredTensor], start: Int, alignment: Int, size: Int, _ reader: GGUFReader
  ) throws {
    var end = start
    for stored in tensors.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
      guard stored.range.lowerBound >= end else {
        throw reader.refusal("'\(stored.tensor.name)' overlaps another tensor")
      }
      guard stored.range.lowerBound - end < alignment else {
        throw reader.refusal("there is a gap before '\(stored.tensor.name)'")
      }
      end = stored.range.upperBound
    }
    guard size <= roundUp(end, to: alignment) else { throw reader.refusal("bytes follow the last tensor") }
  }

  /// Where the tensor stands in the file of `size` bytes.
  private static func place(
    _ info: GGUFReader.TensorInfo, start: Int, alignment: Int, size: Int, _ reader: GGUFReader
  ) throws -> StoredTensor {
    guard let count = info.dimensions.checkedProduct(), let row = info.dimensions.first,
      row % info.type.blockValues == 0
    else { throw reader.refusal("'\(info.name)' has no valid shape for its type \(info.type.name)") }
    let (bytes, overflow) = (count / info.type.blockValues).multipliedReportingOverflow(by: info.type.blockBytes)
    guard !overflow, start <= size, bytes <= size - start, info.offset <= UInt64(size - start - bytes) else {
      throw reader.refusal("'\(info.name)' lies outside the file")
    }
    let place = Int(info.offset)
    guard place % alignment == 0 else {
      throw reader.refusal("'\(info.name)' does not stand at a multiple of \(alignment)")
    }
    let tensor = WeightTensor(
      name: info.name, shape: info.dimensions.reversed(), type: info.type.name, count: count)
    return StoredTensor(
      tensor: tensor, range: start + place..<start + place + bytes, encoding: WeightEncoding(rawValue: info.type.name))
  }
}
