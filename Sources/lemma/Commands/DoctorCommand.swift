import ArgumentParser
import LemmaBasics
import LemmaEngine
import LemmaProvenance

struct DoctorCommand: LemmaCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Put the store in order: rebuild the index, clear away what dead runs left; say what was mended.",
    discussion: """
      The index is made anew from the objects in the store and the runs in the ledger, so that one that was lost or \
      damaged costs no stage a run. Results count only when their outputs are sound. Nothing that a person made \
      is touched; 'lemma verify' reads the objects that nothing refers to as well. Exits with 1 when a ledger cannot be \
      read, after all else is mended.

      EXAMPLES
        lemma doctor
        lemma doctor --json
      """)

  @OptionGroup var workspace: WorkspaceOptions
  @Flag(help: "Print as JSON.") var json = false

  func execute() throws {
    let report = try Doctor.mend(try workspace.openExisting())
    if json { Terminal.json(DoctorCommand.json(report)) } else { DoctorCommand.print(report) }
    if !report.unread.isEmpty { throw ExitCode.faulty }
  }

  private static func print(_ report: Doctor.Report) {
    for line in DoctorCommand.lines(report) { Terminal.out(line) }
    for (workspace, reason) in report.unread {
      Terminal.out("not read: the ledger of \(workspace): \(reason)", .red)
    }
    Terminal.out(
      report.isSound
        ? "nothing to mend: \(report.recovery.runs) runs, \(report.packedObjects) objects in packs"
        : "mended: \(report.recovery.runs) runs, \(report.packedObjects) objects in packs")
  }

  private static func lines(_ report: Doctor.Report) -> [String] {
    var lines: [String] = []
    func add(_ count: Int, _ text: String) { if count > 0 { lines.append("\(count) \(text)") } }
    if report.hadNoIndex { lines.append("the index was missing and was made anew") }
    if let aside = report.damagedIndex {
      lines.append("the index was damaged and was made anew; the old one is '\(aside)'")
    }
    add(report.recovery.results, "results were found again in the ledger")
    add(report.recovery.documents, "last documents of stages were found again in the ledger")
    add(report.recovery.places, "places of outputs were found again in the ledger")
    add(report.temporaryFolders, "temporary folders of dead processes were removed")
    add(report.executionRoots, "execution roots of dead runs were removed")
    add(report.deadSnapshots, "snapshots that no run could use were removed")
    add(
      report.recovery.lostResults,
      "results of earlier runs are not in the store any more; 'lemma run' makes what it needs")
    add(
      report.recovery.unusableRecords, "records of the ledger name another action than they hold and were passed over")
    return lines
  }

  private static func json(_ report: Doctor.Report) -> JSON {
    [
      "sound": .bool(report.isSound), "index_missing": .bool(report.hadNoIndex),
      "index_damaged": report.damagedIndex.map(JSON.string) ?? .null, "packed_objects": JSON(report.packedObjects),
      "runs": JSON(report.recovery.runs), "results": JSON(report.recovery.results),
      "lost_results": JSON(report.recovery.lostResults), "documents": JSON(report.recovery.documents),
      "places": JSON(report.recovery.places), "unusable_records": JSON(report.recovery.unusableRecords),
      "temporary_folders": JSON(report.temporaryFolders), "execution_roots": JSON(report.executionRoots),
      "snapshots": JSON(report.deadSnapshots),
      "unread": .array(report.unread.map { ["workspace": .string($0.workspace), "reason": .string($0.reason)] }),
    ]
  }
}
