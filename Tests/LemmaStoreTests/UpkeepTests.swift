import Glibc
import LemmaBasics
import LemmaHash
import LemmaStore
import LemmaTestSupport
import Testing

@Suite("Upkeep: verifying, collecting, making the index anew, opening with care")
struct UpkeepTests {
  let space = TestSpace()
  private let large = [UInt8](repeating: 7, count: 100_000)

  private func makeStore() throws -> Store { try Store(at: space.file("cache")) }
  private func bytes(_ number: Int) -> [UInt8] { Array("object \(number) of many".utf8) }
  private var later: Int64 { Int64.max }

  private func fill() throws -> Store {
    let store = try makeStore()
    for number in 0..<20 { try store.put(bytes(number)) }
    try store.put(large)
    try store.flush()
    return store
  }

  @Test("a whole store is sound; every altered, missing and foreign file is named")
  func verifying() throws {
    _ = try fill()
    let whole = try makeStore().verifyAll(quarantines: true)
    #expect(whole.isSound && whole.objects == 21)
    let objects = try StoredObject.all(in: space.file("cache"))
    let altered = objects.filter { $0.path.contains("/packs/") }[3]
    try altered.flip()
    let alone = try #require(objects.first { $0.path.contains("/objects/") })
    try alone.flip()
    try space.write("cache/objects/ab/stray", "x")
    try space.write("cache/packs/stray", "x")
    let looked = try makeStore().verifyAll(quarantines: false)
    #expect(Set(looked.faults.map(\.identity.digest.hex)) == [altered.digest, alone.digest])
    #expect(looked.strays.map(\.path).sorted().map(Files.name) == ["stray", "stray"])
    #expect(try Files.list(space.file("cache/quarantine")) == [])
    #expect(try makeStore().verifyAll(quarantines: true).faults.count == 2)
    #expect(try Files.list(space.file("cache/quarantine")).count == 2)
    #expect(try makeStore().verifyAll(quarantines: false).faults == [])
  }

