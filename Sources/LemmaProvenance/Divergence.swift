import LemmaBasics
import LemmaHash
import LemmaStore

/// Where two artifacts that should be the same first differ: the file, and in it the tensor, the row or the
/// byte.
public struct Divergence: Sendable {
  public var output: String
  /// Inside a folder; nil for an output that is a file.
  public var file: String?
  /// Such as `tensor 'layers.0.weight'`, `row 3 (id 5f...)` or `byte 17`.
  public var place: String

  var json: JSON {
    ["output": .string(output), "file": file.map(JSON.string) ?? .null, "place": .string(place)]
  }

  /// One line.
  public var text: String { "\(output)\(file.map { ", file '\($0)'" } ?? ""): \(place)" }
}

extension Divergence {
  /// - Parameter place: where the output stands in the workspace, whose name tells its format.
  static func between(
    _ recorded: Artifact, _ made: Artifact, output: String, place: String, store: Store
  ) throws -> Divergence {
    guard recorded.kind == made.kind else {
      return Divergence(output: output, place: "it was a \(recorded.kind.rawValue) and is a \(made.kind.rawValue)")
    }
    guard recorded.kind == .folder else {
      return Divergence(
        output: output, place: try first(recorded.identity, made.identity, name: place, store: store))
    }
    return try folders(recorded, made, output: output, store: store)
  }

  private static func folders(
    _ recorded: Artifact, _ made: Artifact, output: String, store: Store
  ) throws -> Divergence {
    func nodes(_ artifact: Artifact) throws -> [(path: [UInt8], node: Tree.Entry.Node)] {
      try store.tree(artifact.identity).entries.map { (Array($0.path), $0.node) }
    }
    let (before, now) = (try nodes(recorded), try nodes(made))
    for (old, new) in zip(before, now) {
      if old.path != new.path {
        let isGone = old.path.lexicographicallyPrecedes(new.path)
        return Divergence(
          output: output, file: String(decoding: isGone ? old.path : new.path, as: UTF8.self),
          place: isGone ? "it was there and is not" : "it was not there and is")
      }
      if old.node == new.node { continue }
      let name = String(decoding: old.path, as: UTF8.self)
      guard case .file(let oldFile, _) = old.node, case .file(let newFile, _) = new.node, oldFile != newFile else {
        return Divergence(output: output, file: name, place: "it is of another kind")
      }
      return Divergence(
        output: output, file: name, place: try first(oldFile, newFile, name: name, store: store))
    }
    let isGone = before.count > now.count
    let path = (isGone ? before : now)[min(before.count, now.count)].path
    return Divergence(
      output: output, file: String(decoding: path, as: UTF8.self),
      place: isGone ? "it was there and is not" : "it was not there and is")
  }

  private static func first(_ old: Identity, _ new: Identity, name: String, store: Store) throws -> String {
    let (before, now) = (try store.read(old), try store.read(new))
    if name.hasSuffix(".jsonl") { return row(before, now) }
    if name.hasSuffix(".safetensors"), let tensor = tensor(before, now) { return tensor }
    return byte(before, now)
  }

  /// How many elements are the same at the start of both.
  private static func shared<C: Collection>(_ a: C, _ b: C) -> Int where C.Element: Equatable {
    var count = 0
    for (x, y) in zip(a, b) {
      if x != y { break }
      count += 1
    }
    return count
  }

  private static func byte(_ before: [UInt8], _ now: [UInt8]) -> String {
    let common = shared(before, now)
    return "byte \(common) (of \(before.count), now of \(now.count))"
  }

  /// Rows count from 1.
  private static func row(_ before: [UInt8], _ now: [UInt8]) -> String {
    let newline = UInt8(ascii: "\n")
    let (old, new) = (
      before.split(separator: newline, omittingEmptySubsequences: false),
      now.split(separator: newline, omittingEmptySubsequences: false)
    )
    let number = shared(old, new)
    let bytes = number < old.count && !old[number].isEmpty ? old[number] : number < new.count ? new[number] : []
    let id = (try? JSON(parsing: bytes, file: "row"))?["id"]?.string
    return "row \(number + 1)\(id.map { " (id \($0))" } ?? "")"
  }

  // MARK: Tensors

  private struct Tensors {
    /// In the order of their bytes.
    var all: [(name: String, type: JSON, range: Range<Int>)] = []

    /// The safetensors header: its length in 8 bytes, the least significant first, then JSON with offsets into
    /// what follows. `nil` for anything else.
    init?(_ bytes: [UInt8]) {
      guard bytes.count >= 8 else { return nil }
      let length = bytes[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      guard length <= UInt64(bytes.count - 8) else { return nil }
      let data = 8 + Int(length)
      guard let header = (try? JSON(parsing: bytes[8..<data], file: "header"))?.object else { return nil }
      for (name, tensor) in header where name != "__metadata__" {
        guard let from = tensor["data_offsets"]?[0]?.int, let to = tensor["data_offsets"]?[1]?.int,
          from >= 0, from <= to, to <= bytes.count - data
        else { return nil }
        all.append((name, [tensor["dtype"] ?? .null, tensor["shape"] ?? .null], (data + from)..<(data + to)))
      }
      all.sort { ($0.range.lowerBound, $0.name) < ($1.range.lowerBound, $1.name) }
    }
  }

  private static func tensor(_ before: [UInt8], _ now: [UInt8]) -> String? {
    guard let old = Tensors(before), let new = Tensors(now) else { return nil }
    for (old, new) in zip(old.all, new.all) {
      if old.name != new.name { return "tensor '\(old.name)' (now '\(new.name)')" }
      if old.type != new.type { return "tensor '\(old.name)': another type or shape" }
      let common = shared(before[old.range], now[new.range])
      if common < old.range.count || old.range.count != new.range.count {
        return "tensor '\(old.name)', byte \(common) of it"
      }
    }
    if old.all.count != new.all.count { return "\(old.all.count) tensors, now \(new.all.count)" }
    return nil
  }
}
