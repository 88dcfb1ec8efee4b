import LemmaBasics

/// Scalars over steps as an event file that TensorBoard shows. An event's time is its step in seconds, so that the same
/// training gives the same bytes; a chart over relative time is then one over steps.
/// Formats: TFRecord (https://www.tensorflow.org/tutorials/load_data/tfrecord) of `Event` messages (`event.proto`).
struct EventFile {
  private(set) var bytes: [UInt8] = []

  /// What TensorBoard looks for in a file's name.
  static let name = "events.out.tfevents.0000000000.lemma"

  init() {
    var event = Message()
    event.add(3, "brain.Event:2")
    append(event)
  }

  mutating func add(step: Int, _ scalars: [(tag: String, value: Double)]) {
    var summary = Message()
    for scalar in scalars {
      var value = Message()
      value.add(1, scalar.tag)
      value.add(2, Float(scalar.value))
      summary.add(1, value.bytes)
    }
    var event = Message()
    event.add(1, Double(step))
    event.add(2, UInt64(step))
    event.add(5, summary.bytes)
    append(event)
  }

  /// A record is its length, that length's checksum, the bytes, and their checksum.
  private mutating func append(_ event: Message) {
    let length = littleEndian(UInt64(event.bytes.count))
    bytes += length + littleEndian(masked(length)) + event.bytes + littleEndian(masked(event.bytes))
  }

  private func masked(_ bytes: [UInt8]) -> UInt32 {
    let sum = Self.crc32c(bytes)
    return (sum >> 15 | sum << 17) &+ 0xA282_EAD8
  }

  /// CRC-32C (Castagnoli), RFC 3720, appendix B.4.
  static func crc32c(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(~0 as UInt32) { sum, byte in
      (0..<8).reduce(sum ^ UInt32(byte)) { sum, _ in sum & 1 == 1 ? sum >> 1 ^ 0x82F6_3B78 : sum >> 1 }
    }
  }

  /// The fields of a protocol-buffer message: https://protobuf.dev/programming-guides/encoding/
  private struct Message {
    private(set) var bytes: [UInt8] = []

    private mutating func varint(_ value: UInt64) {
      var rest = value
      while rest >= 0x80 {
        bytes.append(UInt8(rest & 0x7F) | 0x80)
        rest >>= 7
      }
      bytes.append(UInt8(rest))
    }

    private mutating func key(_ field: UInt64, _ wire: UInt64) { varint(field << 3 | wire) }

    mutating func add(_ field: UInt64, _ value: UInt64) {
      key(field, 0)
      varint(value)
    }

    mutating func add(_ field: UInt64, _ value: Double) {
      key(field, 1)
      bytes += littleEndian(value.bitPattern)
    }

    mutating func add(_ field: UInt64, _ value: [UInt8]) {
      key(field, 2)
      varint(UInt64(value.count))
      bytes += value
    }

    mutating func add(_ field: UInt64, _ value: String) { add(field, Array(value.utf8)) }

    mutating func add(_ field: UInt64, _ value: Float) {
      key(field, 5)
      bytes += littleEndian(value.bitPattern)
    }
  }
}

private func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
  withUnsafeBytes(of: value.littleEndian) { Array($0) }
}
