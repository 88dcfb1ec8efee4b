import ArgumentParser
import LemmaBasics
import LemmaEngine
import LemmaLedger

struct TagCommand: LemmaCommand {
  static let configuration = CommandConfiguration(
    commandName: "tag",
    abstract: "Give a run a name, which also keeps what it needs from 'lemma gc'.",
    discussion: """
      Tags are refs/lemma/tags/NAME of the ledger's repository; a tag stands wherever a run is named.

      EXAMPLES
        lemma tag paper-v1
        lemma tag baseline 12
        lemma audit 'evaluate.accuracy' --run paper-v1
        lemma tag --list
        lemma tag --delete baseline
      """)

  @Argument(help: "The name.") var name: String?
  @Argument(help: "The run: latest, a number, @~1, a tag, or the head of a commit id.") var run = "latest"
  @Flag(name: .shortAndLong, help: "List the tags.") var list = false
  @Option(name: .shortAndLong, help: ArgumentHelp("Remove this tag; the run stays.", valueName: "name"))
  var delete: String?
  @Flag(help: "Move a tag that another run has.") var force = false
  @OptionGroup var workspace: WorkspaceOptions
  @Flag(help: "Print as JSON.") var json = false

  func validate() throws {
    if [name != nil, list, delete != nil].count(where: { $0 }) > 1 {
      throw ValidationError("a name, '--list' and '--delete' are three different requests")
    }
  }

  func execute() throws {
    let ledger = try workspace.openExisting().ledger()
    if let delete { return try remove(delete, from: ledger) }
    guard let name else { return try show(ledger) }
    let id = try ledger.resolve(run)
    try ledger.tag(name, run: id, moves: force)
    let run = try ledger.run(id)
    if json { return Terminal.json(TagCommand.json(name, run)) }
    Terminal.out("\(name) is run #\(run.number), \(id.prefix(10))")
  }

  private func remove(_ name: String, from ledger: Ledger) throws {
    try ledger.delete(tag: name)
    if json { return Terminal.json(["tag": .string(name), "deleted": true]) }
    Terminal.out("\(name) is no tag any more")
  }

  private func show(_ ledger: Ledger) throws {
    let tags = try ledger.tags().map { (name: $0.name, run: try ledger.run($0.run)) }
    if json { return Terminal.json(.array(tags.map { TagCommand.json($0.name, $0.run) })) }
    if tags.isEmpty { return Terminal.out("there are no tags") }
    let rows = tags.map { [$0.name, "#\($0.run.number)", String($0.run.id.prefix(10)), $0.run.title] }
    for line in Columns.lines(rows) { Terminal.out(line) }
  }

  private static func json(_ name: String, _ run: RecordedRun) -> JSON {
    ["tag": .string(name), "number": JSON(run.number), "commit": .string(run.id), "title": .string(run.title)]
  }
}
