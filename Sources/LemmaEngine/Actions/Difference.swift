import LemmaBasics

/// One field in which two action documents differ.
public struct Difference: Hashable, Sendable {
  /// The way to the field, such as `with.learning_rate` or `inputs.rows`.
  public var path: String
  /// `nil` when the field was absent.
  public var before: JSON?
  public var after: JSON?
}

extension Difference {
  /// All the fields that differ, in order. Artifacts are compared as wholes.
  public static func between(_ before: JSON, _ after: JSON) -> [Difference] {
    var found: [Difference] = []
    compare(before, after, path: "", into: &found)
    return found
  }

  private static func compare(_ before: JSON?, _ after: JSON?, path: String, into found: inout [Difference]) {
    if before == after { return }
    let isArtifact = before?["xxh3"] != nil || after?["xxh3"] != nil
    if !isArtifact, let old = before?.object, let new = after?.object {
      for key in Set(old.keys).union(new.keys).sorted() {
        compare(old[key], new[key], path: path.isEmpty ? key : "\(path).\(key)", into: &found)
      }
    } else if !isArtifact, let old = before?.array, let new = after?.array, old.count == new.count {
      for index in old.indices { compare(old[index], new[index], path: "\(path)[\(index)]", into: &found) }
    } else {
      found.append(Difference(path: path, before: before, after: after))
    }
  }

  /// One line for people.
  public var text: String {
    let name = path.hasPrefix("inputs.") ? "input '\(path.dropFirst(7))'" : path
    switch (before, after) {
    case (nil, let after?): return "\(name) is new: \(Difference.show(after))"
    case (let before?, nil): return "\(name) is gone, was \(Difference.show(before))"
    case (let before, let after): return "\(name): \(Difference.show(before)) -> \(Difference.show(after))"
    }
  }

  private static func show(_ value: JSON?) -> String {
    guard let value else { return "nothing" }
    if let digest = value["xxh3"]?.string { return String(digest.prefix(12)) }
    let text = value.canonical
    return text.count > 60 ? "\(text.prefix(57))..." : text
  }
}
