import CGit2
import LemmaBasics

/// libgit2, started once and cut off from the user's world: no system or user configuration, no
/// hooks, filters or transports; objects flushed to the disk, hashes checked on every read.
enum Git {
  private static let isStarted: Void = {
    git_libgit2_init()
    for level in [GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL, GIT_CONFIG_LEVEL_PROGRAMDATA]
    {
      _ = lemma_git_set_search_path(level.rawValue, "")
    }
    _ = lemma_git_enable_fsync(1)
    _ = lemma_git_enable_owner_validation(1)
    _ = lemma_git_enable_strict_hash_verification(1)
  }()

  /// - Throws: `Failure` when the installed library is older than the faults mended in 1.5.1.
  static func start() throws {
    _ = isStarted
    var (major, minor, revision): (Int32, Int32, Int32) = (0, 0, 0)
    git_libgit2_version(&major, &minor, &revision)
    guard (major, minor, revision) >= (1, 5, 1) else {
      throw Failure(
        .store, "libgit2", "libgit2 \(major).\(minor).\(revision) is too old: it has known faults",
        hint: "install libgit2 1.5.1 or newer")
    }
  }

  /// Throws what libgit2 last said when `code` is an error.
  static func check(_ code: Int32, _ doing: @autoclosure () -> String) throws {
    guard code < 0 else { return }
    let reason = git_error_last().map { String(cString: $0.pointee.message) } ?? "error \(code)"
    // libgit2 tells only which setting would have let it pass, and by no code of its own everywhere.
    if code == GIT_EOWNER.rawValue || reason.contains("safe.directory") {
      throw Failure(
        .store, "ledger", "cannot \(doing()): it belongs to another user",
        hint: "work as its owner, or move the project out of it")
    }
    throw Failure(.store, "ledger", "cannot \(doing()): \(reason)")
  }
}

/// An owned libgit2 handle, freed with its last reference.
final class Handle {
  private let pointer: OpaquePointer
  private let free: (OpaquePointer) -> Void

  init(_ pointer: OpaquePointer, free: @escaping (OpaquePointer) -> Void) {
    self.pointer = pointer
    self.free = free
  }

  deinit { free(pointer) }

  /// Lends the pointer for the length of a call. A handle may be released right after its last use,
  /// which a bare pointer would not count as.
  func use<T>(_ body: (OpaquePointer) throws -> T) rethrows -> T {
    try withExtendedLifetime(self) { try body(pointer) }
  }

  /// Calls a libgit2 function that fills in a pointer.
  static func make(
    _ doing: @autoclosure () -> String, free: @escaping (OpaquePointer) -> Void,
    _ call: (UnsafeMutablePointer<OpaquePointer?>) -> Int32
  ) throws -> Handle {
    var pointer: OpaquePointer?
    try Git.check(call(&pointer), doing())
    guard let pointer else { throw Failure(.internal, "ledger", "libgit2 gave nothing to \(doing())") }
    return Handle(pointer, free: free)
  }
}

extension git_oid {
  /// 40 hexadecimal digits.
  var hex: String {
    var copy = self
    var text = [CChar](repeating: 0, count: 41)
    git_oid_tostr(&text, text.count, &copy)
    return String(decoding: text.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  init?(hex: String) {
    self.init()
    guard hex.utf8.count == 40, git_oid_fromstr(&self, hex) == 0 else { return nil }
  }
}
