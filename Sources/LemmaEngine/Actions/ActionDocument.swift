import LemmaBasics
import LemmaHash
import LemmaPipeline

/// One fully resolved stage instance as canonical JSON (`docs/formats.md`). Its digest is the
/// action key. Neither the stage's name nor a path of the machine is in it, so renaming a stage or
/// moving the project changes no key.
public struct ActionDocument: Sendable {
  public let json: JSON
  public let bytes: [UInt8]
  /// Both names of the document; `identity.digest` is the action key.
  public let identity: Identity

  init(_ json: JSON) {
    self.json = json
    bytes = json.canonicalBytes
    identity = Identity(of: bytes)
  }

  public var key: Digest { identity.digest }

  /// The version of the document's own format.
  static let format: JSON = 1

  /// The machine's class: what compiled tools and kernels may depend on.
  static var platform: JSON {
    #if arch(x86_64)
      "linux-x86_64"
    #elseif arch(arm64)
      "linux-aarch64"
    #else
      #error("this platform has no name yet")
    #endif
  }
}

/// A declared input by content.
struct ResolvedInput: Sendable {
  struct Member: Sendable {
    /// The matrix values that tell members of a list apart; empty otherwise.
    var label: String
    /// Where a command finds it, relative to its execution root.
    var place: String
    var artifact: Artifact
    var origin: Reference.Origin
  }

  var name: String
  var isList: Bool
  var members: [Member]

  /// - Parameter withPlaces: for a command, which sees file names; a built-in kind sees content.
  func json(withPlaces: Bool) -> JSON {
    let values = members.map { member -> JSON in
      guard case .object(var object) = member.artifact.json else { return .null }
      if withPlaces { object["place"] = .string(member.place) }
      if !member.label.isEmpty { object["label"] = .string(member.label) }
      return .object(object)
    }
    return isList ? .array(values) : values.first ?? .null
  }
}

extension ActionDocument {
  static func builtin(
    _ stage: any BuiltinStage, configuration: [String: JSON], inputs: [ResolvedInput], lineage: JSON?,
    hasNetwork: Bool
  ) -> ActionDocument {
    var members: [String: JSON] = [
      "format": format, "platform": platform, "kind": .string(stage.kind.name),
      "implementation": JSON(stage.implementation), "with": .object(configuration),
      "inputs": inputObject(inputs, withPlaces: false),
      "outputs": .array(stage.kind.outputs.map { .string($0.fileName) }),
    ]
    if !stage.facts.isEmpty { members["facts"] = .object(stage.facts) }
    if let lineage { members["lineage"] = lineage }
    if hasNetwork { members["network"] = true }
    return ActionDocument(.object(members))
  }

  static func command(
    _ command: ResolvedCommand, inputs: [ResolvedInput], outputs: [Stage.Output], hasNetwork: Bool
  ) -> ActionDocument {
    var members: [String: JSON] = [
      "format": format, "platform": platform, "command": .array(command.words.map(JSON.string)),
      "files": .object(command.files.mapValues(\.json)), "tools": .object(command.tools.mapValues(\.artifact.json)),
      "environment": .object(command.environment), "inputs": inputObject(inputs, withPlaces: true),
      "outputs": .object(Dictionary(uniqueKeysWithValues: outputs.map { ($0.name, .string($0.fileName)) })),
    ]
    if hasNetwork { members["network"] = true }
    return ActionDocument(.object(members))
  }

  private static func inputObject(_ inputs: [ResolvedInput], withPlaces: Bool) -> JSON {
    .object(Dictionary(uniqueKeysWithValues: inputs.map { ($0.name, $0.json(withPlaces: withPlaces)) }))
  }
}
