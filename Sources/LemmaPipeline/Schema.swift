import LemmaBasics

extension Catalogue {
  /// A JSON Schema (2020-12) of the pipeline file with the kinds of this catalogue, for editors. It
  /// knows the keys and the types; what names refer to, only reading the file tells.
  public func jsonSchema() -> JSON {
    let stages: [JSON] = [["$ref": "#/$defs/command"]] + kinds.map { ["$ref": .string("#/$defs/uses-\($0.name)")] }
    var definitions = Self.definitions.merging(Self.policyDefinitions) { first, _ in first }
    for kind in kinds { definitions["uses-\(kind.name)"] = kind.schema }
    return [
      "$schema": "https://json-schema.org/draft/2020-12/schema",
      "title": "Lemma pipeline",
      "description": "What is built from what: parameters, sources and stages.",
      "type": "object",
      "required": ["pipeline", "stages"],
      "additionalProperties": false,
      "properties": [
        "pipeline": ["$ref": "#/$defs/name", "description": "The pipeline's name."],
        "sandbox": ["$ref": "#/$defs/sandbox"],
        "params": [
          "type": "object", "description": "Values to use as ${params.name}; --param name=value replaces one.",
          "propertyNames": ["$ref": "#/$defs/name"],
        ],
        "sources": [
          "type": "object", "description": "Files and folders of the project that the pipeline starts from.",
          "propertyNames": ["$ref": "#/$defs/name"], "additionalProperties": ["$ref": "#/$defs/source"],
        ],
        "stages": [
          "type": "object", "description": "The steps, by name.", "minProperties": 1,
          "propertyNames": ["$ref": "#/$defs/name"], "additionalProperties": ["anyOf": .array(stages)],
        ],
      ],
      "$defs": .object(definitions),
    ]
  }

  private static let definitions: [String: JSON] = [
    "name": ["type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_-]*$", "maxLength": 128],
    "reference": [
      "type": "string", "pattern": #"^\$\{[^}]+\}$"#,
      "description": "A value from elsewhere: ${params.name} or ${matrix.key}.",
    ],
    "path": [
      "type": "string", "minLength": 1, "maxLength": 1024,
      "description": "A path inside the project, without '..'; not in .git or cache.",
    ],
    "source": [
      "type": "object", "required": ["path"], "additionalProperties": false,
      "properties": [
        "path": ["$ref": "#/$defs/path"],
        "license": ["type": "string", "description": "The licence, such as an SPDX identifier."],
      ],
    ],
    "matrix": [
      "type": "object", "minProperties": 1, "maxProperties": 16, "propertyNames": ["$ref": "#/$defs/name"],
      "description": "One instance of the stage for every combination of values.",
      "additionalProperties": [
        "anyOf": [
          ["type": "array", "minItems": 1, "items": ["type": ["string", "number", "boolean"]]],
          ["$ref": "#/$defs/reference"],
        ]
      ],
    ],
    "resources": [
      "type": "object", "additionalProperties": false, "description": "What the stage needs while it runs.",
      "properties": [
        "cpus": ["anyOf": [["type": "integer", "minimum": 1, "maximum": 4096], ["$ref": "#/$defs/reference"]]],
        "memory": [
          "anyOf": [
            ["type": "integer", "minimum": 1], ["type": "string", "pattern": "^[1-9][0-9]*[KMGT](i|iB|B)?$"],
            ["$ref": "#/$defs/reference"],
          ]
        ],
      ],
    ],
    "input": [
      "description": "${sources.name}, ${stages.name.output}, a path, or a list of these.",
      "anyOf": [["type": "string", "minLength": 1], ["type": "array", "minItems": 1, "items": ["type": "string"]]],
    ],
    "command": [
      "type": "object", "required": ["run"], "additionalProperties": false,
      "description": "A program of your own.",
      "properties": withShared([
        "run": [
          "description": "The program and its words, or a script for the shell; ${in.name} and ${out.name} are paths.",
          "anyOf": [
            ["type": "string", "minLength": 1],
            ["type": "array", "minItems": 1, "items": ["type": ["string", "number", "boolean"]]],
          ],
        ],
        "in": [
          "type": "object", "propertyNames": ["$ref": "#/$defs/name"],
          "additionalProperties": ["$ref": "#/$defs/input"], "description": "What it reads, by name.",
        ],
        "out": [
          "type": "object", "propertyNames": ["$ref": "#/$defs/name"],
          "additionalProperties": ["$ref": "#/$defs/path"], "description": "What it makes: a path for each name.",
        ],
        "env": [
          "type": "object", "propertyNames": ["pattern": "^[A-Za-z_][A-Za-z0-9_]*$"],
          "additionalProperties": ["type": ["string", "number", "boolean"]],
          "description": "Its environment; env:NAME passes on a secret without writing it down.",
        ],
        "tools": [
          "description": "The programs it needs.",
          "anyOf": [
            ["type": "array", "uniqueItems": true, "items": ["type": "string", "minLength": 1]],
            ["$ref": "#/$defs/reference"],
          ],
        ],
      ]),
    ],
  ]