  @Test("a file that is gone is missing to a verification")
  func missing() throws {
    _ = try fill()
    let alone = try #require(try StoredObject.all(in: space.file("cache")).first { $0.path.contains("/objects/") })
    try Files.remove(alone.path)
    #expect(
      try makeStore().verifyAll(quarantines: true).faults
        == [ObjectFault(identity: Identity(of: large), reason: .missing)])
  }

  @Test("a collection removes what is neither needed nor young, and says the same beforehand")
  func collecting() throws {
    try fill().flush()
    let needed = Set((0..<5).map { Identity(of: bytes($0)) })
    let store = try makeStore()
    #expect(try store.collect(keeping: needed, olderThan: 0, dryRun: false).objects == 0, "all are young")
    let told = try store.collect(keeping: needed, olderThan: later, dryRun: true)
    #expect(try store.isSound(Identity(of: large)), "a dry run removes nothing")
    let done = try store.collect(keeping: needed, olderThan: later, dryRun: false)
    #expect(done.objects == 16 && done.objects == told.objects && done.bytes == told.bytes && done.kept == 5)
    for number in 0..<20 { #expect(try makeStore().isSound(Identity(of: bytes(number))) == (number < 5)) }
    #expect(try !makeStore().isSound(Identity(of: large)))
    #expect(try StoredObject.all(in: space.file("cache")).count == 5)
    #expect(try makeStore().verifyAll(quarantines: false).isSound)
    #expect(try makeStore().collect(keeping: [], olderThan: later, dryRun: false).objects == 5)
    #expect(try StoredObject.all(in: space.file("cache")).isEmpty)
  }

  @Test("what a folder is made of is kept with it")
  func closure() throws {
    try space.write("in/a", "1")
    try space.write("in/b/c", "2")
    let store = try makeStore()
    let folder = try store.ingest(space.file("in"))
    try store.put(bytes(1))
    try store.flush()
    let needed = try store.closure(of: [folder])
    #expect(needed.count == 3)
    #expect(try makeStore().collect(keeping: needed, olderThan: later, dryRun: true).objects == 1)
  }

  @Test("while another process writes, a collection gives up and nothing is lost")
  func inUse() throws {
    let writer = try fill()
    #expect { try makeStore().collect(keeping: [], olderThan: later, dryRun: false) } throws: {
      ($0 as? Failure)?.code == "store-in-use"
    }
    #expect(try writer.isSound(Identity(of: bytes(1))))
  }

  @Test("an index made anew knows every object, and keeps what it knows of actions")
  func rebuilding() throws {
    try fill().flush(recording: [
      ActionRecord(key: Digest(of: [1]), documentSeal: Seal(of: [1]), result: ["a": 1])
    ])
    let rebuilt = try makeStore().rebuildIndex()
    #expect(rebuilt.packedObjects == 20 && rebuilt.aside == nil)
    let store = try makeStore()
    for number in 0..<20 { #expect(try store.isSound(Identity(of: bytes(number)))) }
    #expect(try store.isSound(Identity(of: large)))
    #expect(try store.index.result(key: Digest(of: [1]), documentSeal: Seal(of: [1])) == ["a": 1])
  }

  @Test("workspaces are registered once, and can be forgotten")
  func workspaces() throws {
    let store = try makeStore()
    for path in ["/b", "/a", "/b"] { try store.index.register(workspace: path) }
    #expect(try makeStore().index.workspaces() == ["/a", "/b"])
    try store.index.forget(workspace: "/b")
    #expect(try store.index.workspaces() == ["/a"])
  }

  @Test("a store is its owner's alone")
  func permissions() throws {
    _ = try makeStore()
    var status = stat()
    stat(space.file("cache"), &status)
    #expect(status.st_mode & 0o777 == 0o700)
    chmod(space.file("cache"), 0o777)
    #expect { try makeStore() } throws: { ($0 as? Failure)?.code == "open-store" }
  }

  @Test("another user's store is refused", .enabled(if: getuid() == 0, "only root can give a folder away"))
  func foreign() throws {
    _ = try makeStore()
    chown(space.file("cache"), 12345, 12345)
    #expect { try makeStore() } throws: { ($0 as? Failure)?.code == "foreign-store" }
  }

  @Test("a store of the first version is brought up to date, its objects with it")
  func firstVersion() throws {
    try space.write("cache/format", "lemma store 1\n")
    let identity = Identity(of: bytes(1))
    let name = "\(identity.digest.hex.prefix(2))/\(identity.digest.hex.dropFirst(2))-\(identity.seal.hex.prefix(16))"
    try space.write("cache/objects/\(name)", String(decoding: bytes(1), as: UTF8.self))
    let store = try makeStore()
    #expect(try store.read(identity) == bytes(1) && store.isSound(identity))
    #expect(try space.read("cache/format") == "lemma store 2\n")
  }

  @Test(
    "on a read-only file system what is there is served, and nothing is taken in",
    .enabled(if: getuid() == 0, "mounting needs root"))
  func readOnly() throws {
    guard try Command.run(["mount", "-t", "tmpfs", "none", space.path], in: "/").status == 0 else {
      throw Failure(.internal, "test", "cannot mount")
    }
    defer { _ = try? Command.run(["umount", space.path], in: "/") }
    let input = TestSpace()
    try input.write("in/a", "1")
    do {
      let store = try makeStore()
      for number in 0..<20 { try store.put(bytes(number)) }
      _ = try store.ingest(input.file("in"))
      try store.flush()
    }
    #expect(try Command.run(["mount", "-o", "remount,ro", space.path], in: "/").status == 0)
    let store = try makeStore()
    #expect(try store.read(Identity(of: bytes(3))) == bytes(3))
    #expect(try store.isSound(Identity(of: bytes(4))))
    #expect(try store.identify(input.file("in")) != nil)
    #expect(throws: Failure.self) { try store.put(bytes(99)) }
    #expect { try store.put(bytes(99)) } throws: { ($0 as? Failure)?.code == "store-read-only" }
    #expect {
      try store.flush(recording: [ActionRecord(key: Digest(of: [1]), documentSeal: Seal(of: [1]), result: [:])])
    } throws: { ($0 as? Failure)?.code == "store-read-only" }
  }

  @Test("a file larger than the disk is refused before it fills it")
  func sparse() throws {
    let descriptor = open(space.file("huge"), O_RDWR | O_CREAT, 0o644)
    #expect(ftruncate(descriptor, off_t(8) << 50) == 0 || ftruncate(descriptor, off_t(8) << 40) == 0)
    close(descriptor)
    #expect { try makeStore().ingest(space.file("huge")) } throws: { ($0 as? Failure)?.code == "no-room" }
  }
}
