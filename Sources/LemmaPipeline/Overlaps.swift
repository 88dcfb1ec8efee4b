import LemmaBasics

/// Whether what a pipeline writes into the workspace stays apart from what it reads and from itself.
struct Overlaps {
  /// A path that a stage instance writes.
  struct Output {
    var path: String
    var mark: Mark
    var stage: String
    var declaration: Int
    var name: String
    /// How a pipeline refers to it.
    var reference: String
    var matrixKeys: [String]

    var words: String { "output '\(name)' of '\(stage)'" }
  }

  /// A path that is only read.
  struct Input {
    var path: String
    var mark: Mark
    var words: String
    var isSource: Bool
  }

  let diagnostics: Diagnostics
  private var outputs: [String: Output] = [:]
  /// Instances of one stage collide in crowds; the first pair says it.
  private var told: Set<String> = []

  init(_ diagnostics: Diagnostics) { self.diagnostics = diagnostics }

  /// Reports every collision among outputs, between outputs and inputs, and with the pipeline file.
  mutating func check(_ written: [Output], _ read: [Input], pipelineFile: String) {
    for output in written {
      guard let other = outputs[output.path] else {
        outputs[output.path] = output
        continue
      }
      tell(
        output, "\(other.words) and \(output.words) are both written to '\(output.path)'",
        twin: other.declaration == output.declaration)
    }
    for output in written {
      for folder in ProjectPath.above(output.path) {
        guard let other = outputs[folder] else { continue }
        tell(
          output, "\(output.words) ('\(output.path)') lies inside \(other.words) ('\(folder)')",
          twin: other.declaration == output.declaration)
        break
      }
    }
    let file = Input(path: pipelineFile, mark: 0, words: "the pipeline file", isSource: true)
    compare(written, [file] + read)
    for input in read where input.path == pipelineFile {
      diagnostics.report("bad-path", "the pipeline file cannot be an input of its own stages", at: input.mark)
    }
  }

  private mutating func compare(_ written: [Output], _ read: [Input]) {
    var inputs: [String: Input] = [:]
    for input in read where inputs[input.path] == nil { inputs[input.path] = input }
    for input in read where !input.isSource {
      let places = [input.path] + ProjectPath.above(input.path)
      guard let place = places.first(where: { outputs[$0] != nil }), let output = outputs[place] else { continue }
      diagnostics.report(
        "overlap", "'\(input.path)' \(place == input.path ? "is" : "lies inside") \(output.words)", at: input.mark,
        hint: "refer to it as \(output.reference)")
    }
    // A file that is read may lie inside an output as well: each is looked up from below.
    for input in read where input.isSource {
      for place in [input.path] + ProjectPath.above(input.path) {
        guard let output = outputs[place] else { continue }
        tell(output, "\(output.words) ('\(place)') would overwrite \(input.words) ('\(input.path)')", twin: false)
        break
      }
    }
    for output in written {
      for folder in ProjectPath.above(output.path) {
        guard let input = inputs[folder] else { continue }
        tell(output, "\(output.words) ('\(output.path)') lies inside \(input.words) ('\(folder)')", twin: false)
        break
      }
    }
  }

  private mutating func tell(_ output: Output, _ message: String, twin: Bool) {
    if twin, !told.insert("\(output.declaration) \(output.name)").inserted { return }
    let keys = output.matrixKeys.map { "${matrix.\($0)}" }.joined(separator: " and ")
    diagnostics.report(
      "overlap", message, at: output.mark,
      hint: twin && !keys.isEmpty ? "put \(keys) into the path" : "give it a path of its own under 'out'")
  }
}
