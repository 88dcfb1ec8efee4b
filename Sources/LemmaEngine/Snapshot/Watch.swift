import Glibc
import LemmaBasics
import LemmaHash
import LemmaStore

/// Something outside of the pipeline file that a verdict rests on.
struct Watch: Hashable, Sendable {
  enum Kind: UInt8, Sendable {
    /// Never vouched for: looked at anew each time.
    case never = 0
    /// A file, or what a link leads to, by content.
    case file
    /// A folder by content.
    case folder
    /// An output in the workspace, by content; a link is none.
    case outputFile
    case outputFolder
    /// No regular file stands there.
    case absent
    /// The very file, by its stamp: an object, a pack, a program. A stamp of zeros: nothing stands there.
    case exact
  }

  /// Absolute.
  var path: String
  var kind: Kind
  var stamp: Stamp
  /// When the content was looked at, nanoseconds since the epoch; 0 when the stamp is not to be trusted.
  var hashedAt: Int64
  var artifact: Artifact?
}

extension Watch.Kind {
  var isOutput: Bool { self == .outputFile || self == .outputFolder }
}

extension Watch {
  /// A file or folder as it was found to be.
  static func content(_ path: String, _ examined: Store.Examined, isOutput: Bool) -> Watch {
    let isFolder = examined.artifact.kind == .folder
    return Watch(
      path: path, kind: isOutput ? (isFolder ? .outputFolder : .outputFile) : isFolder ? .folder : .file,
      stamp: examined.stamp, hashedAt: examined.hashedAt, artifact: examined.artifact)
  }

  static func absent(_ path: String) -> Watch {
    Watch(path: path, kind: .absent, stamp: .none, hashedAt: 0, artifact: nil)
  }

  static func exact(_ path: String) -> Watch {
    Watch(path: path, kind: .exact, stamp: Stamp.of(path) ?? .none, hashedAt: 0, artifact: nil)
  }
}

extension Stamp {
  static let none = Stamp(device: 0, inode: 0, size: 0, modified: 0, changed: 0)
}

/// What became of a watch.
enum WatchState: UInt8, Sendable {
  case same
  /// The stamp is another one, or young; the content must be looked at.
  case unsure
  case changed
}

extension WatchRecord {
  /// What the file system says without reading any content.
  func state() -> WatchState {
    var status = stat()
    switch kind {
    case .never: return .unsure
    case .folder, .outputFolder: return .unsure
    case .absent:
      return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG ? .changed : .same
    case .exact:
      let now = lstat(path, &status) == 0 ? Stamp(status) : .none
      return now == stamp() ? .same : .changed
    case .file, .outputFile:
      let code = kind == .file ? stat(path, &status) : lstat(path, &status)
      guard code == 0, status.st_mode & S_IFMT == S_IFREG else { return .changed }
      let isExecutable = status.st_mode & 0o100 != 0
      guard isExecutable == (artifactByte == 2) else { return .changed }
      let now = Stamp(status)
      if now.size != Int64(bitPattern: digestSize) { return .changed }
      return now == stamp() && !now.isRacy(hashedAt: hashedAt) ? .same : .unsure
    }
  }
}
