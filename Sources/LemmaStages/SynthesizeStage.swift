import LemmaBasics
import LemmaCorpus
import LemmaEngine
import LemmaPipeline
import LemmaSynthesis

/// `synthesize`: makes new problems of seeds with a teacher.
struct SynthesizeStage: BuiltinStage {
  let implementation = 1
  let kind = StageKind(
    name: "synthesize",
    summary: "Makes new, verified problems of seed problems, by the methods of MetaMath, Evol-Instruct and Xwin.",
    inputs: [.init(name: "seeds", summary: "Seed problems with worked solutions.")],
    outputs: [
      .rows,
      .init(name: "statistics", summary: "Rows made and rejected, by method and reason.", fileName: "statistics.json"),
    ],
    parameters: [
      .init(
        name: "teacher", summary: "Who makes the problems. 'symbolic' executes the seeds' own worked steps.",
        type: .choice(["symbolic"]), defaultValue: "symbolic"),
      .init(
        name: "methods",
        summary: "Weights of methods (metamath, evol, xwin) or of operators, such as metamath.fobar.",
        type: .map(.number(0...1_000_000)), defaultValue: ["metamath": 1, "evol": 1, "xwin": 1]),
      .count("rows", "How many problems.", atLeast: 1),
      .init(
        name: "maximum", summary: "The largest new number and result; without it, the magnitudes of the seed are kept.",
        type: .optional(.integer(2...1_000_000)), defaultValue: .null),
      .init(
        name: "depth", summary: "How many steps an evolution adds at most.", type: .integer(1...5), defaultValue: 1),
      .seed,
    ],
    mistakes: { with, _ in
      .from("methods") { try configuration(Settings(with)).validate() }
    })

  func run(_ context: StageContext) throws -> JSON {
    let settings = Settings(context)
    let synthesizer = try Synthesizer(SynthesizeStage.configuration(settings))
    let synthesis = try synthesizer.run(
      seeds: try Row.read(context.input("seeds").path), progress: context.progress("rows"),
      isCancelled: context.isCancelled)
    try Row.write(synthesis.rows, to: context.output("rows"))
    try Files.write(Array(synthesis.statistics.json.pretty.utf8), to: context.output("statistics"))
    return ["rows": JSON(synthesis.rows.count), "missing": JSON(synthesis.statistics.missing)]
  }

  private static func configuration(_ settings: Settings) throws -> SynthesisConfiguration {
    let shares = try settings.map("methods").compactMapValues(\.double)
    return SynthesisConfiguration(
      rows: try settings.int("rows"), seed: try settings.seed(),
      weights: try SynthesisConfiguration.weights(named: shares), maximum: try settings.optionalInt("maximum"),
      depth: try settings.int("depth"))
  }
}
