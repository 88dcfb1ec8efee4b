import LemmaBasics
import LemmaPipeline

/// What a traced stage used beside what it declares, sorted by path.
public struct TraceReport: Sendable {
  public var stage: String
  /// Files and folders of the project, relative to it.
  public var projectReads: [String] = []
  /// Files and folders elsewhere, absolute.
  public var otherReads: [String] = []
  /// What it looked for where nothing stands; relative in the project, else absolute.
  public var absent: [String] = []
  /// What it made, changed or removed outside of its own folder.
  public var writes: [String] = []
  /// How the stage failed under the trace, if it did.
  public var failure: Failure?
  /// Whether the outputs were those of the recorded result; nil when there is none, or no outputs.
  public var isRepeated: Bool?

  /// Names to declare the reads by: inputs by name, with what stands for each in `in:`.
  public private(set) var inputs: [(name: String, value: String)] = []
  /// The sources that these need.
  public private(set) var sources: [(name: String, path: String)] = []

  init(stage: Stage) {
    self.stage = stage.id
    taken = Set(stage.inputs.map(\.name))
  }

  private var taken: Set<String>

  /// Finds a name for everything that can be declared.
  mutating func name() {
    for path in projectReads { inputs.append((freshName(for: path), path)) }
    for path in otherReads {
      let name = freshName(for: path)
      sources.append((name, path))
      inputs.append((name, "${sources.\(name)}"))
    }
  }

  /// The last parts of a path as a name, as few as make it new.
  private mutating func freshName(for path: String) -> String {
    let parts = path.split(separator: "/")
    for count in 1...max(1, parts.count) {
      let name = TraceReport.name(parts.suffix(count).joined(separator: "_"))
      if taken.insert(name).inserted { return name }
    }
    for number in 2... {
      let name = "\(TraceReport.name(String(parts.last ?? "input")))_\(number)"
      if taken.insert(name).inserted { return name }
    }
    return ""
  }

  private static func name(_ text: String) -> String {
    let stem = text.hasPrefix(".") ? text.dropFirst() : text[...]
    var name = String(
      stem.unicodeScalars.map { scalar in
        scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)) ? Character(scalar) : "_"
      }.prefix(100))
    if name.first.map({ $0.isNumber }) ?? true { name = "_" + name }
    return name
  }
}
