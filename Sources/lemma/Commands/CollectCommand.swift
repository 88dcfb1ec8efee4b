import ArgumentParser
import LemmaBasics
import LemmaEngine
import LemmaProvenance

struct CollectCommand: LemmaCommand {
  static let configuration = CommandConfiguration(
    commandName: "gc",
    abstract: "Say what in the store nothing needs any more; with --apply, remove it.",
    discussion: """
      Kept is what the newest runs of every workspace on the store need (outputs, logs, inputs, action documents), \
      every tagged run, the last state of every pipeline, and whatever is young. The ledger itself is never cut: an \
      older run stays on record, and its stages run again when they are wanted again. Versions of outputs that a person \
      edited in the workspace, and that a run replaced, go with the rest. What killed stages left to go on from stays \
      unless it is named.

      EXAMPLES
        lemma gc
        lemma gc --apply
        lemma tag paper-v1 12 && lemma gc --keep-runs 5 --apply
        lemma gc --forget-missing                  also what workspaces that are gone needed
        lemma gc --drop-unfinished --apply         also what killed trainings would go on from
      """)

  @Flag(help: "Remove it. Without this nothing is changed.") var apply = false
  @Option(help: "How many of the newest runs of each ledger keep what they need.") var keepRuns = 20
  @Option(help: ArgumentHelp("Remove only what is older.", valueName: "minutes")) var olderThan = 60
  @Flag(help: "Forget workspaces whose folder is gone, and what only they need.") var forgetMissing = false
  @Flag(help: "Drop what killed stages left to go on from; they begin anew.") var dropUnfinished = false
  @OptionGroup var workspace: WorkspaceOptions
  @Flag(help: "Print as JSON.") var json = false

  func validate() throws {
    if keepRuns < 1 { throw ValidationError("--keep-runs must be at least 1") }
    if olderThan < 0 || olderThan > 1 << 24 { throw ValidationError("--older-than is no number of minutes") }
  }

  func execute() throws {
    var options = Sweep.Options()
    options.applies = apply
    options.keepRuns = keepRuns
    options.youth = Int64(olderThan) * 60
    options.forgetsMissing = forgetMissing
    options.dropsUnfinished = dropUnfinished
    let sweep = try Sweep(try workspace.openExisting(), options)
    if json { Terminal.json(view(sweep)) } else { print(sweep) }
  }

  private func view(_ sweep: Sweep) -> JSON {
    [
      "applied": .bool(apply), "objects": JSON(sweep.collection.objects),
      "bytes": JSON(Int(clamping: sweep.collection.bytes)), "kept_objects": JSON(sweep.collection.kept),
      "kept_runs": JSON(sweep.keptRuns), "results": apply ? JSON(sweep.droppedResults) : .null,
      "unfinished": JSON(sweep.unfinished.stages), "unfinished_bytes": JSON(Int(clamping: sweep.unfinished.bytes)),
      "missing_workspaces": .array(sweep.missing.map(JSON.string)),
    ]
  }

  private func print(_ sweep: Sweep) {
    for path in sweep.missing {
      Terminal.out(
        "the workspace '\(path)' is gone; "
          + (forgetMissing
            ? (apply ? "it was forgotten" : "it would be forgotten")
            : "what its last runs need is kept ('--forget-missing' forgets it)"))
    }
    let verb = apply ? "removed" : "would remove"
    Terminal.out("\(verb) \(sweep.collection.objects) objects, \(Size.text(sweep.collection.bytes))")
    Terminal.out(
      "kept \(sweep.collection.kept) objects, for \(sweep.keptRuns) \(sweep.keptRuns == 1 ? "run" : "runs") and whatever is young"
    )
    if sweep.unfinished.stages > 0 {
      let what = "\(sweep.unfinished.stages) unfinished \(sweep.unfinished.stages == 1 ? "stage" : "stages")"
      Terminal.out(
        "\(dropUnfinished ? verb : "kept") what \(what) would go on from, \(Size.text(sweep.unfinished.bytes))"
          + (dropUnfinished ? "" : " ('--drop-unfinished' drops it)"))
    }
    if apply, sweep.droppedResults > 0 {
      Terminal.out("dropped \(sweep.droppedResults) results that lost their outputs")
    }
    if !apply, sweep.collection.objects > 0 || dropUnfinished && sweep.unfinished.stages > 0 {
      Terminal.note("nothing was changed; '--apply' removes them")
    }
  }
}
