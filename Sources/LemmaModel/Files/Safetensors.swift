import LemmaBasics

/// The safetensors format: eight bytes of header length, a JSON header, then the tensors' bytes. Only 32-bit floats.
/// Format: https://github.com/huggingface/safetensors, "Format".
enum Safetensors {
  struct Tensor {
    var shape: [Int]
    /// Of its bytes in the file.
    var range: Range<Int>
  }

  /// The longest header that is read.
  static let headerLimit = 100_000_000

  /// The file's bytes; tensors are laid in the order given, the header's keys sorted.
  static func encode(_ tensors: [(name: String, shape: [Int], bytes: UnsafeRawBufferPointer)]) -> [UInt8] {
    var header: [String: JSON] = ["__metadata__": ["format": "pt"]]
    var offset = 0
    for tensor in tensors {
      let end = offset + tensor.bytes.count
      header[tensor.name] = [
        "dtype": "F32", "shape": .array(tensor.shape.map { JSON($0) }), "data_offsets": [JSON(offset), JSON(end)],
      ]
      offset = end
    }
    var text = JSON.object(header).canonicalBytes
    text += repeatElement(UInt8(ascii: " "), count: (8 - text.count % 8) % 8)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(8 + text.count + offset)
    for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: text.count >> (8 * shift))) }
    bytes += text
    for tensor in tensors { bytes += tensor.bytes }
    return bytes
  }

  /// The tensors of a file. Every offset is checked: tensors lie inside the file, fill it, and do not overlap.
  /// - Throws: `Failure` for anything else.
  static func decode(_ bytes: [UInt8], file: String) throws -> [String: Tensor] {
    func refuse(_ message: String) -> Failure {
      Failure(.user, "safetensors", "not a safetensors file that Lemma reads: \(message)", at: Position(file: file))
    }
    guard bytes.count >= 8 else { throw refuse("it ends before its header") }
    var length: UInt64 = 0
    for shift in 0..<8 { length |= UInt64(bytes[shift]) << UInt64(8 * shift) }
    guard length <= UInt64(min(headerLimit, bytes.count - 8)) else { throw refuse("its header is too long") }
    let start = 8 + Int(length)
    guard bytes.count == 8 || bytes[8] == UInt8(ascii: "{") else { throw refuse("its header is not a mapping") }
    let header = try bytes.withUnsafeBufferPointer {
      try JSON(parsing: UnsafeBufferPointer(rebasing: $0[8..<start]), file: file)
    }
    var tensors: [String: Tensor] = [:]
    for (name, entry) in (header.object ?? [:]).sorted(by: { $0.key < $1.key }) where name != "__metadata__" {
      guard let dtype = entry["dtype"]?.string, let shape = entry["shape"]?.array,
        let offsets = entry["data_offsets"]?.array, offsets.count == 2, let from = offsets[0].int,
        let to = offsets[1].int
      else { throw refuse("the entry of '\(name)' is incomplete") }
      guard dtype == "F32" else { throw refuse("'\(name)' is of type \(dtype), not F32") }
      guard from >= 0, from <= to, to <= bytes.count - start else {
        throw refuse("'\(name)' lies outside the file")
      }
      var size = 4
      var sizes: [Int] = []
      for dimension in shape {
        guard let dimension = dimension.int, dimension >= 0 else { throw refuse("'\(name)' has no valid shape") }
        let (product, overflow) = size.multipliedReportingOverflow(by: dimension)
        guard !overflow else { throw refuse("'\(name)' has no valid shape") }
        size = product
        sizes.append(dimension)
      }
      guard size == to - from else { throw refuse("'\(name)' has not the size of its shape") }
      tensors[name] = Tensor(shape: sizes, range: start + from..<start + to)
    }
    var end = start
    for (name, tensor) in tensors.sorted(by: {
      ($0.value.range.lowerBound, $0.key) < ($1.value.range.lowerBound, $1.key)
    })
    where !tensor.range.isEmpty {
      guard tensor.range.lowerBound == end else { throw refuse("'\(name)' overlaps another tensor, or leaves a gap") }
      end = tensor.range.upperBound
    }
    guard end == bytes.count else { throw refuse("bytes follow the last tensor") }
    return tensors
  }
}
