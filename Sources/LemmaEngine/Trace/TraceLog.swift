import LemmaBasics

/// Reads what `strace -f -y` wrote, and knows where each process stood. It knows nothing of stages.
struct TraceLog {
  /// One path that a process named.
  struct Use: Hashable {
    enum Purpose {
      /// Looked at, opened for reading, executed.
      case read
      /// Listed: a folder opened as one.
      case list
      /// Made, changed, moved or removed.
      case write
    }

    /// Absolute, without `.` and `..`.
    var path: String
    var purpose: Purpose
    /// Whether something stood there.
    var isPresent: Bool
  }

  /// In the order in which they were first named.
  private(set) var uses: [Use] = []
  private var seen: Set<Use> = []
  /// By process: where its relative names start.
  private var folders: [Substring: String] = [:]
  /// The first half of a call during which another process was heard.
  private var halves: [Substring: Substring] = [:]
  private var lastParent: Substring?
  private let start: String

  private static let forks: Set<Substring> = ["clone", "clone3", "fork", "vfork"]
  private static let reads: Set<Substring> = [
    "access", "chdir", "execve", "execveat", "faccessat", "faccessat2", "getxattr", "lgetxattr", "listxattr",
    "llistxattr", "lstat", "newfstatat", "open", "openat", "openat2", "readlink", "readlinkat", "stat", "statfs",
    "statx", "uselib",
  ]

  /// - Parameter folder: where the first process stood.
  init(_ text: String, startingIn folder: String) {
    start = folder
    for line in text.split(separator: "\n") { read(line) }
  }

  private mutating func read(_ line: Substring) {
    guard let space = line.firstIndex(of: " ") else { return }
    let process = line[..<space]
    if folders[process] == nil { folders[process] = lastParent.flatMap { folders[$0] } ?? start }
    var call = line[space...].drop { $0 == " " }
    if call.hasSuffix("<unfinished ...>") {
      halves[process] = call.dropLast("<unfinished ...>".count)
      if let name = call.split(separator: "(").first, TraceLog.forks.contains(name) { lastParent = process }
      return
    }
    if call.hasPrefix("<... ") {
      guard let half = halves.removeValue(forKey: process), let end = call.range(of: "resumed>") else { return }
      call = half + call[end.upperBound...]
    }
    guard let open = call.firstIndex(of: "("), let equals = call.lastRange(of: ") ") else { return }
    let name = call[..<open]
    let result = call[equals.upperBound...].drop { $0 == " " || $0 == "=" }
    if TraceLog.forks.contains(name) {
      lastParent = process
      return
    }
    take(name, call[call.index(after: open)..<equals.lowerBound], result, of: process)
  }

  private mutating func take(_ name: Substring, _ words: Substring, _ result: Substring, of process: Substring) {
    let isPresent = !result.hasPrefix("-1 ENOENT") && !result.hasPrefix("-1 ENOTDIR")
    if name == "fchdir" {
      if let folder = TraceWord.place(in: words) { folders[process] = folder }
      return
    }
    var arguments = TraceWord.paths(in: words, from: folders[process] ?? start)
    if name == "execve" || !name.hasPrefix("rename") && !name.contains("link") {
      arguments = Array(arguments.prefix(1))
    }
    // A symbolic link's first word is what it says, not what is used.
    if name.hasPrefix("symlink") { arguments = Array(arguments.suffix(1)) }
    guard let path = arguments.first else { return }
    if name == "chdir", result.hasPrefix("0") { folders[process] = path }
    if let folder = TraceWord.currentFolder(in: words) { folders[process] = folder }
    if !TraceLog.reads.contains(name) {
      for path in arguments { add(Use(path: path, purpose: .write, isPresent: isPresent)) }
    } else if words.contains("O_WRONLY") || words.contains("O_CREAT") || words.contains("O_RDWR") {
      add(Use(path: path, purpose: .write, isPresent: isPresent))
    } else {
      add(Use(path: path, purpose: words.contains("O_DIRECTORY") ? .list : .read, isPresent: isPresent))
    }
  }

  private mutating func add(_ use: Use) {
    if seen.insert(use).inserted { uses.append(use) }
  }
}
