import ArgumentParser
import LemmaBasics
import LemmaEngine

struct InitCommand: LemmaCommand {
  static let configuration = CommandConfiguration(
    commandName: "init",
    abstract: "Start a project: a pipeline file to edit, a store, a .gitignore.",
    discussion: """
      Nothing that is already there is changed.

      EXAMPLES
        lemma init
        lemma init experiments/digits
      """)

  @Argument(help: "The project folder. Default: here.", completion: .directory) var folder = "."

  func execute() throws {
    try Files.makeFolder(folder)
    let isOurs = try write("lemma.yaml", ProjectTemplate.pipeline)
    try write(".gitignore", ProjectTemplate.gitignore)
    let workspace = try Workspace(project: folder)
    // The commands are those of the template; of a file that was there before, nothing is known.
    if isOurs { try Trust(project: workspace.project).grant() }
    Terminal.out("store in \(folder)/cache; next: lemma run")
  }

  /// - Returns: whether it was written; what is there is kept.
  @discardableResult
  private func write(_ name: String, _ text: String) throws -> Bool {
    let path = "\(folder)/\(name)"
    let isNew = !Files.exists(path)
    if isNew { try Files.write(Array(text.utf8), to: path) }
    Terminal.out("\(isNew ? "wrote" : "kept ")  \(name)")
    return isNew
  }
}

/// What a new project begins with.
enum ProjectTemplate {
  static let gitignore = "/cache/\n/results/\n"

  static let pipeline = """
    # A first pipeline: make word problems, vary them, keep some held out.
    # 'lemma run' builds it, 'lemma status' shows it, 'lemma --help' tells the rest.
    pipeline: first

    params:
      seed: 7

    stages:
      seeds:
        uses: seeds
        with: { rows: 200, seed: "${params.seed}" }

      normal:
        uses: synthesize
        in: { seeds: "${stages.seeds.rows}" }
        with: { rows: 1000, seed: "${params.seed}" }

      count:
        run: [sh, -c, "wc -l < ${in.rows} > ${out.table}"]
        in: { rows: "${stages.normal.rows}" }
        out: { table: results/count.txt }

    """
}
