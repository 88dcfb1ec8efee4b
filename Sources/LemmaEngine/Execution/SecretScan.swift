import CLinux
import Glibc
import LemmaBasics

/// Looks for the values of secrets in what a command made, so that none is kept: a log can be cleaned,
/// a result must be what the command wrote.
struct SecretScan {
  /// A shorter value stands in much data by chance; from a log it is struck out all the same.
  static let leastBytes = 8

  private let secrets: [(name: String, value: [UInt8])]

  /// - Parameter secrets: values by the name of the variable that held them.
  init(_ secrets: [String: String]) {
    self.secrets = secrets.filter { $0.value.utf8.count >= SecretScan.leastBytes }
      .sorted { $0.key < $1.key }.map { ($0.key, Array($0.value.utf8)) }
  }

  /// - Parameter outputs: by name, the absolute path of each; what is not there is passed over.
  /// - Throws: `Failure` that names the secret and the output.
  func refuse(outputs: [(name: String, path: String)], of stage: String, at position: Position) throws {
    guard !secrets.isEmpty else { return }
    for output in outputs {
      if let name = try found(at: output.path) {
        throw Failure(
          .user, "secret-in-output", "stage '\(stage)': its output '\(output.name)' holds the secret '\(name)'",
          at: position, hint: "the command must not write it: results are kept and shown")
      }
    }
  }

  private func found(at path: String) throws -> String? {
    if let name = found(in: Array(Files.name(path).utf8)) { return name }
    var status = stat()
    guard lstat(path, &status) == 0 else { return nil }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return try found(inFile: path)
    case S_IFDIR:
      for name in try Files.list(path) {
        if let name = try found(at: "\(path)/\(name)") { return name }
      }
      return nil
    default: return nil
    }
  }

  /// Reads in steps that overlap by the longest value.
  private func found(inFile path: String) throws -> String? {
    let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { throw Failure.system("open", path: path, errno: errno) }
    defer { close(descriptor) }
    let overlap = (secrets.map(\.value.count).max() ?? 1) - 1
    let step = 1 << 20
    var window = [UInt8](repeating: 0, count: overlap + step)
    var kept = 0
    while true {
      let got = window.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress! + kept, step) }
      if got < 0, errno == EINTR { continue }
      guard got >= 0 else { throw Failure.system("read", path: path, errno: errno) }
      if got == 0 { return nil }
      let filled = kept + got
      if let name = found(in: window[..<filled]) { return name }
      kept = min(overlap, filled)
      window.replaceSubrange(0..<kept, with: Array(window[(filled - kept)..<filled]))
    }
  }

  private func found(in bytes: some Collection<UInt8>) -> String? {
    bytes.withContiguousStorageIfAvailable { buffer in
      secrets.first { secret in lemma_contains(buffer.baseAddress, buffer.count, secret.value, secret.value.count) != 0
      }?.name
    } ?? nil
  }
}
