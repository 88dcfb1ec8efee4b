import LemmaBasics
import LemmaPipeline
import Testing

@Suite("The JSON Schema for editors")
struct SchemaTests {
  static let sft = ##"""
    {
      "additionalProperties": false,
      "description": "Trains a model on rows.",
      "properties": {
        "determinism": {
          "$ref": "#/$defs/determinism"
        },
        "expect": {
          "$ref": "#/$defs/expect"
        },
        "in": {
          "additionalProperties": false,
          "properties": {
            "base": {
              "description": "where to start",
              "minLength": 1,
              "type": "string"
            },
            "rows": {
              "description": "what to learn",
              "minLength": 1,
              "type": "string"
            }
          },
          "required": [
            "rows"
          ],
          "type": "object"
        },
        "matrix": {
          "$ref": "#/$defs/matrix"
        },
        "network": {
          "$ref": "#/$defs/network"
        },
        "out": {
          "additionalProperties": false,
          "description": "Other places than results/<stage>/ for what it makes.",
          "properties": {
            "log": {
              "$ref": "#/$defs/path",
              "description": "the losses"
            },
            "model": {
              "$ref": "#/$defs/path",
              "description": "the checkpoint"
            }
          },
          "type": "object"
        },
        "resources": {
          "$ref": "#/$defs/resources"
        },
        "resume": {
          "$ref": "#/$defs/resume"
        },
        "retries": {
          "$ref": "#/$defs/retries"
        },
        "sandbox": {
          "$ref": "#/$defs/sandbox"
        },
        "timeout": {
          "$ref": "#/$defs/timeout"
        },
        "uses": {
          "const": "sft"
        },
        "with": {
          "additionalProperties": false,
          "description": "Its configuration.",
          "properties": {
            "note": {
              "default": "",
              "description": "free text",
              "type": "string"
            },
            "optimizer": {
              "anyOf": [
                {
                  "additionalProperties": false,
                  "description": "Its members.",
                  "properties": {
                    "name": {
                      "anyOf": [
                        {
                          "enum": [
                            "adamw",
                            "sgd"
                          ]
                        },
                        {
                          "$ref": "#/$defs/reference"
                        }
                      ],
                      "default": "adamw",
                      "description": "which"
                    },
                    "rate": {
                      "anyOf": [
                        {
                          "maximum": 10,
                          "minimum": 0,
                          "type": "number"
                        },
                        {
                          "$ref": "#/$defs/reference"
                        }
                      ],
                      "description": "learning rate"
                    }
                  },
                  "required": [
                    "rate"
                  ],
                  "type": "object"
                },
                {
                  "$ref": "#/$defs/reference"
                }
              ],
              "default": {
                "name": "adamw",
                "rate": 0.001
              },
              "description": "its settings"
            },
            "take": {
              "anyOf": [
                {
                  "anyOf": [
                    {
                      "minimum": 1,
                      "type": "integer"
                    },
                    {
                      "$ref": "#/$defs/reference"
                    }
                  ]
                },
                {
                  "type": "null"
                }
              ],
              "description": "rows to take"
            }
          },
          "required": [],
          "type": "object"
        }
      },
      "required": [
        "uses",
        "in"
      ],
      "type": "object"
    }

    """##

  @Test("a kind's definition says its keys, types, ranges, defaults and descriptions")
  func kind() {
    let sft = catalogue.jsonSchema()["$defs"]?["uses-sft"]
    #expect(sft?.pretty == Self.sft)
  }

  @Test("it names every kind once, and no definition that is not there")
  func references() throws {
    let schema = catalogue.jsonSchema()
    let definitions = try #require(schema["$defs"]?.object)
    #expect(
      schema["properties"]?["stages"]?["additionalProperties"]?["anyOf"] == [
        ["$ref": "#/$defs/command"], ["$ref": "#/$defs/uses-compare"], ["$ref": "#/$defs/uses-sft"],
        ["$ref": "#/$defs/uses-synthesize"],
      ])
    var missing: [String] = []
    func visit(_ value: JSON) {
      if let target = value["$ref"]?.string, definitions[String(target.dropFirst("#/$defs/".count))] == nil {
        missing.append(target)
      }
      value.object?.values.forEach(visit)
      value.array?.forEach(visit)
    }
    visit(schema)
    #expect(missing == [])
  }

  @Test("the schema and the reader agree about the keys of a stage")
  func keys() {
    let command = catalogue.jsonSchema()["$defs"]?["command"]?["properties"]?.object?.keys.sorted()
    #expect(
      command == [
        "determinism", "env", "expect", "in", "matrix", "network", "out", "resources", "resume", "retries", "run",
        "sandbox", "timeout", "tools",
      ])
    for key in command ?? [] where key != "run" {
      #expect(!mistakes("pipeline: p\nstages: { a: { run: [make], \(key): 5 } }\n").contains("unknown key"))
    }
  }

  @Test("the same catalogue in another order makes the same schema")
  func determinism() {
    #expect(Catalogue(catalogue.kinds.reversed()).jsonSchema().pretty == catalogue.jsonSchema().pretty)
  }
}
