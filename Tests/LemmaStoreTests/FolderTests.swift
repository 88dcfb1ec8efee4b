import Glibc
import LemmaBasics
import LemmaHash
import LemmaStore
import LemmaTestSupport
import Testing

@Suite("Folders: what changed is seen, what did not is not read")
struct FolderTests {
  let space = TestSpace()

  private func makeStore(_ name: String = "cache") throws -> Store { try Store(at: space.file(name)) }

  /// What a store that never saw the folder makes of it.
  private func fresh() throws -> Artifact? {
    try Files.remove(space.file("fresh"))
    return try makeStore("fresh").identify(space.file("in"), trustsStamps: false)
  }

  /// Makes everything in the folder old enough for its stamps to be believed.
  private func age() { usleep(2_100_000) }

  @Test("the manifest is that of the sorted paths, names with bytes below the slash included")
  func order() throws {
    for name in ["a/b", "a.txt", "a-b/c", "a!", "a0", "b/a/a", "b/a.x", "b/a!x/y", "b"] where name != "b" {
      try space.write("in/\(name)", name)
    }
    let store = try makeStore()
    let artifact = try store.ingest(space.file("in"))
    let tree = try store.tree(artifact.identity)
    #expect(Identity(of: try Tree(tree.entries).bytes) == artifact.identity)
    #expect(tree.files.count == 8)
  }

  @Test("thousands of files, in one folder and in many, on several threads")
  func many() throws {
    for number in 0..<3000 { try space.write("in/flat/\(number)", "flat \(number)") }
    for number in 0..<300 { try space.write("in/deep/\(number)/\(number % 7)/x", "deep \(number)") }
    let store = try makeStore()
    let artifact = try store.ingest(space.file("in"))
    try store.flush()
    #expect(try store.isSound(artifact))
    #expect(try fresh() == artifact)
    try store.materialise(artifact, at: space.file("back"))
    #expect(try makeStore("other").identify(space.file("back")) == artifact)
  }

  @Test("a settled folder is looked at again without reading, and every kind of change is seen")
  func settled() throws {
    for number in 0..<600 { try space.write("in/d/\(number)", "file \(number)") }
    try space.write("in/run", "#!/bin/sh\n")
    symlink("here", space.file("in/link"))
    age()
    #expect(try makeStore().identify(space.file("in")) == fresh())
    let changes: [(String, () throws -> Void)] = [
      ("content, size and time restored", { try edit("in/d/17", restoringTimes: true) }),
      ("executable", { chmod(space.file("in/run"), 0o755) }),
      (
        "link",
        {
          unlink(space.file("in/link")); symlink("away", space.file("in/link"))
        }
      ),
      ("new file", { try space.write("in/d/new", "new") }),
      ("removed file", { unlink(space.file("in/d/33")) }),
      (
        "file to folder",
        {
          unlink(space.file("in/d/44")); try space.write("in/d/44/x", "x")
        }
      ),
      ("swapped", { try swap("in/d/55", "in/d/56") }),
      ("new folder", { mkdir(space.file("in/empty"), 0o755) }),
    ]
    for (name, change) in changes {
      let before = try makeStore().identify(space.file("in"))
      try change()
      let after = try makeStore().identify(space.file("in"))
      #expect(after != before, "\(name)")
      #expect(try after == fresh(), "\(name)")
    }
  }

  private func edit(_ name: String, restoringTimes: Bool) throws {
    var status = stat()
    stat(space.file(name), &status)
    let descriptor = open(space.file(name), O_WRONLY)
    write(descriptor, "X", 1)
    close(descriptor)
    var times = [status.st_atim, status.st_mtim]
    if restoringTimes { utimensat(AT_FDCWD, space.file(name), &times, 0) }
  }

  private func swap(_ one: String, _ other: String) throws {
    rename(space.file(one), space.file("third"))
    rename(space.file(other), space.file(one))
    rename(space.file("third"), space.file(other))
  }

