import LemmaBasics

/// Steps through the bytes before a GGUF file's tensors. No step goes past their end, nothing is reserved that the
/// bytes left could not fill, and the number of values is bounded.
/// Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md.
struct GGUFReader {
  struct TensorInfo {
    var name: String
    /// As the file has it: the fastest dimension first.
    var dimensions: [Int]
    var type: GGMLType.Layout
    /// From where the tensors' bytes start.
    var offset: UInt64
  }

  /// Arrays in arrays.
  static let depthLimit = 8
  static let pairLimit = 100_000
  /// Values in the metadata's arrays together: the largest vocabularies come to some 1.5 million.
  static let valueLimit = 4_000_000
  static let keyLimit = 65_535

  /// Keeps the bytes where they are.
  private let file: MappedFile
  private let bytes: UnsafeRawBufferPointer
  private(set) var offset = 0
  /// Of arrays, announced by their counts, whether read already or not.
  private var values = 0

  init(_ file: MappedFile) {
    bytes = UnsafeRawBufferPointer(rebasing: file.bytes.prefix(WeightLimits.header))
    self.file = file
  }

  /// How many key-value pairs and tensors there are.
  mutating func header() throws -> (tensors: Int, pairs: Int) {
    guard try integer(UInt32.self) == 0x4655_4747 else { throw refusal("it does not begin with 'GGUF'") }
    let version = try integer(UInt32.self)
    guard version == 2 || version == 3 else {
      throw refusal(
        version.byteSwapped == 2 || version.byteSwapped == 3
          ? "its numbers have their most significant byte first" : "its version is \(version), not 2 or 3")
    }
    // A tensor has at least a name's length, a number of dimensions, one dimension, a type and an offset.
    let tensors = try count(of: "tensors", bytesEach: 32, atMost: WeightLimits.tensors)
    let pairs = try count(of: "key-value pairs", bytesEach: 13, atMost: Self.pairLimit)
    return (tensors, pairs)
  }

  mutating func pair() throws -> (key: String, value: GGUFValue) {
    let key = try string(atMost: Self.keyLimit)
    return (key, try value(of: try integer(UInt32.self), depth: 0))
  }

  mutating func tensor() throws -> TensorInfo {
    let name = try string(atMost: WeightLimits.name)
    let rank = try integer(UInt32.self)
    guard (1...4).contains(rank) else { throw refusal("'\(name)' has \(rank) dimensions, not 1 to 4") }
    var dimensions: [Int] = []
    for _ in 0..<rank {
      guard let dimension = Int(exactly: try integer(UInt64.self)), dimension > 0 else {
        throw refusal("'\(name)' has no valid shape")
      }
      dimensions.append(dimension)
    }
    let number = try integer(UInt32.self)
    guard let type = GGMLType.layout(of: number) else { throw refusal("'\(name)' is of the unknown type \(number)") }
    return TensorInfo(name: name, dimensions: dimensions, type: type, offset: try integer(UInt64.self))
  }

  func refusal(_ message: String) -> Failure {
    Failure(.user, "gguf", "not a GGUF file that Lemma reads: \(message)", at: Position(file: file.path))
  }

  // MARK: Values

  private mutating func value(of type: UInt32, depth: Int) throws -> GGUFValue {
    switch type {
    case 0: return .unsigned(UInt64(try integer(UInt8.self)))
    case 1: return .signed(Int64(try integer(Int8.self)))
    case 2: return .unsigned(UInt64(try integer(UInt16.self)))
    case 3: return .signed(Int64(try integer(Int16.self)))
    case 4: return .unsigned(UInt64(try integer(UInt32.self)))
    case 5: return .signed(Int64(try integer(Int32.self)))
    case 6: return .number(Double(Float(bitPattern: try integer(UInt32.self))))
    case 7:
      let byte = try integer(UInt8.self)
      guard byte < 2 else { throw refusal("a boolean is \(byte), not 0 or 1") }
      return .bool(byte == 1)
    case 8: return .string(try string(atMost: .max))
    case 9: return .array(try array(depth: depth))
    case 10: return .unsigned(try integer(UInt64.self))
    case 11: return .signed(try integer(Int64.self))
    case 12: return .number(Double(bitPattern: try integer(UInt64.self)))
    default: throw refusal("its metadata has a value of the unknown type \(type)")
    }
  }

  private mutating func array(depth: Int) throws -> [GGUFValue] {
    guard depth < Self.depthLimit else { throw refusal("its metadata has arrays in more than \(depth) arrays") }
    let type = try integer(UInt32.self)
    guard let size = Self.leastBytes(of: type) else { throw refusal("an array is of the unknown type \(type)") }
    let count = try count(of: "values", bytesEach: size, atMost: Self.valueLimit - values)
    values += count
    var elements: [GGUFValue] = []
    elements.reserveCapacity(count)
    for _ in 0..<count { elements.append(try value(of: type, depth: depth + 1)) }
    return elements
  }

  private static func leastBytes(of type: UInt32) -> Int? {
    switch type {
    case 0, 1, 7: 1
    case 2, 3: 2
    case 4, 5, 6: 4
    case 8, 10, 11, 12: 8
    case 9: 12
    default: nil
    }
  }

  // MARK: Bytes

  private var left: Int { bytes.count - offset }

  private mutating func integer<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type) throws -> T {
    guard left >= MemoryLayout<T>.size else { throw refusal("it ends before its tensors") }
    defer { offset += MemoryLayout<T>.size }
    return T(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: T.self))
  }

  private mutating func count(of what: String, bytesEach size: Int, atMost limit: Int) throws -> Int {
    let count = try integer(UInt64.self)
    guard count <= UInt64(left / size) else { throw refusal("it is too short for \(count) \(what)") }
    guard count <= UInt64(limit) else { throw refusal("\(count) \(what) are too many") }
    return Int(count)
  }

  private mutating func string(atMost limit: Int) throws -> String {
    let length = try integer(UInt64.self)
    guard length <= UInt64(left) else { throw refusal("it is too short for a text of \(length) bytes") }
    guard length <= UInt64(limit) else { throw refusal("a name of \(length) bytes is too long") }
    let text = UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + Int(length)])
    guard let string = String(validating: text, as: UTF8.self) else { throw refusal("a text is not valid UTF-8") }
    offset += Int(length)
    return string
  }
}
