import Glibc
import LemmaBasics

/// Reads a file of one JSON value a line, a buffer at a time. It takes CRLF, a byte order mark,
/// blank lines and a missing final newline; it refuses bytes that are not text.
public final class JSONLReader {
  /// A line longer than this is no record but a wrong file.
  public static let lineLimit = 64 << 20

  private let path: String
  private let descriptor: Int32
  private var buffer: [UInt8] = []
  private var start = 0
  private var atEnd = false
  private var line = 0

  /// - Throws: `Failure` when the file cannot be opened.
  public init(path: String) throws {
    self.path = path
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw errno == ENOENT
        ? Failure(.user, "no-such-file", "there is no '\(path)'") : Failure.system("open", path: path, errno: errno)
    }
  }

  deinit { close(descriptor) }

  /// The next value and its line; `nil` after the last.
  /// - Throws: `Failure` of kind `user` with file, line and column for a line that is not JSON.
  public func next() throws -> (value: JSON, position: Position)? {
    while let bytes = try nextLine() {
      let position = Position(file: path, line: line)
      if bytes.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { continue }
      try refuseBinary(bytes)
      return (try JSON(parsing: bytes, file: path, firstLine: line), position)
    }
    return nil
  }

  /// Every value of the file at `path`, in order.
  public static func forEach(_ path: String, _ body: (JSON, Position) throws -> Void) throws {
    let reader = try JSONLReader(path: path)
    while let (value, position) = try reader.next() { try body(value, position) }
  }

  private func nextLine() throws -> ArraySlice<UInt8>? {
    var searched = start
    while true {
      if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
        defer { start = end + 1 }
        return trimmed(start..<end)
      }
      searched = buffer.count
      if atEnd {
        guard start < buffer.count else { return nil }
        defer { start = buffer.count }
        return trimmed(start..<buffer.count)
      }
      let kept = buffer.count - start
      guard kept <= JSONLReader.lineLimit else {
        throw Failure(
          .user, "line-too-long", "the line is longer than \(JSONLReader.lineLimit >> 20) MiB",
          at: Position(file: path, line: line + 1), hint: "a JSONL file has one record a line")
      }
      searched -= start
      try fill()
    }
  }

  private func trimmed(_ range: Range<Int>) -> ArraySlice<UInt8> {
    line += 1
    var range = range
    if range.upperBound > range.lowerBound, buffer[range.upperBound - 1] == UInt8(ascii: "\r") {
      range = range.lowerBound..<range.upperBound - 1
    }
    if line == 1, buffer[range].starts(with: [0xEF, 0xBB, 0xBF]) {
      range = range.lowerBound + 3..<range.upperBound
    }
    return buffer[range]
  }

  private func fill() throws {
    buffer.removeSubrange(..<start)
    start = 0
    var chunk = [UInt8](repeating: 0, count: 1 << 18)
    var got = read(descriptor, &chunk, chunk.count)
    while got < 0, errno == EINTR { got = read(descriptor, &chunk, chunk.count) }
    guard got >= 0 else { throw Failure.system("read", path: path, errno: errno) }
    if got == 0 { atEnd = true } else { buffer += chunk[..<got] }
  }

  private func refuseBinary(_ bytes: ArraySlice<UInt8>) throws {
    if line == 1, bytes.starts(with: [0x1F, 0x8B]) || bytes.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) {
      throw Failure(
        .user, "compressed", "this is a compressed file", at: Position(file: path, line: 1, column: 1),
        hint: "unpack it first")
    }
    if let nul = bytes.firstIndex(of: 0) {
      throw Failure(.user, "nul-byte", "a NUL byte stands in the text", at: place(nul, in: bytes))
    }
    if let fault = firstInvalidUTF8(bytes) {
      throw Failure(.user, "not-utf8", "the text is not valid UTF-8", at: place(fault, in: bytes))
    }
  }

  private func place(_ index: Int, in bytes: ArraySlice<UInt8>) -> Position {
    Position(file: path, line: line, column: index - bytes.startIndex + 1)
  }
}

/// The index of the first byte that does not belong to valid UTF-8.
func firstInvalidUTF8(_ bytes: ArraySlice<UInt8>) -> Int? {
  if String(validating: bytes, as: UTF8.self) != nil { return nil }
  var decoder = Unicode.UTF8.ForwardParser()
  var iterator = bytes.makeIterator()
  var offset = bytes.startIndex
  while true {
    switch decoder.parseScalar(from: &iterator) {
    case .valid(let scalar): offset += scalar.count
    case .error, .emptyInput: return offset
    }
  }
}
