import LemmaBasics

/// The safetensors format: eight bytes of header length, a JSON header, then the tensors' bytes. What is here reads a
/// header and checks every offset in it.
/// Format: https://github.com/huggingface/safetensors, "Format".
public enum Safetensors {
  struct Tensor {
    var shape: [Int]
    /// Of its bytes in the file.
    var range: Range<Int>
  }

  /// Bits of a number. Types that are not here are passed over until such a tensor is read.
  private static let widths: [String: Int] = [
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "U16": 16, "I16": 16, "F16": 16,
    "BF16": 16, "U32": 32, "I32": 32, "F32": 32, "U64": 64, "I64": 64, "F64": 64, "C64": 64,
  ]

  /// Values of all kinds in a header: a tensor's entry has nine, and one more for each dimension.
  private static let valueLimit = 20 * WeightLimits.tensors

  /// The tensors of a file of 32-bit floats. Every offset is checked: tensors lie inside the file, fill it, and do not
  /// overlap.
  /// - Throws: `Failure` for anything else.
  static func decode(_ bytes: [UInt8], file: String) throws -> [String: Tensor] {
    let found = try bytes.withUnsafeBytes { try scan($0, file: file) }
    var tensors: [String: Tensor] = [:]
    for stored in found {
      guard stored.encoding == .f32 else {
        throw refusal("'\(stored.tensor.name)' is of type \(stored.tensor.type), not F32", file)
      }
      tensors[stored.tensor.name] = Tensor(shape: stored.tensor.shape, range: stored.range)
    }
    return tensors
  }

  /// The tensors of a file, sorted by name. Ranges are those of bytes in the file: they lie inside it behind the
  /// header, fill it, and do not overlap.
  /// - Throws: `Failure` for anything else.
  static func scan(_ bytes: UnsafeRawBufferPointer, file: String) throws -> [StoredTensor] {
    let (header, start) = try header(of: bytes, file: file)
    guard let members = header.object else { throw refusal("its header is not a mapping", file) }
    guard members.count <= WeightLimits.tensors else { throw refusal("it has too many tensors", file) }
    let tensors = try members.filter { $0.key != "__metadata__" }.sorted { $0.key < $1.key }.map { name, entry in
      try tensor(name, entry, start: start, end: bytes.count, file: file)
    }
    var end = start
    for stored in tensors.sorted(by: { ($0.range.lowerBound, $0.tensor.name) < ($1.range.lowerBound, $1.tensor.name) })
    where !stored.range.isEmpty {
      guard stored.range.lowerBound == end else {
        throw refusal("'\(stored.tensor.name)' overlaps another tensor, or leaves a gap", file)
      }
      end = stored.range.upperBound
    }
    guard end == bytes.count else { throw refusal("bytes follow the last tensor", file) }
    return tensors
  }

  private static func refusal(_ message: String, _ file: String) -> Failure {
    Failure(.user, "safetensors", "not a safetensors file that Lemma reads: \(message)", at: Position(file: file))
  }

  /// The header, and where the tensors' bytes start.
  private static func header(of bytes: UnsafeRawBufferPointer, file: String) throws -> (JSON, start: Int) {
    guard bytes.count >= 8 else { throw refusal("it ends before its header", file) }
    let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    guard length <= UInt64(min(WeightLimits.header, bytes.count - 8)) else {
      throw refusal("its header is too long", file)
    }
    let start = 8 + Int(length)
    guard bytes.count == 8 || bytes[8] == UInt8(ascii: "{") else { throw refusal("its header is not a mapping", file) }
    let text = UnsafeRawBufferPointer(rebasing: bytes[8..<start]).assumingMemoryBound(to: UInt8.self)
    return (try JSON(parsing: text, file: file, atMost: valueLimit), start)
  }

  private static func tensor(_ name: String, _ entry: JSON, start: Int, end: Int, file: String) throws -> StoredTensor {
    guard name.utf8.count <= WeightLimits.name else { throw refusal("a tensor's name is too long", file) }
    guard let type = entry["dtype"]?.string, let dimensions = entry["shape"]?.array,
      let offsets = entry["data_offsets"]?.array, offsets.count == 2, let from = offsets[0].int, let to = offsets[1].int
    else { throw refusal("the entry of '\(name)' is incomplete", file) }
    guard type.utf8.count <= WeightLimits.name else { throw refusal("the type of '\(name)' is too long", file) }
    guard from >= 0, from <= to, to <= end - start else { throw refusal("'\(name)' lies outside the file", file) }
    let shape = dimensions.compactMap(\.int)
    guard shape.count == dimensions.count, let count = shape.checkedProduct() else {
      throw refusal("'\(name)' has no valid shape", file)
    }
    // A type that is not known takes a bit at least.
    let (bits, overflow) = count.multipliedReportingOverflow(by: widths[type] ?? 1)
    guard !overflow, bits / 8 == to - from || widths[type] == nil && bits / 8 < to - from else {
      throw refusal("'\(name)' has not the size of its shape", file)
    }
    return StoredTensor(
      tensor: WeightTensor(name: name, shape: shape, type: type, count: count), range: start + from..<start + to,
      encoding: ["F32", "F16", "BF16"].contains(type) ? WeightEncoding(rawValue: type) : nil)
  }
}
