import CLinux
import Glibc
import LemmaBasics
import LemmaStore

/// The strict sandbox: a file system that holds the system's folders, the stage's own and nothing else,
/// processes, network and host name of its own. Needs the program `bwrap`, and no privilege.
struct Bubblewrap: Sendable {
  /// Where the stage's execution root stands.
  static let rootPlace = "/stage"

  /// The program's file.
  let path: String

  /// The words before `--`.
  func arguments(_ needs: Confinement.Needs, in root: ExecutionRoot) -> [String] {
    var words = Bubblewrap.machine
    words += needs.hasNetwork ? bind(SystemFolders.networkConfiguration) : ["--unshare-net"]
    // Also what programs expect at /tmp goes into the root, on the disk and not in memory.
    words += ["--bind", "\(root.path)/tmp", "/tmp"]
    words += bind(needs.readable())
    words += ["--ro-bind", root.path, Bubblewrap.rootPlace]
    for folder in root.writable {
      words += ["--bind", "\(root.home(of: folder))/\(folder)", "\(Bubblewrap.rootPlace)/\(folder)"]
    }
    for (place, file) in root.borrowed { words += ["--ro-bind", file, "\(Bubblewrap.rootPlace)/\(place)"] }
    return words + ["--remount-ro", "/", "--chdir", Bubblewrap.rootPlace]
  }

  private func bind(_ paths: [String]) -> [String] {
    Set(paths).sorted().flatMap { ["--ro-bind-try", $0, $0] }
  }

  /// What is the same for every stage on this machine.
  private static let machine: [String] = {
    let system = SystemFolders.current
    var words = ["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--hostname", "lemma"]
    words += ["--die-with-parent", "--new-session"]
    words += system.readable.flatMap { ["--ro-bind-try", $0, $0] }
    words += system.links.flatMap { ["--symlink", $0.target, $0.path] }
    words += ["--proc", "/proc", "--dev", "/dev"]
    words += system.devices.flatMap { ["--dev-bind-try", $0, $0] }
    return words
  }()

  // MARK: Whether it works here

  /// Bubblewrap, if a trial of it ends well on this machine; else why not. A trial costs milliseconds, so
  /// its outcome is kept in the store until the next boot or another `bwrap`.
  static func find(store: Store) -> Result<Bubblewrap, Unavailable> {
    let folders = searchPath().split(separator: ":").map(String.init)
    guard let path = folders.map({ $0 + "/bwrap" }).first(where: { access($0, X_OK) == 0 }) else {
      return .failure(Unavailable(reason: "bubblewrap is not installed"))
    }
    let memo = "\(store.root)/sandbox-trial"
    let subject = subject(of: path)
    if let known = try? Files.readText(memo), known.hasPrefix(subject) {
      let reason = known.dropFirst(subject.count).filter { $0 != "\n" }
      return reason.isEmpty ? .success(Bubblewrap(path: path)) : .failure(Unavailable(reason: String(reason)))
    }
    let reason = trial(of: path)
    try? Files.write(Array("\(subject)\(reason ?? "")\n".utf8), to: memo)
    if let reason { return .failure(Unavailable(reason: reason)) }
    return .success(Bubblewrap(path: path))
  }

  struct Unavailable: Error {
    var reason: String
  }

  /// What a trial's outcome is good for: this boot, this user, this program.
  private static func subject(of path: String) -> String {
    var boot = [CChar](repeating: 0, count: 37)
    lemma_boot_id(&boot)
    let id = String(decoding: boot.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    var status = stat()
    stat(path, &status)
    return "boot \(id) user \(geteuid()) program \(status.st_ino) \(status.st_mtim.tv_sec) \(path)\n"
  }

  /// Starts something harmless in it; why it failed, or nil.
  private static func trial(of path: String) -> String? {
    let log = lemma_memory_file("log")
    guard log >= 0 else { return "no file for its words" }
    defer { close(log) }
    let words = ["bwrap"] + machine + ["--unshare-net", "--remount-ro", "/", "--", "/usr/bin/env", "true"]
    let launch = ChildProcess.Launch(path: path, words: words, environment: [], folder: "/", log: log)
    do {
      let ending = try ChildProcess(launch).wait(isCancelled: { false }, deadline: Clock.monotonic() + 5)
      if ending.status == 0 { return nil }
    } catch {
      return "\(error)"
    }
    var complaint = [UInt8](repeating: 0, count: 400)
    let got = pread(log, &complaint, complaint.count, 0)
    let line = complaint.prefix(max(0, got)).split(separator: UInt8(ascii: "\n")).first ?? []
    return line.isEmpty ? "it failed" : String(decoding: line, as: UTF8.self)
  }
}
