import Glibc
import LemmaBasics
import LemmaPipeline

/// Tells what of a trace is undeclared: neither the stage's own, nor the system's, nor its tools'.
struct TraceReading {
  private let project: String
  private let store: String
  private let root: String
  private let stage: Stage
  /// Places of inputs, relative to the root.
  private let places: [String]
  /// What the sandbox lets it read beside the system's folders.
  private let readable: [String]

  init(project: Workspace, root: ExecutionRoot, action: Resolver.Action, program: String?) {
    self.project = project.project
    store = project.store.root
    self.root = root.path
    stage = action.stage
    places = action.inputs.flatMap(\.members).map(\.place) + (action.command.map { Array($0.files.keys) } ?? [])
    let tools = action.command.map { command in
      command.tools.values.flatMap { SystemFolders.installation(ofProgram: $0.path, project: project.project) }
    }
    readable = tools ?? [program].compactMap { $0.map(Files.parent) } + SystemFolders.ownLibraries
  }

  func report(_ log: TraceLog) -> TraceReport {
    var reads: Set<String> = []
    var listed: Set<String> = []
    var absent: Set<String> = []
    var writes: Set<String> = []
    for use in log.uses {
      guard let path = undeclared(use.path) ?? partlyListed(use) else { continue }
      // What it made itself is no input.
      if writes.contains(path) { continue }
      let stands = Files.exists(path.hasPrefix("/") ? path : "\(project)/\(path)")
      switch use.purpose {
      case .write: writes.insert(path)
      case .list where stands: listed.insert(path)
      // It was not there for the stage, which could not get as far as what is in it.
      case .read where stands && isFolder(path) && !use.isPresent: listed.insert(path)
      case .read where stands && !isFolder(path): reads.insert(path)
      case .read where stands: break
      default: absent.insert(path)
      }
    }
    // A folder that was listed is one input, with all that is in it.
    let covered = { (path: String) in listed.contains { path.hasPrefix($0 + "/") } }
    let all = reads.union(listed).filter { !covered($0) }.sorted()
    var report = TraceReport(stage: stage)
    report.projectReads = all.filter { !$0.hasPrefix("/") }
    report.otherReads = all.filter { $0.hasPrefix("/") }
    report.absent = absent.subtracting(all).sorted()
    report.writes = writes.sorted()
    report.name()
    return report
  }

  /// The path as it would be declared, relative to the project if it lies there; nil when the stage may
  /// have it, or it is only on the way to what it may have.
  private func undeclared(_ path: String) -> String? {
    if let inside = TraceReading.below(root, path) {
      let isOwn = ["", "in", "out", "tmp", "resume"].contains(inside.split(separator: "/").first.map(String.init) ?? "")
      let isDeclared = places.contains { $0 == inside || $0.hasPrefix(inside + "/") || inside.hasPrefix($0 + "/") }
      return isOwn || isDeclared ? nil : inside
    }
    if TraceReading.below(path, root) != nil || path == store || TraceReading.below(store, path) != nil { return nil }
    if let inside = TraceReading.below(project, path) { return inside.isEmpty ? nil : inside }
    if SystemFolders.isSystem(path) || readable.contains(where: { path == $0 || TraceReading.below($0, path) != nil }) {
      return nil
    }
    return readable.contains { TraceReading.below(path, $0) != nil } ? nil : path
  }

  /// A folder that the stage listed and saw less of than the project has: only declared files stand in it.
  private func partlyListed(_ use: TraceLog.Use) -> String? {
    guard use.purpose == .list, let inside = TraceReading.below(root, use.path), !inside.isEmpty,
      places.contains(where: { $0.hasPrefix(inside + "/") }), !places.contains(inside),
      let all = try? Files.list("\(project)/\(inside)"), let seen = try? Files.list(use.path)
    else { return nil }
    return Set(all).isSubset(of: seen) ? nil : inside
  }

  /// What of `path` lies below `folder`: empty for the folder itself; nil when it does not.
  private static func below(_ folder: String, _ path: String) -> String? {
    if path == folder { return "" }
    let prefix = folder == "/" ? "/" : folder + "/"
    return path.hasPrefix(prefix) ? String(path.utf8.dropFirst(prefix.utf8.count)) : nil
  }

  private func isFolder(_ path: String) -> Bool { Files.isFolder(path.hasPrefix("/") ? path : "\(project)/\(path)") }
}
