import Glibc
import LemmaBasics

/// Takes secrets out of what a command printed: the values that it was given, and what looks like a key.
enum LogCleaning {
  private static let step = 8 << 20

  /// `***NAME***` in the place of a value of four bytes or more (shorter ones are in every text), `***` in
  /// the place of what looks like a key.
  static func redact(_ bytes: [UInt8], _ secrets: [String: String]) -> [UInt8] {
    var text = bytes
    let longestFirst = secrets.sorted { ($1.value.utf8.count, $0.key) < ($0.value.utf8.count, $1.key) }
    for (name, value) in longestFirst where value.utf8.count >= 4 {
      text = text.replacing(Array(value.utf8), with: Array("***\(name)***".utf8))
    }
    return KeyShapes.redact(text)
  }

  /// Rewrites a log without them. It is read in steps that end with a line, so that a long log takes
  /// little memory; a value of several lines is looked for in the whole.
  static func clean(_ path: String, _ secrets: [String: String]) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Failure.system("open", path: path, errno: errno) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw Failure.system("fstat", path: path, errno: errno) }
    if status.st_size == 0 { return }
    let isWhole = secrets.values.contains { $0.utf8.contains(UInt8(ascii: "\n")) }
    let step = isWhole ? max(LogCleaning.step, Int(status.st_size)) : LogCleaning.step
    let clean = "\(path).clean"
    let output = open(clean, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard output >= 0 else { throw Failure.system("create", path: clean, errno: errno) }
    defer {
      close(output)
      unlink(clean)
    }
    var isChanged = false
    var rest: [UInt8] = []
    while true {
      let (chunk, isEnd) = try read(descriptor, step, path)
      rest += chunk
      let cut = isEnd ? rest.count : (rest.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? rest.count)
      let piece = Array(rest[..<cut])
      let redacted = redact(piece, secrets)
      isChanged = isChanged || redacted != piece
      try Files.writeAll(redacted, to: output, path: clean)
      rest.removeFirst(cut)
      if isEnd { break }
    }
    if isChanged, rename(clean, path) != 0 { throw Failure.system("rename", path: path, errno: errno) }
  }

  private static func read(_ descriptor: Int32, _ step: Int, _ path: String) throws -> ([UInt8], isEnd: Bool) {
    var bytes = [UInt8](repeating: 0, count: step)
    var filled = 0
    while filled < step {
      let got = bytes.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress! + filled, step - filled) }
      if got < 0, errno == EINTR { continue }
      guard got >= 0 else { throw Failure.system("read", path: path, errno: errno) }
      if got == 0 { return (Array(bytes[..<filled]), true) }
      filled += got
    }
    return (bytes, false)
  }
}
