import Glibc
import LemmaBasics

/// Writes one canonical JSON value a line. Nothing stands under the final name before `finish`.
public final class JSONLWriter {
  private let path: String
  private let temporary: String
  private let descriptor: Int32
  private var buffer: [UInt8] = []
  private var isOpen = true

  /// - Throws: `Failure` when the file cannot be made.
  public init(path: String) throws {
    self.path = path
    temporary = "\(path).tmp-\(getpid())"
    descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Failure.system("create", path: temporary, errno: errno) }
  }

  deinit {
    guard isOpen else { return }
    close(descriptor)
    unlink(temporary)
  }

  public func write(_ value: JSON) throws {
    buffer += value.canonicalBytes
    buffer.append(UInt8(ascii: "\n"))
    if buffer.count >= 1 << 20 { try flush() }
  }

  public func write(_ row: Row) throws { try write(row.json) }

  /// Writes what is left and gives the file its name.
  public func finish() throws {
    try flush()
    isOpen = false
    guard close(descriptor) == 0 else { throw Failure.system("close", path: temporary, errno: errno) }
    guard rename(temporary, path) == 0 else { throw Failure.system("rename", path: path, errno: errno) }
  }

  private func flush() throws {
    try Files.writeAll(buffer, to: descriptor, path: temporary)
    buffer.removeAll(keepingCapacity: true)
  }
}

extension Row {
  /// The rows of a JSONL file, in its order.
  public static func read(_ path: String) throws -> [Row] {
    var rows: [Row] = []
    try JSONLReader.forEach(path) { json, position in rows.append(try Row(json: json, at: position)) }
    return rows
  }

  /// Writes `rows` to a JSONL file, one canonical record a line.
  public static func write(_ rows: some Sequence<Row>, to path: String) throws {
    let writer = try JSONLWriter(path: path)
    for row in rows { try writer.write(row) }
    try writer.finish()
  }
}
