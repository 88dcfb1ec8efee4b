import CGit2
import CLinux
import Glibc
import LemmaBasics

/// Many new objects of one commit, which become a single pack file with one flush; loose, each would
/// be a file and a flush of its own. From its making on, everything written to the repository stays in
/// memory until `write`.
final class ObjectBatch {
  /// From this many files on a pack costs less than loose objects do; below, loose ones leave the
  /// repository with fewer packs.
  static let worthwhile = 16

  private let repository: Handle
  private let database: Handle
  private let memory: UnsafeMutablePointer<git_odb_backend>
  private var objects: [git_oid] = []
  /// Settings of this process, in a file that is nowhere; libgit2 looks at it from time to time.
  private let settings: Int32

  /// By default each object is tried as a difference to ten others, which costs more than all else that a commit
  /// of many small files does. One try keeps most of the gain: records that stand side by side are alike.
  private static let ownSettings = "[pack]\n\twindowMemory = 1\n"

  init(_ repository: Handle) throws {
    self.repository = repository
    settings = lemma_memory_file("settings")
    database = try Handle.make("open the ledger's objects", free: git_odb_free) { database in
      repository.use { git_repository_odb(database, $0) }
    }
    var memory: UnsafeMutablePointer<git_odb_backend>?
    try Git.check(git_mempack_new(&memory), "prepare a pack")
    guard let memory else { throw Failure(.internal, "ledger", "libgit2 gave no memory for a pack") }
    self.memory = memory
    // Above every other backend, so that it takes what is written. The database owns it from here.
    try Git.check(database.use { git_odb_add_backend($0, memory, 1000) }, "prepare a pack")
    try configure()
  }

  private func configure() throws {
    guard settings >= 0 else { throw Failure.system("memfd_create", path: "settings", errno: errno) }
    try Files.writeAll(Array(ObjectBatch.ownSettings.utf8), to: settings, path: "settings")
    let configuration = try Handle.make("read the ledger's settings", free: git_config_free) { configuration in
      repository.use { git_repository_config(configuration, $0) }
    }
    let code = configuration.use { configuration in
      repository.use {
        git_config_add_file_ondisk(configuration, "/proc/self/fd/\(settings)", GIT_CONFIG_LEVEL_APP, $0, 1)
      }
    }
    try Git.check(code, "set how the ledger is packed")
  }

  deinit { close(settings) }

  func add(_ object: git_oid) { objects.append(object) }

  /// Writes the batch as a pack, flushed to the disk.
  /// - Parameters:
  ///   - trees: the root tree, whose folders on the way to `changed` are new as well.
  ///   - changed: the paths whose blobs were added.
  func write(trees root: git_oid, changed: [String], commit: git_oid) throws {
    let builder = try Handle.make("prepare a pack", free: git_packbuilder_free) { builder in
      repository.use { git_packbuilder_new(builder, $0) }
    }
    var rootID = root
    let tree = try Handle.make("read back a tree", free: git_tree_free) { tree in
      repository.use { git_tree_lookup(tree, $0, &rootID) }
    }
    var all = objects + [commit, root]
    for folder in ObjectBatch.folders(of: changed) {
      var entry: OpaquePointer?
      // A folder whose last file went is gone too.
      guard tree.use({ git_tree_entry_bypath(&entry, $0, folder) }) == 0 else { continue }
      all.append(git_tree_entry_id(entry).pointee)
      git_tree_entry_free(entry)
    }
    try builder.use { builder in
      for object in all {
        var id = object
        try Git.check(git_packbuilder_insert(builder, &id, nil), "pack object \(object.hex)")
      }
      try Git.check(git_packbuilder_write(builder, nil, 0, nil, nil), "write the run's pack")
    }
    objects = []
    git_mempack_reset(memory)
  }

  private static func folders(of paths: [String]) -> Set<String> {
    var folders: Set<String> = []
    for path in paths {
      var folder = Files.parent(path)
      while folder != ".", folders.insert(folder).inserted { folder = Files.parent(folder) }
    }
    return folders
  }
}
