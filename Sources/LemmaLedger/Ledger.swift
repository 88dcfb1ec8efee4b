import CGit2
import Glibc
import LemmaBasics

/// The git history of runs, `refs/lemma/runs`: one commit a run, its parent the run before. It
/// lives in the project's repository if there is one, else in a bare one beside the store.
public final class Ledger {
  public static let reference = "refs/lemma/runs"
  private static let completionMark = "lemma-ledger"

  /// The repository's folder (`.git`, or the bare repository).
  public let location: String
  let repository: Handle
  /// Once there is one, it takes all that is written here.
  private var batch: ObjectBatch?
  private var lastFolder: (run: String, path: String, tree: Handle)?

  /// - Parameters:
  ///   - project: the folder from which a repository is looked for, upwards on the same file system.
  ///   - fallback: the bare repository to use, and to make, when there is none; once begun it is used
  ///     for good.
  /// - Throws: `Failure` when a repository is there and cannot be used.
  public init(project: String, fallback: String) throws {
    try Git.start()
    var found = git_buf()
    defer { git_buf_dispose(&found) }
    var path = fallback
    let isBegun = Files.exists("\(fallback)/HEAD")
    if !isBegun, git_repository_discover(&found, project, 0, nil) == 0, let text = found.ptr {
      path = String(cString: text)
    }
    // What a kill left half made, with locks that nobody holds, holds no run and is made anew.
    let isNew = path == fallback && !Ledger.isComplete(fallback)
    if isNew, !Files.exists("\(fallback)/\(Ledger.reference)"), !Files.exists("\(fallback)/packed-refs") {
      try Files.remove(fallback)
    }
    location = path
    repository = try Handle.make("open the ledger's repository '\(path)'", free: git_repository_free) {
      isNew ? git_repository_init($0, path, 1) : git_repository_open($0, path)
    }
    if isNew { try Files.write([], to: "\(fallback)/\(Ledger.completionMark)", durable: true) }
  }

  /// Whether a repository beside the store was made to the end.
  public static func isComplete(_ fallback: String) -> Bool { Files.exists("\(fallback)/\(completionMark)") }

  /// The newest run's commit, or `nil` before the first.
  public func head() throws -> String? {
    var id = git_oid()
    let code = repository.use { git_reference_name_to_id(&id, $0, Ledger.reference) }
    if code == GIT_ENOTFOUND.rawValue { return nil }
    try Git.check(code, "read \(Ledger.reference)")
    return id.hex
  }

  /// Whether a run is part of the history that ends with the newest one.
  public func contains(_ run: String) throws -> Bool {
    guard let head = try head(), var newest = git_oid(hex: head), var wanted = git_oid(hex: run) else { return false }
    if head == run { return true }
    return repository.use { git_graph_descendant_of($0, &newest, &wanted) == 1 }
  }

  /// The commit that the repository's own branch stands on: the version of the project's files, where
  /// the ledger lives with them. `nil` in a bare repository or before the first commit.
  public func projectCommit() -> String? {
    var id = git_oid()
    let isThere = repository.use { git_repository_is_bare($0) == 0 && git_reference_name_to_id(&id, $0, "HEAD") == 0 }
    guard isThere else { return nil }
    return id.hex
  }

  /// Commits a run on top of the newest one. One process at a time commits to a ledger; the caller sees to
  /// that.
  /// - Parameters:
  ///   - base: the run whose tree the new one is made from; nil for an empty one.
  ///   - changes: what differs from it; paths with `/` between the parts, nil for a file that goes.
  ///   - message: built from the run's number in this history, which counts from 1.
  ///   - time: seconds since the epoch.
  /// - Returns: the commit's id.
  public func commit(
    base: String? = nil, changes: [(path: String, bytes: [UInt8]?)], time: Int64, message: (_ number: Int) -> String
  ) throws -> String {
    if batch == nil, changes.count >= ObjectBatch.worthwhile { batch = try ObjectBatch(repository) }
    let tree = try writeTree(base: base, changes: changes)
    var abandoned = AbandonedLock("\(location)/\(Ledger.reference).lock")
    for attempt in 0... {
      let parent = try head()
      let number = try parent.map { try run($0).number + 1 } ?? 1
      var id = try writeCommit(tree: tree, parent: parent, time: time, message: message(number))
      try batch?.write(trees: tree, changed: changes.map(\.path), commit: id)
      // Objects first, then the name that makes them a run.
      let code = try moveReference(to: &id, from: parent)
      if code == 0 { return id.hex }
      guard attempt < 250 else { break }
      if code == GIT_ELOCKED.rawValue, abandoned.remove() { continue }
      usleep(20_000)  // Another process committed first: go on top of it.
    }
    throw Failure(
      .store, "ledger-locked", "the ledger '\(location)' stays locked by another process",
      hint: "if no git process is at work there, remove '\(location)/\(Ledger.reference).lock' and run again")
  }

