import Glibc
import LemmaBasics
import LemmaEngine
import LemmaHash
import LemmaPipeline

/// Whether the commands of a project may run. A pipeline file that came from elsewhere runs what it likes,
/// so the first run of a project shows its commands and asks. What was answered is kept outside of the
/// project, where the project cannot bring it along, and holds for this very folder.
struct Trust {
  private static let shownCommands = 20

  private let project: String
  private let folder: String?
  private let mark: JSON

  /// - Throws: `Failure` when the project's folder cannot be looked at.
  init(project: String) throws {
    var status = stat()
    guard stat(project, &status) == 0 else { throw Failure.system("stat", path: project, errno: errno) }
    self.project = project
    folder = Trust.stateFolder(outside: project)
    mark = [
      "path": .string(project), "device": JSON(Int(truncatingIfNeeded: status.st_dev)),
      "inode": JSON(Int(truncatingIfNeeded: status.st_ino)),
    ]
  }

  /// Lets the pipeline's commands run, or throws. A pipeline of built-in kinds alone needs no trust.
  /// - Parameters:
  ///   - isGiven: whether the person said so on the command line.
  ///   - pipeline: reads the pipeline, which is looked at only where there is no trust yet.
  /// - Throws: `Failure` of kind `user` when trust is needed and not given.
  func require(isGiven: Bool, pipeline: () throws -> Pipeline) throws {
    if isGranted || environmentIs("LEMMA_TRUST", "1") { return }
    let pipeline = try pipeline()
    let commands = Trust.commands(of: pipeline)
    if commands.isEmpty { return }
    if isGiven { return grant() }
    let count = commands.count == 1 ? "1 command" : "\(commands.count) commands"
    Terminal.note("'\(project)' has not been run here before. Its pipeline runs \(count) as you:")
    for line in commands.prefix(Trust.shownCommands) { Terminal.note("  \(line)") }
    if commands.count > Trust.shownCommands {
      Terminal.note("  and \(commands.count - Trust.shownCommands) more, see '\(pipeline.file)'")
    }
    if isatty(STDIN_FILENO) == 1, isatty(STDERR_FILENO) == 1 {
      Terminal.write("Run them, now and from now on? [y/N] ", to: STDERR_FILENO)
      if let answer = Interrupt.allowed({ readLine() })?.lowercased(), ["y", "yes"].contains(answer) { return grant() }
    }
    throw Failure(
      .user, "untrusted", "the commands of '\(pipeline.file)' are not trusted here, and nothing was run",
      hint: "read them; then 'lemma run --trust' runs them, once and for all in this folder")
  }

  /// Remembers that the project's commands may run. Where it cannot be remembered, it holds for this run.
  func grant() {
    guard let folder else { return }
    do {
      try Files.makeFolder(Files.parent(folder))
      if mkdir(folder, 0o700) != 0, errno != EEXIST { throw Failure.system("mkdir", path: folder, errno: errno) }
      try Files.write(mark.canonicalBytes, to: file(in: folder))
    } catch {
      Terminal.note("note: this will be asked again: \((error as? Failure)?.description ?? "\(error)")")
    }
  }

  /// Whether a mark for this folder is there, written by this user or root and by nobody else.
  private var isGranted: Bool {
    guard let folder, Trust.isPrivate(folder), Trust.isPrivate(file(in: folder)),
      let bytes = try? Files.read(file(in: folder))
    else { return false }
    return (try? JSON(parsing: bytes, file: "")) == mark
  }

  private func file(in folder: String) -> String { "\(folder)/\(Digest(of: Array(project.utf8)).hex)" }

  private static func isPrivate(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && [getuid(), 0].contains(status.st_uid) && status.st_mode & 0o022 == 0
      && status.st_mode & S_IFMT != S_IFLNK
  }

  /// `lemma/trusted` in the person's state folder (XDG Base Directory); `nil` where there is none, or
  /// where it lies in the project, which could bring its own.
  private static func stateFolder(outside project: String) -> String? {
    func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
    let base = variable("XDG_STATE_HOME").flatMap { $0.hasPrefix("/") ? $0 : nil }
    guard let place = base ?? variable("HOME").flatMap({ $0.hasPrefix("/") ? "\($0)/.local/state" : nil }) else {
      return nil
    }
    let resolved = realpath(place, nil)
    defer { free(resolved) }
    let real = resolved.map { String(cString: $0) } ?? place
    return real == project || real.hasPrefix(project + "/") ? nil : "\(place)/lemma/trusted"
  }

  private func environmentIs(_ name: String, _ value: String) -> Bool {
    getenv(name).map { String(cString: $0) } == value
  }

  /// What the pipeline runs, a line for each declared command.
  private static func commands(of pipeline: Pipeline) -> [String] {
    var seen: Set<String> = []
    return pipeline.stages.compactMap { stage in
      guard case .command(let words) = stage.work, seen.insert(stage.name).inserted else { return nil }
      let text = words.map { word in
        word.pieces.map { piece in
          switch piece {
          case .text(let text): text
          case .input(let name): "${in.\(name)}"
          case .output(let name): "${out.\(name)}"
          }
        }.joined()
      }.joined(separator: " ")
      return printableLine("\(stage.name): \(text.count > 300 ? "\(text.prefix(300))..." : text)")
    }
  }
}
