import LemmaBasics
import LemmaEngine
import LemmaHash
import LemmaProvenance

/// An audit as text and as JSON.
enum AuditView {
  static func print(_ audit: Audit) {
    if let metric = audit.target.metric, let value = audit.steps.first?.metrics[metric] {
      out("\(audit.target.text) = \(value.canonical)")
    } else {
      out(audit.target.text)
    }
    out("run \(audit.run.number), commit \(audit.run.id), \(Clock.text(audit.run.time))")
    let lemma = audit.circumstances["lemma"]
    out("lemma \(lemma?["version"]?.string ?? "?"), program sha256 \(lemma?["program"]?["sha256"]?.string ?? "?")")
    if let commit = audit.circumstances["project_commit"]?.string { out("project at commit \(commit)") }
    for step in audit.steps { print(step) }
    out("")
    for note in audit.notes { out("note   \(note)") }
    out(
      "\(audit.objectsVerified) objects computed anew under both names, \(audit.commitsVerified) runs of the ledger read back"
    )
    if audit.isSound {
      Terminal.out("sound: everything on the way is what it was", .green)
    } else {
      for fault in audit.faults { Terminal.out("FAULT  \(fault.subject): \(fault.message)", .red) }
    }
  }

  private static func print(_ step: Audit.Step) {
    out("")
    let execution = step.executedIn.map { ", executed in run \($0.number)" } ?? ""
    out("\(step.stage)  (\(step.kind), action \(step.actionKey)\(execution))")
    out("  with     \(step.configuration.canonical)")
    for link in step.inputs { print(link, role: "reads", arrow: "<- \(link.origin)") }
    for link in step.outputs { print(link, role: "gave", arrow: link.origin.isEmpty ? "" : "-> \(link.origin)") }
  }

  private static func print(_ link: Audit.Link, role: String, arrow: String) {
    let rows = link.rows.map { ", \($0) rows" } ?? ""
    let padding = String(repeating: " ", count: 9 - role.count)
    out(
      "  \(role)\(padding)\(link.name) \(arrow)  (\(link.artifact.kind.rawValue), \(link.artifact.identity.size) bytes\(rows))"
    )
    out("             xxh3 \(link.artifact.identity.digest.hex)  sha256 \(link.artifact.identity.seal.hex)")
  }

  private static func out(_ text: String) { Terminal.out(text) }

  static func json(_ audit: Audit) -> JSON {
    [
      "target": .string(audit.target.text), "sound": .bool(audit.isSound),
      "value": audit.target.metric.flatMap { audit.steps.first?.metrics[$0] } ?? .null,
      "run": [
        "number": JSON(audit.run.number), "commit": .string(audit.run.id), "time": .string(Clock.text(audit.run.time)),
      ],
      "circumstances": audit.circumstances,
      "objects_verified": JSON(audit.objectsVerified), "commits_verified": JSON(audit.commitsVerified),
      "faults": .array(audit.faults.map { ["subject": .string($0.subject), "message": .string($0.message)] }),
      "notes": .array(audit.notes.map(JSON.string)),
      "steps": .array(
        audit.steps.map { step in
          [
            "stage": .string(step.stage), "kind": .string(step.kind), "configuration": step.configuration,
            "action_key": .string(step.actionKey),
            "executed_in": step.executedIn.map { ["number": JSON($0.number), "commit": .string($0.commit)] } ?? .null,
            "inputs": .array(step.inputs.map(json)), "outputs": .array(step.outputs.map(json)),
            "metrics": .object(step.metrics),
          ]
        }),
    ]
  }

  private static func json(_ link: Audit.Link) -> JSON {
    guard case .object(var members) = link.artifact.json else { return .null }
    members["name"] = .string(link.name)
    members["origin"] = .string(link.origin)
    if let rows = link.rows { members["rows"] = JSON(rows) }
    return .object(members)
  }
}