  @Test("random edits: a store that remembers says what one that reads everything says")
  func randomEdits() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededGenerator(seed: seed)
    for number in 0..<40 { try space.write("in/\(number % 4)/\(number)", "file \(number)") }
    for step in 0..<120 {
      let name = "in/\(Int.random(in: 0..<4, using: &random))/\(Int.random(in: 0..<40, using: &random))"
      switch Int.random(in: 0..<6, using: &random) {
      case 0: try space.write(name, "written in step \(step)")
      case 1: unlink(space.file(name))
      case 2: if Files.exists(space.file(name)) { try edit(name, restoringTimes: true) }
      case 3: rename(space.file(name), space.file("in/\(Int.random(in: 0..<4, using: &random))/moved"))
      case 4: chmod(space.file(name), Bool.random(using: &random) ? 0o755 : 0o644)
      default: break
      }
      let store = try makeStore()
      let found = try Bool.random(using: &random) ? store.identify(space.file("in")) : store.ingest(space.file("in"))
      #expect(try found == fresh(), "seed \(seed), step \(step)")
      if let found, try store.isSound(found.identity) {
        #expect(try store.isSound(found), "seed \(seed), step \(step)")
      }
    }
  }

  @Test("a census that was damaged is as good as none")
  func damagedCensus() throws {
    for number in 0..<600 { try space.write("in/\(number)", "file \(number)") }
    let expected = try fresh()
    _ = try makeStore().identify(space.file("in"))
    let censuses = try Files.list(space.file("cache/censuses"))
    #expect(censuses.count == 1)
    let path = space.file("cache/censuses/\(censuses[0])")
    let whole = try Files.read(path)
    for damage in 0..<20 {
      var bytes = whole
      if damage < 10 { bytes[damage * whole.count / 10] ^= 1 } else { bytes.removeLast(damage * 37) }
      try Files.write(bytes, to: path)
      #expect(try makeStore().identify(space.file("in")) == expected)
    }
  }

  @Test("thousands of folders one in the other, far beyond the longest path: taken in, put back, removed")
  func deep() throws {
    // A path of the innermost has more than PATH_MAX bytes; five thousand take a minute in a debug build.
    let depth = 2200
    mkdir(space.file("in"), 0o755)
    var folder = open(space.file("in"), O_RDONLY | O_DIRECTORY)
    for _ in 0..<depth {
      mkdirat(folder, "d", 0o755)
      let next = openat(folder, "d", O_RDONLY | O_DIRECTORY)
      close(folder)
      folder = next
    }
    try Files.writeAll(Array("deep".utf8), to: openat(folder, "f", O_WRONLY | O_CREAT, 0o644), path: "f")
    close(folder)
    let store = try makeStore()
    let artifact = try store.ingest(space.file("in"))
    try store.materialise(artifact, at: space.file("back"))
    #expect(try store.identify(space.file("back")) == artifact)
    #expect(try store.tree(artifact.identity).entries.count == depth + 1)
    try Files.remove(space.file("in"))
    #expect(!Files.exists(space.file("in")))
  }

  @Test("a member that the store lost is taken in again, although the file did not change")
  func healed() throws {
    for number in 0..<50 { try space.write("in/\(number)", "file \(number)") }
    age()
    let store = try makeStore()
    let artifact = try store.ingest(space.file("in"))
    try store.flush()
    try StoredObject.all(in: space.file("cache"))[20].flip()
    let other = try makeStore()
    #expect(try other.ingest(space.file("in")) == artifact)
    try other.flush()
    #expect(try makeStore().isSound(artifact))
    try makeStore().materialise(artifact, at: space.file("back"))
  }

  @Test("what is none of a folder's content is named at once", arguments: ["fifo", "socket"])
  func special(kind: String) throws {
    try space.write("in/a", "1")
    if kind == "fifo" { mkfifo(space.file("in/s"), 0o644) } else { mknod(space.file("in/s"), S_IFSOCK | 0o644, 0) }
    #expect { try makeStore().ingest(space.file("in")) } throws: {
      ($0 as? Failure)?.code == "special-file" && "\($0)".contains("in/s")
    }
  }

  @Test("links are recorded, whatever they point at, and never followed")
  func links() throws {
    for (name, target) in [("out", "/etc/passwd"), ("dangling", "nowhere"), ("loop", "loop")] {
      try space.write("in/keep", "x")
      symlink(target, space.file("in/\(name)"))
    }
    let store = try makeStore()
    let artifact = try store.ingest(space.file("in"))
    #expect(try store.tree(artifact.identity).files.count == 1)
    try store.materialise(artifact, at: space.file("back"))
    #expect(try store.identify(space.file("back")) == artifact)
  }
}