  /// - Returns: 0, or libgit2's code when another process was first.
  private func moveReference(to id: inout git_oid, from parent: String?) throws -> Int32 {
    var reference: OpaquePointer?
    defer { git_reference_free(reference) }
    var expected = parent.flatMap { git_oid(hex: $0) } ?? git_oid()
    let code = repository.use { repository in
      parent == nil
        ? git_reference_create(&reference, repository, Ledger.reference, &id, 0, "run")
        : git_reference_create_matching(&reference, repository, Ledger.reference, &id, 1, &expected, "run")
    }
    if [GIT_EMODIFIED.rawValue, GIT_ELOCKED.rawValue, GIT_EEXISTS.rawValue].contains(code) { return code }
    try Git.check(code, "move \(Ledger.reference)")
    return 0
  }

  private func writeCommit(tree: git_oid, parent: String?, time: Int64, message: String) throws -> git_oid {
    var treeID = tree
    let tree = try make("read back a tree", free: git_tree_free) { git_tree_lookup($0, $1, &treeID) }
    let parentHandle = try parent.map { try commitHandle($0) }
    var signature: UnsafeMutablePointer<git_signature>?
    let (name, address) = Ledger.person()
    try Git.check(git_signature_new(&signature, name, address, time, 0), "sign the run")
    defer { git_signature_free(signature) }
    var id = git_oid()
    func create(_ parents: [OpaquePointer?]) -> Int32 {
      var parents = parents
      return repository.use { repository in
        tree.use { tree in
          git_commit_create(&id, repository, nil, signature, signature, "UTF-8", message, tree, parents.count, &parents)
        }
      }
    }
    try Git.check(parentHandle.map { $0.use { create([$0]) } } ?? create([]), "commit the run")
    return id
  }

  /// Who runs: the account and the host, as the system names them.
  private static func person() -> (name: String, address: String) {
    let account = getpwuid(getuid()).map { String(cString: $0.pointee.pw_name) } ?? "uid-\(getuid())"
    var host = [CChar](repeating: 0, count: 256)
    gethostname(&host, host.count - 1)
    let hostName = String(decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return (account, "\(account)@\(hostName.isEmpty ? "localhost" : hostName)")
  }

  private func writeTree(
    base: String?, changes: [(path: String, bytes: [UInt8]?)]
  ) throws -> git_oid {
    let baseline = try base.map { try treeHandle($0) }
    let names = changes.map { strdup($0.path) }
    defer { for name in names { free(name) } }
    var updates: [git_tree_update] = []
    for ((path, bytes), name) in zip(changes, names) {
      var update = git_tree_update()
      update.path = UnsafePointer(name)
      update.filemode = GIT_FILEMODE_BLOB
      if let bytes {
        update.action = GIT_TREE_UPDATE_UPSERT
        try Git.check(
          repository.use { git_blob_create_from_buffer(&update.id, $0, bytes, bytes.count) }, "write '\(path)'")
        batch?.add(update.id)
      } else {
        guard let baseline, baseline.use({ Ledger.holds($0, path) }) else { continue }
        update.action = GIT_TREE_UPDATE_REMOVE
      }
      updates.append(update)
    }
    var id = git_oid()
    func create(_ baseline: OpaquePointer?) -> Int32 {
      repository.use { git_tree_create_updated(&id, $0, baseline, updates.count, updates) }
    }
    try Git.check(baseline.map { $0.use(create) } ?? create(nil), "write the run's tree")
    return id
  }

  private static func holds(_ tree: OpaquePointer, _ path: String) -> Bool {
    var entry: OpaquePointer?
    defer { git_tree_entry_free(entry) }
    return git_tree_entry_bypath(&entry, tree, path) == 0
  }

  /// Looks something up in the repository.
  func make(
    _ doing: @autoclosure () -> String, free: @escaping (OpaquePointer) -> Void,
    _ call: (UnsafeMutablePointer<OpaquePointer?>, OpaquePointer) -> Int32
  ) throws -> Handle {
    try Handle.make(doing(), free: free) { found in repository.use { call(found, $0) } }
  }

  func commitHandle(_ hex: String) throws -> Handle {
    guard var id = git_oid(hex: hex) else {
      throw Failure(.user, "run-id", "'\(hex)' is not the id of a run")
    }
    return try make("read run \(hex) of the ledger", free: git_commit_free) { git_commit_lookup($0, $1, &id) }
  }
}

/// One run as the ledger has it.
public struct RecordedRun: Sendable {
  /// The commit, 40 hexadecimal digits.
  public var id: String
  public var parent: String?
  /// The run's number in this history, from 1.
  public var number: Int
  /// Seconds since the epoch.
  public var time: Int64
  public var message: String

  /// The first line of the message.
  public var title: String { String(message.utf8.prefix { $0 != UInt8(ascii: "\n") }) ?? "" }
}

extension Ledger {
  private static let numberTrailer = "Lemma-Run: "

