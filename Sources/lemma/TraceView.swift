import LemmaBasics
import LemmaEngine

/// A trace as YAML to paste into the pipeline file, and as JSON.
enum TraceView {
  static func print(_ report: TraceReport) {
    if report.inputs.isEmpty {
      Terminal.out("# stage '\(report.stage)' reads nothing that it does not declare")
    } else {
      Terminal.out("# what stage '\(report.stage)' reads and does not declare")
      if !report.sources.isEmpty {
        Terminal.out("sources:")
        for source in report.sources { Terminal.out("  \(source.name): { path: \(scalar(source.path)) }") }
      }
      Terminal.out("in:")
      for input in report.inputs { Terminal.out("  \(input.name): \(scalar(input.value))") }
    }
    list("looked for, and not there", report.absent)
    list("written, outside of its own folder", report.writes)
    if let isRepeated = report.isRepeated {
      Terminal.note("the outputs were \(isRepeated ? "" : "not ")those of the recorded result")
    }
  }

  private static func list(_ title: String, _ paths: [String]) {
    if paths.isEmpty { return }
    Terminal.out("# \(title):")
    for path in paths { Terminal.out("#   \(scalar(path))") }
  }

  /// A path as YAML: plain where nothing in it could mean something else, else in quotes.
  private static func scalar(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy { byte in
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
        || (UInt8(ascii: "-")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "_")
    }
    return isPlain && text.utf8.contains(UInt8(ascii: "/")) || text.hasPrefix("${") ? text : JSON.string(text).canonical
  }

  static func json(_ report: TraceReport) -> JSON {
    [
      "stage": .string(report.stage), "project_reads": .array(report.projectReads.map(JSON.string)),
      "other_reads": .array(report.otherReads.map(JSON.string)), "absent": .array(report.absent.map(JSON.string)),
      "writes": .array(report.writes.map(JSON.string)), "repeated": report.isRepeated.map(JSON.bool) ?? .null,
      "in": .object(Dictionary(uniqueKeysWithValues: report.inputs.map { ($0.name, .string($0.value)) })),
      "sources": .object(
        Dictionary(uniqueKeysWithValues: report.sources.map { ($0.name, ["path": .string($0.path)]) })),
      "errors": .array([report.failure].compactMap { $0?.json }),
    ]
  }
}
