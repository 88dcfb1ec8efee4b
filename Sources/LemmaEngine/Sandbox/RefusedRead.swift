import LemmaBasics
import LemmaPipeline

/// Recognises in what a failed command printed that it missed a file, and says how to declare it.
enum RefusedRead {
  /// How programs say that they may not have a file.
  private static let complaints = [
    "No such file or directory", "No such file", "Permission denied", "Read-only file system", "not found",
    "ModuleNotFoundError", "FileNotFoundError", "cannot open", "Operation not permitted",
  ]

  /// - Parameter log: the end of it, as text.
  static func hint(log: String, stage: Stage, confinement: Confinement) -> String? {
    let lines = log.split(separator: "\n")
    guard let line = lines.last(where: { line in complaints.contains { line.contains($0) } }) else {
      return network(log, stage, confinement)
    }
    if line.contains("Read-only file system") {
      return "it may write what it makes to ${out.NAME}, and anything else to the folder $TMPDIR"
    }
    let path = path(in: line).map { "'\($0)'" } ?? "what it needs"
    return
      "it runs in a folder of its own: \(path) must stand in 'in:' or be named in 'run:'; "
      + "'lemma run --trace \(stage.id)' lists all that it looks for"
  }

  /// A path in a line: in quotes, or the last word with a slash or a dot in it before the complaint.
  private static func path(in line: Substring) -> String? {
    for quote in ["'", "\""] as [Character] {
      let parts = line.split(separator: quote, omittingEmptySubsequences: false)
      if parts.count >= 3, !parts[parts.count - 2].isEmpty { return String(parts[parts.count - 2]) }
    }
    let words = line.split { $0 == " " || $0 == ":" || $0 == "," }
    return words.last { $0.contains("/") || $0.dropFirst().dropLast().contains(".") }.map(String.init)
  }

  private static func network(_ log: String, _ stage: Stage, _ confinement: Confinement) -> String? {
    let complaints = ["Network is unreachable", "Temporary failure in name resolution", "Could not resolve host"]
    switch confinement {
    case .off, .traced: return nil
    case .strict, .landlock: break
    }
    guard !stage.policy.hasNetwork, complaints.contains(where: { log.contains($0) }) else { return nil }
    return "it has no network: declare 'network: true' if it must have one"
  }
}