  /// The last line of a run's message, which numbers it in its history.
  public static func trailer(number: Int) -> String { "\(numberTrailer)\(number)\n" }

  /// - Throws: `Failure` that names the commit when it is missing or its bytes are not those of its
  ///   name.
  public func run(_ id: String) throws -> RecordedRun {
    let commit = try commitHandle(id)
    let message = commit.use { git_commit_message($0).map { String(cString: $0) } } ?? ""
    let parent = commit.use { git_commit_parentcount($0) > 0 ? git_commit_parent_id($0, 0)?.pointee.hex : nil }
    let number = message.utf8.split(separator: UInt8(ascii: "\n")).last { $0.starts(with: Ledger.numberTrailer.utf8) }
      .flatMap { Int(Substring($0.dropFirst(Ledger.numberTrailer.utf8.count))) }
    guard let number, (1...Int(Int32.max)).contains(number) else {
      throw Failure(.store, "ledger", "commit \(id) is not a run: it has no \(Ledger.numberTrailer)line")
    }
    return RecordedRun(
      id: id, parent: parent, number: number, time: commit.use { git_commit_time($0) }, message: message)
  }

  /// The runs from `start` (the newest when nil) backwards.
  public func runs(from start: String? = nil, limit: Int = .max) throws -> [RecordedRun] {
    var runs: [RecordedRun] = []
    var next = try start ?? head()
    while let id = next, runs.count < limit {
      let run = try run(id)
      runs.append(run)
      next = run.parent
    }
    return runs
  }

  /// The full id of the run that `text` names: `latest`, `@~1` (one before), `#12` or `12` (its
  /// number), a tag, or the head of a commit id.
  public func resolve(_ text: String) throws -> String {
    let history = try runs()
    let digits = text.hasPrefix("#") ? String(text.dropFirst()) : text
    if text == "latest" || text == "@", let first = history.first { return first.id }
    if text.hasPrefix("@~"), let back = Int(text.dropFirst(2)), history.indices.contains(back) {
      return history[back].id
    }
    if digits.utf8.count < 7, let number = Int(digits), let run = history.first(where: { $0.number == number }) {
      return run.id
    }
    if let tagged = try run(ofTag: text) { return tagged }
    let matches = history.filter { text.utf8.count >= 4 && $0.id.hasPrefix(text) }
    if matches.count == 1 { return matches[0].id }
    throw Failure(
      .user, "no-such-run", matches.isEmpty ? "there is no run '\(text)'" : "'\(text)' names \(matches.count) runs",
      hint: "see 'lemma log'")
  }

  /// The paths in a run's tree, sorted.
  public func files(of id: String) throws -> [String] {
    final class Paths { var all: [String] = [] }
    let paths = Paths()
    let tree = try treeHandle(id)
    let code = tree.use {
      git_tree_walk(
        $0, GIT_TREEWALK_PRE,
        { root, entry, payload in
          if git_tree_entry_type(entry) == GIT_OBJECT_BLOB, let root, let payload, let name = git_tree_entry_name(entry)
          {
            let paths = Unmanaged<Paths>.fromOpaque(payload).takeUnretainedValue()
            paths.all.append(String(cString: root) + String(cString: name))
          }
          return 0
        }, Unmanaged.passUnretained(paths).toOpaque())
    }
    try Git.check(code, "walk the tree of run \(id)")
    return paths.all.sorted()
  }

  /// The bytes of a file in a run's tree; `nil` when there is no such file.
  public func read(_ path: String, of id: String) throws -> [UInt8]? {
    guard let folder = try folder(Files.parent(path), of: id) else { return nil }
    let object = folder.use { git_tree_entry_byname($0, Files.name(path)).map { git_tree_entry_id($0).pointee.hex } }
    return try object.map { try read(object: $0) }
  }

  /// A folder of a run's tree; `nil` when there is none. The one asked for last is kept: to read a folder of ten
  /// thousand entries once for each of them takes minutes.
  func folder(_ path: String, of id: String) throws -> Handle? {
    if let last = lastFolder, last.run == id, last.path == path { return last.tree }
    var tree = try treeHandle(id)
    if path != "." {
      var entry: OpaquePointer?
      let code = tree.use { git_tree_entry_bypath(&entry, $0, path) }
      if code == GIT_ENOTFOUND.rawValue { return nil }
      try Git.check(code, "find '\(path)' in run \(id)")
      defer { git_tree_entry_free(entry) }
      var folderID = git_tree_entry_id(entry).pointee
      tree = try make("read '\(path)' of run \(id)", free: git_tree_free) { git_tree_lookup($0, $1, &folderID) }
    }
    lastFolder = (id, path, tree)
    return tree
  }

  func treeHandle(_ id: String) throws -> Handle {
    let commit = try commitHandle(id)
    return try Handle.make("read the tree of run \(id)", free: git_tree_free) { tree in
      commit.use { git_commit_tree(tree, $0) }
    }
  }
}
