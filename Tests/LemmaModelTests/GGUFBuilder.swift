import LemmaBasics

@testable import LemmaModel

/// Builds GGUF files byte by byte, and remembers where each length, count, type and offset stands.
struct GGUFBuilder {
  /// A field of the file that a hostile writer could set.
  struct Field {
    var name: String
    var offset: Int
    var width: Int
  }

  private(set) var bytes: [UInt8] = []
  private(set) var fields: [Field] = []

  mutating func integer<T: FixedWidthInteger>(_ value: T, _ name: String? = nil) {
    if let name { fields.append(Field(name: name, offset: bytes.count, width: MemoryLayout<T>.size)) }
    for shift in 0..<MemoryLayout<T>.size { bytes.append(UInt8(truncatingIfNeeded: value >> T(8 * shift))) }
  }

  mutating func string(_ text: String, _ name: String? = nil) {
    integer(UInt64(text.utf8.count), name)
    bytes += text.utf8
  }

  mutating func header(version: UInt32 = 3, tensors: UInt64, pairs: UInt64) {
    bytes += "GGUF".utf8
    integer(version, "version")
    integer(tensors, "tensor count")
    integer(pairs, "pair count")
  }

  mutating func key(_ key: String, type: UInt32) {
    string(key, "length of \(key)")
    integer(type, "type of \(key)")
  }

  mutating func pair(_ key: String, _ text: String) {
    self.key(key, type: 8)
    string(text, "value of \(key)")
  }

  mutating func pair(_ key: String, _ value: UInt32) {
    self.key(key, type: 4)
    integer(value, "value of \(key)")
  }

  mutating func array(_ type: UInt32, count: UInt64, _ name: String? = nil) {
    integer(type, name.map { "type in \($0)" })
    integer(count, name.map { "count of \($0)" })
  }

  /// `dimensions` as the file has them, the fastest first.
  mutating func tensor(_ name: String, _ dimensions: [UInt64], type: UInt32, offset: UInt64) {
    string(name, "length of \(name)")
    integer(UInt32(dimensions.count), "rank of \(name)")
    for (number, dimension) in dimensions.enumerated() { integer(dimension, "dimension \(number) of \(name)") }
    integer(type, "type of \(name)")
    integer(offset, "offset of \(name)")
  }

  mutating func pad(to alignment: Int = 32) {
    bytes += [UInt8](repeating: 0, count: (alignment - bytes.count % alignment) % alignment)
  }

  mutating func data(_ data: [UInt8]) { bytes += data }

  /// A file with every kind of value and two tensors, which ends with its last tensor.
  static func sample(version: UInt32 = 3) -> GGUFBuilder {
    var file = GGUFBuilder()
    file.header(version: version, tensors: 2, pairs: 15)
    file.pair("general.architecture", "llama")
    file.pair("general.alignment", 32)
    file.key("u8", type: 0)
    file.integer(UInt8(200))
    file.key("i8", type: 1)
    file.integer(Int8(-100))
    file.key("u16", type: 2)
    file.integer(UInt16(60_000))
    file.key("i16", type: 3)
    file.integer(Int16(-30_000))
    file.key("i32", type: 5)
    file.integer(Int32(-2_000_000_000))
    file.key("f32", type: 6)
    file.integer(Float(0.1).bitPattern)
    file.key("bool", type: 7)
    file.integer(UInt8(1))
    file.key("u64", type: 10)
    file.integer(UInt64.max)
    file.key("i64", type: 11)
    file.integer(Int64.min)
    file.key("f64", type: 12)
    file.integer(0.1.bitPattern)
    file.key("texts", type: 9)
    file.array(8, count: 2, "texts")
    file.string("a", "first text")
    file.string("日本", "second text")
    file.key("none", type: 9)
    file.array(4, count: 0)
    file.key("nested", type: 9)
    file.array(9, count: 2, "nested")
    file.array(5, count: 2, "inner")
    file.integer(Int32(1))
    file.integer(Int32(-2))
    file.array(5, count: 1)
    file.integer(Int32(3))
    file.tensor("b", [2, 3], type: 0, offset: 0)
    file.tensor("a", [32], type: 8, offset: 32)
    file.pad()
    for value: Float in [1, 2, 3, 4, 5, 6] { file.integer(value.bitPattern) }
    file.pad()
    file.integer(UInt16(0x3800))  // 0.5
    for value in Int8(-16)..<16 { file.integer(value) }
    return file
  }
}

/// Opens bytes as a GGUF file.
func gguf(_ bytes: [UInt8]) throws -> GGUF { try GGUF(MappedFile(copying: bytes, as: "f.gguf")) }

/// What a length, a count or an offset could be set to by somebody who means harm.
let hostileValues: [UInt64] = [
  0, 1, UInt64(bitPattern: -1), 1 << 31, (1 << 32) - 1, 1 << 62, (1 << 63) - 1, (1 << 63), .max - 7, 1 << 61,
]

/// Reads all that a source offers, so that no check is passed over.
func readAll(_ source: some WeightSource) throws {
  for name in source.names {
    _ = try source.shape(of: name)
    do {
      _ = try source.values(of: name)
    } catch let failure as Failure where failure.code == "tensor-type" {
      continue
    }
  }
}
