import Glibc
import LemmaBasics

/// What of the machine every stage may read: the system's programs, libraries and the configuration
/// that they need. Nothing of a person's or a project's is in here.
struct SystemFolders: Sendable {
  /// Folders and files, in an order in which each may be mounted.
  var readable: [String] = []
  /// Links to these, such as `/bin` to `usr/bin`.
  var links: [(path: String, target: String)] = []
  /// Devices for computing, which are written to.
  var devices: [String] = []

  static let current = SystemFolders()

  private static let tops = [
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store",
  ]
  /// What programs need of `/etc` to start, to name users and to draw; each costs a mount under `strict`.
  private static let configuration = [
    "OpenCL", "R", "alternatives", "fonts", "group", "ld.so.cache", "ld.so.preload", "nsswitch.conf", "os-release",
    "passwd", "ssl",
  ]
  /// What they need on top to find hosts and services by name.
  static let networkConfiguration = [
    "ca-certificates", "gai.conf", "host.conf", "hosts", "pki", "protocols", "resolv.conf", "services",
  ].map { "/etc/\($0)" }

  private init() {
    for path in SystemFolders.tops + SystemFolders.configuration.map({ "/etc/\($0)" }) {
      var target = [CChar](repeating: 0, count: 4096)
      let length = readlink(path, &target, target.count)
      if length > 0 {
        links.append((path, String(decoding: target[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)))
      } else if access(path, R_OK) == 0 {
        readable.append(path)
      }
    }
    // How many processors there are, and how much memory a control group may take: the unified hierarchy, or the
    // memory controller's own where there is one.
    let groups = Files.isFolder("/sys/fs/cgroup/memory") ? "/sys/fs/cgroup/memory" : "/sys/fs/cgroup"
    readable += ["/sys/devices/system", groups].filter(Files.isFolder)
    devices = ((try? Files.list("/dev")) ?? []).filter { $0.hasPrefix("nvidia") || $0 == "kfd" || $0 == "dri" }
      .map { "/dev/\($0)" }
  }

  /// Whether a path lies in what every stage may read.
  func contain(_ path: String) -> Bool {
    (readable + links.map(\.path)).contains { path == $0 || path.hasPrefix($0 + "/") }
  }

  /// Whether a path is the system's, there or not.
  static func isSystem(_ path: String) -> Bool {
    let places = tops + ["/proc", "/sys", "/dev"] + configuration.map { "/etc/\($0)" } + networkConfiguration
    return places.contains { path == $0 || path.hasPrefix($0 + "/") }
  }

  // MARK: Programs outside of the system

  /// The folders that a program needs to be what it is: its installation, as found and as its links lead.
  /// - Parameter project: the project's folder.
  static func installation(ofProgram path: String, project: String) -> [String] {
    var folders: [String] = []
    for place in [path, resolved(path)] where !current.contain(place) {
      folders.append(installation(at: Files.parent(place), project))
    }
    return folders
  }

  /// The folder above `bin`, which holds a program's libraries; but never a home or a project folder as a
  /// whole, nor anything above.
  private static func installation(at folder: String, _ project: String) -> String {
    let prefix = Files.parent(folder)
    let isPrefix = ["bin", "sbin", "shims", "libexec"].contains(Files.name(folder))
    let home = getenv("HOME").map { resolved(String(cString: $0)) } ?? "/root"
    let isTooMuch = [home, project].contains { prefix == "/" || $0 == prefix || $0.hasPrefix(prefix + "/") }
    return isPrefix && !isTooMuch ? prefix : folder
  }

  private static func resolved(_ path: String) -> String {
    guard let real = realpath(path, nil) else { return path }
    defer { free(real) }
    return String(cString: real)
  }

  /// The folders of the libraries that this very program was loaded with, outside of the system: a worker
  /// is the same program.
  static let ownLibraries: [String] = {
    guard let maps = try? Files.readProcess("/proc/self/maps") else { return [] }
    let paths = maps.split(separator: "\n").compactMap { line -> String? in
      guard let slash = line.firstIndex(of: "/"), line.contains(".so") else { return nil }
      return Files.parent(String(line[slash...]))
    }
    return Set(paths).filter { !current.contain($0) }.sorted()
  }()
}

extension Files {
  /// The text of a file of `/proc`, whose size is not told beforehand.
  static func readProcess(_ path: String) throws -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Failure.system("open", path: path, errno: errno) }
    defer { close(descriptor) }
    var text: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let got = Glibc.read(descriptor, &buffer, buffer.count)
      if got < 0, errno == EINTR { continue }
      guard got > 0 else { break }
      text += buffer[..<got]
    }
    return String(decoding: text, as: UTF8.self)
  }
}
