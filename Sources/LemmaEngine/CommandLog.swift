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
    let lines = CommandLog.redact(Array(bytes.prefix(max(0, got))), secrets).split(separator: UInt8(ascii: "\n"))
    return lines.suffix(CommandLog.tailLines)
      .map { "  | " + String(decoding: $0.prefix(CommandLog.lineBytes), as: UTF8.self) }
      .joined(separator: "\n")
  }

  /// Rewrites the file without the values of secrets.
  func remove(secrets: [String: String]) throws {
    if secrets.isEmpty { return }
    let bytes = try Files.read(path)
    let clean = CommandLog.redact(bytes, secrets)
    if clean != bytes { try Files.write(clean, to: path) }
  }

  /// Puts `***NAME***` where a value of four bytes or more stands; shorter ones are in every text.
  static func redact(_ bytes: [UInt8], _ secrets: [String: String]) -> [UInt8] {
    var text = bytes
    for (name, value) in secrets.sorted(by: { $0.value.utf8.count > $1.value.utf8.count }) where value.utf8.count >= 4 {
      text = text.replacing(Array(value.utf8), with: Array("***\(name)***".utf8))
    }
    return text
  }
}
