import LemmaBasics
import LemmaPipeline

/// A small catalogue with every shape of parameter, input and output.
let catalogue = Catalogue([
  StageKind(
    name: "synthesize", summary: "Makes rows from seeds.",
    inputs: [StageKind.Input(name: "seeds", summary: "the seed rows")],
    outputs: [StageKind.Output(name: "rows", summary: "the made rows", fileName: "rows.jsonl")],
    parameters: [
      StageKind.Parameter(name: "teacher", summary: "who writes", type: .choice(["symbolic", "remote"])),
      StageKind.Parameter(name: "methods", summary: "shares by method", type: .map(.number(0...1)), defaultValue: [:]),
      StageKind.Parameter(name: "rows", summary: "how many", type: .integer(1...1_000_000), defaultValue: 1000),
      StageKind.Parameter(name: "stop", summary: "stop words", type: .list(.string), defaultValue: []),
      StageKind.Parameter(name: "shuffle", summary: "mixes the rows", type: .boolean, defaultValue: true),
    ]),
  StageKind(
    name: "sft", summary: "Trains a model on rows.",
    inputs: [
      StageKind.Input(name: "rows", summary: "what to learn"),
      StageKind.Input(name: "base", summary: "where to start", isRequired: false),
    ],
    outputs: [
      StageKind.Output(name: "model", summary: "the checkpoint", fileName: "model", isFolder: true),
      StageKind.Output(name: "log", summary: "the losses", fileName: "log.jsonl"),
    ],
    parameters: [
      StageKind.Parameter(name: "take", summary: "rows to take", type: .optional(.integer(1...Int64.max))),
      StageKind.Parameter(
        name: "optimizer", summary: "its settings",
        type: .record([
          StageKind.Parameter(name: "rate", summary: "learning rate", type: .number(0...10)),
          StageKind.Parameter(name: "name", summary: "which", type: .choice(["adamw", "sgd"]), defaultValue: "adamw"),
        ]), defaultValue: ["rate": 0.001, "name": "adamw"]),
      StageKind.Parameter(name: "note", summary: "free text", type: .string, defaultValue: ""),
    ]),
  StageKind(
    name: "compare", summary: "Puts models side by side.",
    inputs: [StageKind.Input(name: "models", summary: "the models", isList: true)],
    outputs: [StageKind.Output(name: "table", summary: "the table", fileName: "table.json")],
    parameters: []),
])

/// Reads a pipeline from text, as the file `p.yaml`.
func pipeline(_ text: String, _ overrides: [String: String] = [:]) throws -> Pipeline {
  try Pipeline(bytes: Array(text.utf8), file: "p.yaml", overrides: overrides, catalogue: catalogue)
}

/// Everything that is wrong with a text, as the user reads it; nothing when it is accepted.
func mistakes(_ text: String, _ overrides: [String: String] = [:]) -> String {
  do {
    _ = try pipeline(text, overrides)
    return ""
  } catch { return "\(error)" }
}
