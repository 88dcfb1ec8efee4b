import ArgumentParser
import LemmaBasics
import LemmaEngine
import LemmaHash
import LemmaProvenance
import LemmaStore

struct VerifyCommand: LemmaCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Read every object of the store and compute both of its names anew.",
    discussion: """
      Exits with 1 when an object is altered or missing, or the store holds a file that is none of its own; each is \
      named, with what it is to the newest run. Nothing is changed, unless altered objects are to be put aside.

      EXAMPLES
        lemma verify
        lemma verify --quarantine; lemma run       what was altered is made again
        lemma verify --json | jq '.faults[].of'
      """)

  @Flag(help: "Put altered objects aside and forget missing ones, so that the next run makes them again.")
  var quarantine = false
  @OptionGroup var workspace: WorkspaceOptions
  @Flag(help: "Print as JSON.") var json = false

  func execute() throws {
    let workspace = try workspace.openExisting()
    Interrupt.block()
    try Interrupt.watch {}
    let progress = ProgressLine()
    let found = try workspace.store.verifyAll(quarantines: quarantine, isCancelled: { Interrupt.isRequested }) {
      progress.show("\($0.objects) objects, \(Size.text($0.bytes)) read")
    }
    progress.end()
    // A snapshot vouches by stamps for what has just turned out to be gone.
    if quarantine, !found.faults.isEmpty { try SnapshotFolder(of: workspace.store).removeAll() }
    if Interrupt.isRequested { throw ExitCode.interrupted }
    let owners = try owners(of: found, in: workspace)
    if json { Terminal.json(view(found, owners)) } else { print(found, owners) }
    if !found.isSound { throw ExitCode.faulty }
  }

  /// What the bad objects are to the newest run; nil when the ledger, too, is damaged.
  private func owners(of found: Store.Verification, in workspace: Workspace) throws -> Ownership? {
    if found.faults.isEmpty { return nil }
    do {
      return try Ownership(of: Set(found.faults.map(\.identity)), in: workspace)
    } catch let failure as Failure {
      Terminal.note("what they are to the newest run cannot be told: \(failure.message)")
      return nil
    }
  }

  private func view(_ found: Store.Verification, _ owners: Ownership?) -> JSON {
    [
      "objects": JSON(found.objects), "bytes": JSON(Int(clamping: found.bytes)), "sound": .bool(found.isSound),
      "faults": .array(
        found.faults.map { fault in
          [
            "xxh3": .string(fault.identity.digest.hex), "sha256": .string(fault.identity.seal.hex),
            "size": JSON(Int(clamping: fault.identity.size)), "reason": .string(fault.reason.rawValue),
            "of": .array((owners?[fault.identity] ?? []).map(JSON.string)),
          ]
        }),
      "strays": .array(found.strays.map { ["path": .string($0.path), "reason": .string($0.reason)] }),
    ]
  }

  private func print(_ found: Store.Verification, _ owners: Ownership?) {
    for fault in found.faults {
      let identity = fault.identity
      Terminal.out(
        "\(fault.reason.rawValue): object \(identity.digest.hex)  sha256 \(identity.seal.hex)  \(identity.size) bytes",
        .red)
      for owner in owners?[identity] ?? [] { Terminal.out("  \(owner)") }
    }
    for stray in found.strays { Terminal.out("stray: \(stray.path): \(stray.reason)", .yellow) }
    Terminal.out(
      "\(found.objects) objects, \(Size.text(found.bytes)): "
        + (found.isSound ? "all sound" : "\(found.faults.count) bad, \(found.strays.count) stray files"))
    if found.faults.isEmpty { return }
    Terminal.note(
      quarantine
        ? "put aside: 'lemma run' makes again what it needs of them"
        : "'lemma verify --quarantine' puts them aside; then 'lemma run' makes again what it needs of them")
  }
}
