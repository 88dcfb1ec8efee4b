import LemmaBasics

/// The weights of a Hugging Face folder: `model.safetensors`, or the shards that `model.safetensors.index.json` names.
public final class TensorFolder: WeightSource {
  public let path: String
  public let tensors: [WeightTensor]
  private let shards: [SafetensorsFile]
  /// Numbers of shards by tensor.
  private let places: [String: Int]

  /// The most files that one model may have.
  static let shardLimit = 1000

  /// Where there is both a single file and an index, the single file counts, as it does for `transformers`.
  /// - Throws: `Failure` when neither is there, and for a damaged file, a shard that is missing or outside of the
  ///   folder, or a tensor that does not stand in the one shard that the index says.
  public init(_ folder: String) throws {
    path = folder
    let single = "\(folder)/\(Safetensors.fileName)"
    let index = "\(folder)/\(Safetensors.indexName)"
    guard Files.exists(single) || Files.exists(index) else {
      throw Failure(
        .user, "no-weights", "there is neither '\(Safetensors.fileName)' nor '\(Safetensors.indexName)'",
        at: Position(file: folder))
    }
    if Files.exists(single) {
      shards = [try SafetensorsFile(MappedFile(single))]
      places = [:]
      tensors = shards[0].tensors
      return
    }
    let map = try Self.shardNames(of: try MappedFile(index))
    let names = Set(map.values).sorted()
    guard names.count <= Self.shardLimit else {
      throw Failure(.user, "weight-index", "it names more than \(Self.shardLimit) files", at: Position(file: index))
    }
    var places: [String: Int] = [:]
    // One after the other: of a folder that is not in order, no more is kept than its index may name.
    shards = try names.enumerated().map { number, name in
      let shard = try Self.shard(name, of: folder, by: map, index: index)
      for tensor in shard.tensors { places[tensor.name] = number }
      return shard
    }
    for name in map.keys.sorted() where places[name] == nil {
      throw Failure(
        .user, "weight-index", "'\(name)' does not stand in '\(map[name] ?? "")', where the index has it",
        at: Position(file: index))
    }
    self.places = places
    tensors = shards.flatMap(\.tensors).sorted { $0.name < $1.name }
  }

  public func tensor(_ name: String) -> WeightTensor? { shards[places[name] ?? 0].tensor(name) }

  public func read(_ name: String, into values: UnsafeMutablePointer<Float>) throws {
    guard tensor(name) != nil else { throw missing(name) }
    try shards[places[name] ?? 0].read(name, into: values)
  }

  /// The shard of each tensor, from an index; the names are plain names of files.
  /// - Throws: `Failure` for anything else.
  public static func shardNames(of index: MappedFile) throws -> [String: String] {
    func refuse(_ message: String) -> Failure {
      Failure(.user, "weight-index", "not an index of weights: \(message)", at: Position(file: index.path))
    }
    guard index.bytes.count <= WeightLimits.header else { throw refuse("it is too long") }
    let json = try JSON(
      parsing: index.bytes.assumingMemoryBound(to: UInt8.self), file: index.path, atMost: 2 * WeightLimits.tensors)
    guard let map = json["weight_map"]?.object, !map.isEmpty else { throw refuse("it has no 'weight_map'") }
    guard map.count <= WeightLimits.tensors else { throw refuse("it has too many tensors") }
    return try map.mapValues { value in
      guard let name = value.string else { throw refuse("a shard is named by a text, not by a \(value.typeName)") }
      guard name.utf8.count <= 255, name.hasSuffix(".safetensors"), !name.utf8.contains(UInt8(ascii: "/")),
        !name.utf8.contains(0)
      else { throw refuse("'\(name.prefix(255))' is not the name of a safetensors file in its folder") }
      return name
    }
  }

  /// A shard with those tensors only that the index has in it.
  private static func shard(
    _ name: String, of folder: String, by map: [String: String], index: String
  ) throws -> SafetensorsFile {
    guard Files.exists("\(folder)/\(name)") else {
      throw Failure(.user, "no-such-file", "its shard '\(name)' is missing", at: Position(file: index))
    }
    let shard = try SafetensorsFile(MappedFile("\(folder)/\(name)"))
    for tensor in shard.tensors {
      guard let named = map[tensor.name], isSame(named, name) else {
        throw Failure(
          .user, "weight-index", "'\(tensor.name)' stands in '\(name)', which is not what the index says",
          at: Position(file: index))
      }
    }
    return shard
  }
}
