import Glibc
import LemmaBasics
import LemmaHash
import LemmaStore

/// What a command printed, in a file. Secrets that it was given are taken out before anybody sees it.
struct CommandLog {
  let path: String

  private static let tailBytes: off_t = 64 << 10
  private static let tailLines = 12
  private static let keptBytes: off_t = 64 << 20
  private static let lineBytes = 400

  /// Opens the file for a stage to print to, empty.
  func begin() throws -> Int32 {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Failure.system("create", path: path, errno: errno) }
    var status = stat()
    // Most stages print nothing, and what is empty need not be emptied.
    if fstat(descriptor, &status) == 0, status.st_size == 0 || ftruncate(descriptor, 0) == 0 { return descriptor }
    let code = errno
    close(descriptor)
    throw Failure.system("ftruncate", path: path, errno: code)
  }

  /// The last lines, for an error message.
  func tail(withoutSecrets secrets: [String: String]) -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return "" }
    defer { close(descriptor) }
    let lines = LogCleaning.redact(end(of: descriptor, atMost: CommandLog.tailBytes, secrets), secrets)
      .split(separator: UInt8(ascii: "\n"))
    return lines.suffix(CommandLog.tailLines)
      .map { "  | " + String(decoding: $0.prefix(CommandLog.lineBytes), as: UTF8.self) }
      .joined(separator: "\n")
  }

  /// Whether nothing was printed.
  var isEmpty: Bool {
    var status = stat()
    return stat(path, &status) != 0 || status.st_size == 0
  }

  /// Where the log of an action's last failed attempt is kept.
  static func keptPath(of key: Digest, in store: Store) -> String { keptPath(ofKey: key.hex, in: store) }
  static func keptPath(ofKey key: String, in store: Store) -> String { "\(store.root)/logs/\(Files.name(key))" }

  /// Keeps a copy without the values of secrets, the end of it when it is very long.
  func keep(at target: String, withoutSecrets secrets: [String: String]) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Failure.system("open", path: path, errno: errno) }
    defer { close(descriptor) }
    let bytes = LogCleaning.redact(end(of: descriptor, atMost: CommandLog.keptBytes, secrets), secrets)
    try Files.makeFolder(Files.parent(target))
    try Files.write(bytes, to: target)
  }

  private func end(of descriptor: Int32, atMost limit: off_t, _ secrets: [String: String]) -> [UInt8] {
    let end = lseek(descriptor, 0, SEEK_END)
    var bytes = [UInt8](repeating: 0, count: Int(min(end, limit)))
    let got = pread(descriptor, &bytes, bytes.count, end - off_t(bytes.count))
    var text = Array(bytes.prefix(max(0, got)))
    // A value that begins before what was read would not be known by its end.
    if end > limit {
      let longest = max(4096, secrets.values.map(\.utf8.count).max() ?? 0)
      text.removeFirst(text.firstIndex(of: UInt8(ascii: "\n")) ?? min(text.count, longest))
    }
    return text
  }

  /// Rewrites the file without the values of secrets.
  func remove(secrets: [String: String]) throws { try LogCleaning.clean(path, secrets) }
}
