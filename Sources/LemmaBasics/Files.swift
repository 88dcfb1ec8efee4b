import CLinux
import Glibc
import Synchronization

/// Whole small files and folders. Durable publishing into the store is `LemmaStore`'s.
public enum Files {
  /// Counts writes, for temporary names.
  private static let writes = Atomic(0)

  /// The bytes of the regular file at `path`.
  /// - Throws: `Failure` when it cannot be opened or read, or is not a regular file.
  public static func read(_ path: String) throws -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw missing(path) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw Failure.system("fstat", path: path, errno: errno) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw Failure(.user, "not-a-file", "'\(path)' is not a regular file")
    }
    var failure: Int32 = 0
    let size = Int(status.st_size)
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      while count < size {
        let got = Glibc.read(descriptor, buffer.baseAddress! + count, size - count)
        if got < 0, errno == EINTR { continue }
        if got < 0 { failure = errno }
        if got <= 0 { break }
        count += got
      }
    }
    guard failure == 0 else { throw Failure.system("read", path: path, errno: failure) }
    return bytes
  }

  /// All that comes from an open descriptor, to its end.
  public static func readAll(_ descriptor: Int32) throws -> [UInt8] {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let got = Glibc.read(descriptor, &buffer, buffer.count)
      if got < 0, errno == EINTR { continue }
      if got < 0 { throw Failure.system("read", path: "descriptor \(descriptor)", errno: errno) }
      if got == 0 { return bytes }
      bytes += buffer[..<got]
    }
  }

  /// The UTF-8 text of the file at `path`.
  public static func readText(_ path: String) throws -> String {
    guard let text = String(validating: try read(path), as: UTF8.self) else {
      throw Failure(.user, "not-utf8", "'\(path)' is not valid UTF-8")
    }
    return text
  }

  /// Writes `bytes` to `path` through a temporary name, so that a reader sees the old file or the
  /// new one and never half of either. With `durable`, file and folder are flushed to the disk.
  public static func write(_ bytes: some Collection<UInt8>, to path: String, durable: Bool = false) throws {
    try write(to: path, durable: durable) { try writeAll(bytes, to: $0, path: $1) }
  }

  /// Writes one after the other what together may be too large to be put together first.
  public static func write(parts: [[UInt8]], to path: String) throws {
    try write(to: path, durable: false) { descriptor, path in
      for part in parts { try writeAll(part, to: descriptor, path: path) }
    }
  }

  private static let temporaryMark = ".tmp-"

  /// Whether a file of that name is what a kill left of one that was being written.
  public static func isLeftover(_ name: String) -> Bool { name.contains(temporaryMark) }

  /// The same of what `body` writes, step by step, to the descriptor that it is given, with the path that it stands for.
  public static func write(to path: String, durable: Bool, _ body: (Int32, String) throws -> Void) throws {
    // Threads may write the same file at once.
    let temporary = "\(path)\(temporaryMark)\(getpid())-\(writes.wrappingAdd(1, ordering: .relaxed).newValue)"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Failure.system("create", path: temporary, errno: errno) }
    do {
      defer { close(descriptor) }
      try body(descriptor, temporary)
      if durable, fsync(descriptor) != 0 { throw Failure.system("fsync", path: temporary, errno: errno) }
    } catch {
      unlink(temporary)
      throw error
    }
    guard Glibc.rename(temporary, path) == 0 else {
      let code = errno
      unlink(temporary)
      throw Failure.system("rename", path: path, errno: code)
    }
    if durable { try syncFolder(parent(path)) }
  }

  /// Writes all of `bytes` to an open file, whatever the size of the steps the kernel takes.
  public static func writeAll(_ bytes: some Collection<UInt8>, to descriptor: Int32, path: String) throws {
    let done: Void? = try bytes.withContiguousStorageIfAvailable { buffer in
      var offset = 0
      while offset < buffer.count {
        let put = Glibc.write(descriptor, buffer.baseAddress! + offset, buffer.count - offset)
        if put < 0, errno == EINTR { continue }
        if put < 0 { throw Failure.system("write", path: path, errno: errno) }
        offset += put
      }
    }
    if done == nil { try writeAll(Array(bytes), to: descriptor, path: path) }
  }

  /// Gives a file another name in one instant, in place of what had it.
  public static func rename(_ path: String, to name: String) throws {
    guard Glibc.rename(path, name) == 0 else { throw Failure.system("rename", path: name, errno: errno) }
  }

  /// Flushes a folder's entries to the disk, so that a rename in it survives a power cut.
  public static func syncFolder(_ path: String) throws {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Failure.system("open", path: path, errno: errno) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw Failure.system("fsync", path: path, errno: errno) }
  }

  /// Makes the folder and every missing one above it.
  public static func makeFolder(_ path: String) throws {
    if mkdir(path, 0o755) == 0 || errno == EEXIST && isFolder(path) { return }
    guard errno == ENOENT, parent(path) != path else { throw Failure.system("mkdir", path: path, errno: errno) }
    try makeFolder(parent(path))
    guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw Failure.system("mkdir", path: path, errno: errno) }
  }

  /// Whether anything stands at `path`; a dangling link counts.
  public static func exists(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0
  }

  public static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// The sorted names in a folder, without `.` and `..`.
  public static func list(_ path: String) throws -> [String] {
    guard let folder = opendir(path) else { throw missing(path) }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  /// Removes a file, or a folder with all that is in it, without following links. What is absent is
  /// no error.
  public static func remove(_ path: String) throws {
    let code = lemma_remove_tree(path)
    guard code == 0 else { throw Failure.system("remove", path: path, errno: code) }
  }

  /// The folder part of `path`.
  public static func parent(_ path: String) -> String {
    // By bytes: a combining mark behind the slash would hide it from `Character`.
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// The last part of `path`.
  public static func name(_ path: String) -> String {
    path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(path[path.utf8.index(after: $0)...]) } ?? path
  }

  private static func missing(_ path: String) -> Failure {
    errno == ENOENT
      ? Failure(.user, "no-such-file", "there is no '\(path)'")
      : Failure.system("open", path: path, errno: errno)
  }
}
