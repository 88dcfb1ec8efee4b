import Glibc
import LemmaBasics

/// What this process may still take of the machine's memory: what is free, within the limits of its control group and
/// of those around it. Reference: cgroups(7), and the kernel's documentation of the memory controller of either version.
struct AvailableMemory {
  /// What stands before `/proc` and `/sys`: nothing on a machine.
  var root = ""

  /// Nil where the system does not say.
  func bytes() -> Int? {
    kibibytes("/proc/meminfo", "MemAvailable").map { lines("/proc/self/cgroup").compactMap(room).reduce($0 << 10, min) }
  }

  /// Bytes that this process has taken already, files aside. Nil where the system does not say.
  func taken() -> Int? { kibibytes("/proc/self/status", "RssAnon").map { $0 << 10 } }

  private func kibibytes(_ path: String, _ name: String) -> Int? {
    let line = lines(path).first { $0.hasPrefix("\(name):") }
    return line?.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap { Int($0) }
  }

  /// The least room in a group and all around it, for a line such as `0::/a/b` or `4:memory:/a/b`.
  private func room(_ line: Substring) -> Int? {
    let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3 else { return nil }
    let isUnified = parts[0] == "0" && parts[1].isEmpty
    guard isUnified || parts[1].split(separator: ",").contains("memory") else { return nil }
    let top = isUnified ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory"
    let files = isUnified ? ("memory.max", "memory.current") : ("memory.limit_in_bytes", "memory.usage_in_bytes")
    // In a container the top is the container's own group, and the path may be one outside.
    var group = String(parts[2])
    var least: Int?
    while true {
      let folder = group == "/" ? top : top + group
      if let limit = number("\(folder)/\(files.0)"), let used = number("\(folder)/\(files.1)") {
        let files = reclaimable("\(folder)/memory.stat", isUnified ? "" : "total_")
        least = min(least ?? .max, max(0, limit - max(0, used - files)))
      }
      if group == "/" || group.isEmpty { return least }
      group = Files.parent(group)
    }
  }

  /// Bytes of files in memory, which give way when memory is asked for.
  private func reclaimable(_ path: String, _ prefix: String) -> Int {
    lines(path).reduce(0) { sum, line in
      let words = line.split(separator: " ")
      guard words.count == 2, ["\(prefix)active_file", "\(prefix)inactive_file"].contains(String(words[0])) else {
        return sum
      }
      return sum + (Int(words[1]) ?? 0)
    }
  }

  private func number(_ path: String) -> Int? { lines(path).first.flatMap { Int($0) } }

  /// The lines of a file of the kernel's, which says that it has no size; none where there is no file.
  private func lines(_ path: String) -> [Substring] {
    let descriptor = open(root + path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return [] }
    defer { close(descriptor) }
    let text = (try? Files.readAll(descriptor)).flatMap { String(validating: $0, as: UTF8.self) }
    return text?.split(separator: "\n") ?? []
  }
}