  fileprivate static func withShared(_ properties: [String: JSON]) -> JSON {
    .object(properties.merging(sharedProperties) { first, _ in first })
  }
}

extension StageKind {
  fileprivate var schema: JSON {
    let needsWith = parameters.contains { $0.missingValue == nil }
    let needsIn = inputs.contains { $0.isRequired }
    let required = ["uses"] + (needsIn ? ["in"] : []) + (needsWith ? ["with"] : [])
    return [
      "type": "object", "description": .string(summary), "required": .array(required.map(JSON.string)),
      "additionalProperties": false,
      "properties": Catalogue.withShared([
        "uses": ["const": .string(name)],
        "with": StageKind.schema(of: parameters, "Its configuration."),
        "in": [
          "type": "object", "additionalProperties": false,
          "required": .array(inputs.filter(\.isRequired).map { .string($0.name) }),
          "properties": .object(
            Dictionary(uniqueKeysWithValues: inputs.map { ($0.name, $0.schema) })),
        ],
        "out": [
          "type": "object", "additionalProperties": false,
          "description": "Other places than results/<stage>/ for what it makes.",
          "properties": .object(
            Dictionary(
              uniqueKeysWithValues: outputs.map {
                ($0.name, ["$ref": "#/$defs/path", "description": .string($0.summary)])
              })),
        ],
      ]),
    ]
  }

  fileprivate static func schema(of parameters: [Parameter], _ description: String) -> JSON {
    var properties: [String: JSON] = [:]
    for parameter in parameters {
      var schema = parameter.type.schema.object ?? [:]
      schema["description"] = .string(parameter.summary)
      schema["default"] = parameter.defaultValue
      properties[parameter.name] = .object(schema)
    }
    return [
      "type": "object", "description": .string(description), "additionalProperties": false,
      "required": .array(parameters.filter { $0.missingValue == nil }.map { .string($0.name) }),
      "properties": .object(properties),
    ]
  }
}

extension StageKind.Input {
  fileprivate var schema: JSON {
    isList
      ? ["$ref": "#/$defs/input", "description": .string(summary)]
      : ["type": "string", "minLength": 1, "description": .string(summary)]
  }
}

extension ParameterType {
  /// The type, or a reference where a text could not stand otherwise.
  fileprivate var schema: JSON {
    switch self {
    case .integer(let range): Self.orReference(Self.bounded("integer", range, Int64.min, Int64.max) { .integer($0) })
    case .number(let range):
      Self.orReference(
        Self.bounded(
          "number", range, -Double.greatestFiniteMagnitude, Double.greatestFiniteMagnitude
        ) { JSON($0) })
    case .string: ["type": "string"]
    case .choice(let words): Self.orReference(["enum": .array(words.map(JSON.string))])
    case .boolean: Self.orReference(["type": "boolean"])
    case .list(let element): Self.orReference(["type": "array", "items": element.schema])
    case .map(let element): Self.orReference(["type": "object", "additionalProperties": element.schema])
    case .record(let parameters): Self.orReference(StageKind.schema(of: parameters, "Its members."))
    case .optional(let inner): ["anyOf": [inner.schema, ["type": "null"]]]
    }
  }

  private static func orReference(_ schema: JSON) -> JSON { ["anyOf": [schema, ["$ref": "#/$defs/reference"]]] }

  private static func bounded<T: Comparable>(
    _ type: String, _ range: ClosedRange<T>, _ low: T, _ high: T, _ value: (T) -> JSON
  ) -> JSON {
    var schema: [String: JSON] = ["type": .string(type)]
    if range.lowerBound > low { schema["minimum"] = value(range.lowerBound) }
    if range.upperBound < high { schema["maximum"] = value(range.upperBound) }
    return .object(schema)
  }
}
