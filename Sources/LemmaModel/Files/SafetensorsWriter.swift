import LemmaBasics

/// Writing safetensors: a file, or shards with their index as Hugging Face names them. Always 32-bit floats; tensors
/// are laid in the order given, the header's keys sorted, so that the same tensors give the same bytes.
extension Safetensors {
  /// What stands in a file's header.
  public struct Entry: Sendable {
    public let name: String
    public let shape: [Int]
    /// Bytes of its values.
    let size: Int

    /// - Precondition: no dimension is negative, and memory could hold the tensor.
    public init(name: String, shape: [Int]) {
      guard let size = shape.checkedProduct(times: 4) else { preconditionFailure("no tensor has the shape \(shape)") }
      self.name = name
      self.shape = shape
      self.size = size
    }
  }

  static let fileName = "model.safetensors"
  static let indexName = "model.safetensors.index.json"

  /// The file's bytes.
  static func encode(_ tensors: [(name: String, shape: [Int], bytes: UnsafeRawBufferPointer)]) -> [UInt8] {
    var bytes = header(of: tensors.map { (Entry(name: $0.name, shape: $0.shape)) })
    bytes.reserveCapacity(bytes.count + tensors.reduce(0) { $0 + $1.bytes.count })
    for tensor in tensors { bytes += tensor.bytes }
    return bytes
  }

  /// Writes a file, one tensor after the other.
  /// - Parameter values: gives the float32 values of the entry with that number, least significant byte first; they are
  ///   asked for in order and written before the next are asked for.
  /// - Throws: `Failure` when the disk refuses, and what `values` throws; nothing is left then.
  public static func write(
    _ entries: [Entry], to path: String, durable: Bool = false, values: (Int) throws -> UnsafeRawBufferPointer
  ) throws {
    try write(entries, numbers: entries.indices, to: path, durable: durable, values: values)
  }

  /// Writes a model into a folder: `model.safetensors`, or where that would have more than `limit` bytes of values,
  /// shards of at most so many each (but of one tensor at least) and then `model.safetensors.index.json`. What an
  /// earlier model left of such files is removed.
  /// - Parameter values: as above.
  /// - Throws: `Failure` when the disk refuses, and what `values` throws.
  public static func write(
    _ entries: [Entry], inFolder folder: String, shardsOfAtMost limit: Int, durable: Bool = false,
    values: (Int) throws -> UnsafeRawBufferPointer
  ) throws {
    let shards = shards(of: entries, limit: limit)
    let names =
      shards.count == 1
      ? [fileName] : (1...shards.count).map { "model-\(digits($0))-of-\(digits(shards.count)).safetensors" }
    for (name, numbers) in zip(names, shards) {
      try write(entries, numbers: numbers, to: "\(folder)/\(name)", durable: durable, values: values)
    }
    var kept = Set(names)
    if shards.count > 1 {
      var map: [String: JSON] = [:]
      for (name, numbers) in zip(names, shards) {
        for number in numbers { map[entries[number].name] = .string(name) }
      }
      let total = entries.reduce(0) { $0 + $1.size }
      let index: JSON = ["metadata": ["total_size": JSON(total)], "weight_map": .object(map)]
      try Files.write(index.pretty.utf8, to: "\(folder)/\(indexName)", durable: durable)
      kept.insert(indexName)
    }
    for name in try Files.list(folder) where isOwn(name) && !kept.contains(name) {
      try Files.remove("\(folder)/\(name)")
    }
  }

  private static func write(
    _ entries: [Entry], numbers: Range<Int>, to path: String, durable: Bool,
    values: (Int) throws -> UnsafeRawBufferPointer
  ) throws {
    try Files.write(to: path, durable: durable) { descriptor, path in
      try Files.writeAll(header(of: entries[numbers]), to: descriptor, path: path)
      for number in numbers {
        let bytes = try values(number)
        precondition(bytes.count == entries[number].size, "'\(entries[number].name)' has not the size of its shape")
        try Files.writeAll(bytes, to: descriptor, path: path)
      }
    }
  }

  /// The length of the header and the header, up to the first tensor's bytes.
  private static func header(of entries: some Sequence<Entry>) -> [UInt8] {
    var header: [String: JSON] = ["__metadata__": ["format": "pt"]]
    var offset = 0
    for entry in entries {
      let end = offset + entry.size
      header[entry.name] = [
        "dtype": "F32", "shape": .array(entry.shape.map { JSON($0) }), "data_offsets": [JSON(offset), JSON(end)],
      ]
      offset = end
    }
    var text = JSON.object(header).canonicalBytes
    text += repeatElement(UInt8(ascii: " "), count: (8 - text.count % 8) % 8)
    return (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) } + text
  }

  /// The entries of each shard, in order; one shard at least.
  private static func shards(of entries: [Entry], limit: Int) -> [Range<Int>] {
    var shards: [Range<Int>] = []
    var start = 0
    var size = 0
    for (number, entry) in entries.enumerated() {
      if number > start, entry.size > limit - size {
        shards.append(start..<number)
        start = number
        size = 0
      }
      size += entry.size
    }
    return shards + [start..<entries.count]
  }

  private static func digits(_ number: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, 5 - text.utf8.count)) + text
  }

  /// Whether a file of that name is one that `write(_:inFolder:...)` could have written.
  private static func isOwn(_ name: String) -> Bool {
    if name == fileName || name == indexName { return true }
    let words = name.split(separator: "-", omittingEmptySubsequences: false)
    guard words.count == 4, words[0] == "model", words[2] == "of", words[3].hasSuffix(".safetensors") else {
      return false
    }
    return [words[1], words[3].dropLast(".safetensors".count)].allSatisfy { word in
      word.utf8.count >= 5 && word.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
  }
}
