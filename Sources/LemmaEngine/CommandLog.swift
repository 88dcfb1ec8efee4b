import Glibc
import LemmaBasics

/// What a command printed, in a file. Secrets that it was given are taken out before anybody sees it.
struct CommandLog {
  let path: String

  private static let tailBytes: off_t = 64 << 10
  private static let tailLines = 12
  private static let lineBytes = 400

  /// The last lines, for an error message.
  func tail(withoutSecrets secrets: [String: String]) -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return "" }
    defer { close(descriptor) }
    let end = lseek(descriptor, 0, SEEK_END)
    var bytes = [UInt8](repeating: 0, count: Int(min(end, CommandLog.tailBytes)))
    let got = pread(descriptor, &bytes, bytes.count, end - off_t(bytes.count))
    var text = Array(bytes.prefix(max(0, got)))
    // A value that begins before what was read would not be known by its end.
    if end > CommandLog.tailBytes {
      let whole = text.firstIndex(of: UInt8(ascii: "\n")) ?? min(text.count, CommandLog.longest(secrets))
      text.removeFirst(whole)
    }
    let lines = LogCleaning.redact(text, secrets).split(separator: UInt8(ascii: "\n"))
    return lines.suffix(CommandLog.tailLines)
      .map { "  | " + String(decoding: $0.prefix(CommandLog.lineBytes), as: UTF8.self) }
      .joined(separator: "\n")
  }

  private static func longest(_ secrets: [String: String]) -> Int {
    max(4096, secrets.values.map(\.utf8.count).max() ?? 0)
  }

  /// Rewrites the file without the values of secrets.
  func remove(secrets: [String: String]) throws { try LogCleaning.clean(path, secrets) }
}
