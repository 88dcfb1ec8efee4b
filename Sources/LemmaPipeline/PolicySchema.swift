import LemmaBasics

/// The part of the JSON Schema that every stage shares, whatever it does.
extension Catalogue {
  static let sharedProperties = Dictionary(
    uniqueKeysWithValues: (["matrix", "resources"] + Expansion.policyKeys).map { key -> (String, JSON) in
      (key, ["$ref": .string("#/$defs/\(key)")])
    })

  static let policyDefinitions: [String: JSON] = [
    "sandbox": orReference([
      "enum": words(of: SandboxMode.self),
      "description": "What keeps a stage to its declared inputs. auto: the strictest that works here.",
    ]),
    "network": orReference(["type": "boolean", "description": "Whether it may reach the network."]),
    "determinism": orReference([
      "enum": words(of: Determinism.self),
      "description": "A second execution gives the same bits, numbers within their spread, or another sample.",
    ]),
    "expect": [
      "type": "object", "additionalProperties": ["$ref": "#/$defs/expectation"],
      "description": "What must hold of its outputs, by name.",
    ],
    "resume": orReference([
      "type": "boolean", "description": "Whether $LEMMA_RESUME names a folder that survives a kill.",
    ]),
    "retries": orReference([
      "type": "integer", "minimum": 0, "maximum": 100, "description": "How many attempts follow a failed one.",
    ]),
    "timeout": [
      "description": "The longest that one attempt may take, such as 30m.",
      "anyOf": [
        ["type": "integer", "minimum": 1], ["type": "string", "pattern": "^[1-9][0-9]*[smhd]$"],
        ["$ref": "#/$defs/reference"],
      ],
    ],
    "count": ["anyOf": [["type": "integer", "minimum": 0], ["$ref": "#/$defs/reference"]]],
    "size": [
      "anyOf": [
        ["type": "integer", "minimum": 0], ["type": "string", "pattern": "^[1-9][0-9]*[KMGT](i|iB|B)?$"],
        ["$ref": "#/$defs/reference"],
      ]
    ],
    "expectation": [
      "type": "object", "additionalProperties": false,
      "properties": [
        "rows": range(of: "count", "Rows of a table, or lines of any other text."),
        "bytes": range(of: "size", "Bytes of a file, or of all files of a folder."),
        "schema": orReference([
          "type": "array", "items": ["type": "string"],
          "description": "Columns that a table has, or keys that every row has.",
        ]),
      ],
    ],
  ]

  private static func words<Word: CaseIterable & RawRepresentable>(of type: Word.Type) -> JSON
  where Word.RawValue == String {
    .array(type.allCases.map { .string($0.rawValue) })
  }

  private static func orReference(_ schema: JSON) -> JSON { ["anyOf": [schema, ["$ref": "#/$defs/reference"]]] }

  private static func range(of name: String, _ description: String) -> JSON {
    let bound: JSON = ["$ref": .string("#/$defs/\(name)")]
    let bounds: JSON = ["type": "object", "additionalProperties": false, "properties": ["min": bound, "max": bound]]
    return ["description": .string(description), "anyOf": [bound, bounds]]
  }
}
