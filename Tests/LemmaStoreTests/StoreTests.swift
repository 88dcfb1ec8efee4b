import Glibc
import LemmaBasics
import LemmaHash
import LemmaStore
import LemmaTestSupport
import Synchronization
import Testing

@Suite("The store: what goes in comes out, or is refused by name")
struct StoreTests {
  let space = TestSpace()

  /// A content that is kept in a file of its own.
  private let large = String(repeating: "some bytes\n", count: 8000)

  private func makeStore() throws -> Store { try Store(at: space.file("cache")) }

  /// Takes in a file and makes it durable.
  private func keep(_ path: String, in store: Store) throws -> Artifact {
    let artifact = try store.ingest(path)
    try store.flush()
    return artifact
  }

  /// The only file of the store with these bytes.
  private func objectPath(_ artifact: Artifact) throws -> String {
    let hex = artifact.identity.digest.hex
    let folder = space.file("cache/objects/\(hex.prefix(2))")
    return "\(folder)/\(try #require(try Files.list(folder).first { $0.hasPrefix(hex.dropFirst(2)) }))"
  }

  private func damage(_ path: String) throws {
    chmod(path, 0o644)
    var bytes = try Files.read(path)
    bytes[0] ^= 1
    try Files.write(bytes, to: path)
  }

  @Test("a folder comes back as it was: files, empty ones, execute bits, links, odd names")
  func folderRoundTrip() throws {
    let store = try makeStore()
    try space.write("in/a/b.txt", "hello\r\n")
    try space.write("in/empty", "")
    try space.write("in/new\nline \u{1B}[31m", "x")
    try space.write("in/run.sh", "#!/bin/sh\n")
    chmod(space.file("in/run.sh"), 0o755)
    mkdir(space.file("in/hollow"), 0o755)
    symlink("../outside", space.file("in/link"))
    let artifact = try store.ingest(space.file("in"))
    try store.materialise(artifact, at: space.file("back"))
    #expect(try store.identify(space.file("back")) == artifact)
    #expect(access(space.file("back/run.sh"), X_OK) == 0)
    #expect(Files.isFolder(space.file("back/hollow")))
    #expect(try space.read("back/a/b.txt") == "hello\r\n")
    var target = [CChar](repeating: 0, count: 64)
    #expect(readlink(space.file("back/link"), &target, 63) == 10)
  }

  @Test("outputs are copies: an edit in the workspace leaves the store as it was")
  func copies() throws {
    let store = try makeStore()
    let artifact = try store.ingest(try space.write("f", "original"))
    try store.materialise(artifact, at: space.file("g"))
    try space.write("g", "edited!!")
    try space.write("f", "edited!!")
    #expect(try store.read(artifact.identity) == Array("original".utf8))
  }

  @Test("an altered object is never served, and is kept aside", arguments: ["read", "materialise", "verify", "path"])
  func alteredObject(way: String) throws {
    let store = try makeStore()
    let artifact = try keep(try space.write("f", large), in: store)
    try damage(objectPath(artifact))
    let fault = ObjectFault(identity: artifact.identity, reason: .altered)
    #expect(throws: fault) {
      switch way {
      case "read": _ = try store.read(artifact.identity)
      case "materialise": try store.materialise(artifact, at: space.file("out"))
      case "verify": try store.verify(artifact.identity)
      default: _ = try store.verifiedPath(artifact.identity)
      }
    }
    #expect(try Files.list(space.file("cache/quarantine")).count == 1)
    #expect(!Files.exists(space.file("out")))
    #expect(try !store.isSound(artifact))
    // What the workspace still has heals it.
    #expect(try keep(space.file("f"), in: store) == artifact)
    #expect(try store.isSound(artifact))
  }

  @Test("the path of an object stays, whoever flushes after it was asked for", arguments: [10, 100_000])
  func stablePath(size: Int) throws {
    let store = try makeStore()
    let bytes = [UInt8](repeating: 1, count: size)
    let path = try store.verifiedPath(try store.put(bytes))
    try store.flush()
    #expect(try Files.read(path) == bytes)
  }

  @Test("a file of a gibibyte is kept byte for byte; its holes stay holes, and its end may be odd")
  func veryLarge() throws {
    let blocks: [(offset: Int, bytes: [UInt8])] = [
      (0, Array(repeating: 1, count: 5000)), (600 << 20, Array(repeating: 2, count: 3 << 20)),
      ((1 << 30) + 4096, Array(repeating: 3, count: 12_345)),
    ]
    let descriptor = open(space.file("large"), O_RDWR | O_CREAT, 0o644)
    for block in blocks {
      #expect(pwrite(descriptor, block.bytes, block.bytes.count, off_t(block.offset)) == block.bytes.count)
    }
    close(descriptor)
    let store = try makeStore()
    let path = try objectPath(try keep(space.file("large"), in: store))
    #expect(try Command.run(["cmp", "large", path], in: space.path).status == 0)
    var status = stat()
    #expect(stat(path, &status) == 0 && status.st_size == (1 << 30) + 4096 + 12_345)
    #expect(status.st_blocks * 512 < 8 << 20)
  }

  @Test("many threads may ask for one path at once, and each reads the whole of it")
  func sharedPath() throws {
    let store = try makeStore()
    let bytes = [UInt8](repeating: 1, count: 60_000)
    let identity = try store.put(bytes)
    for _ in 0..<30 {
      let failures = Mutex<[String]>([])
      let path = try store.verifiedPath(identity)
      unlink(path)
      Threads.together(8) { _ in
        do {
          if try Files.read(store.verifiedPath(identity)) != bytes { failures.withLock { $0.append("not whole") } }
        } catch { failures.withLock { $0.append("\(error)") } }
      }
      #expect(failures.withLock { $0 } == [])
    }
  }

  @Test("a missing file of a folder makes the whole folder unsound")
  func missingMember() throws {
    let store = try makeStore()
    try space.write("in/a", "1")
    try space.write("in/b", large)
    let artifact = try keep(space.file("in"), in: store)
    #expect(try store.isSound(artifact))
    let member = Artifact(kind: .file, identity: Identity(of: Array(large.utf8)))
    try Files.remove(objectPath(member))
    #expect(try !store.isSound(artifact))
    #expect(throws: ObjectFault(identity: member.identity, reason: .missing)) {
      try store.materialise(artifact, at: space.file("out"))
    }
    #expect(!Files.exists(space.file("out")))
  }

  @Test("two contents with one XXH3-128 and size would be two objects: the seal is in the name")
  func forgedPair() throws {
    let store = try makeStore()
    let artifact = try keep(try space.write("f", large), in: store)
    #expect(try objectPath(artifact).hasSuffix("-\(artifact.identity.seal.hex.prefix(16))"))
    let forged = Identity(digest: artifact.identity.digest, seal: Seal(of: Array("other byte".utf8)))
    #expect(throws: ObjectFault(identity: forged, reason: .missing)) { try store.read(forged) }
  }

  @Test("same size and modification time restored: the change time gives the edit away")
  func restoredTime() throws {
    let store = try makeStore()
    let path = try space.write("f", "aaaa")
    let before = try store.ingest(path)
    var status = stat()
    stat(path, &status)
    let descriptor = open(path, O_WRONLY)
    Glibc.write(descriptor, "b", 1)
    close(descriptor)
    var times = [status.st_atim, status.st_mtim]
    utimensat(AT_FDCWD, path, &times, 0)
    let after = try store.ingest(path)
    #expect(after != before)
    #expect(try store.read(after.identity) == Array("baaa".utf8))
  }

  @Test("a file that is mapped writable is read, and read again the next time")
  func mappedFile() throws {
    let store = try makeStore()
    let path = try space.write("f", "aaaa")
    let descriptor = open(path, O_RDWR)
    defer { close(descriptor) }
    let map = try #require(mmap(nil, 4, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0))
    defer { munmap(map, 4) }
    map.storeBytes(of: UInt8(ascii: "b"), as: UInt8.self)
    let first = try store.ingest(path)
    #expect(try store.read(first.identity) == Array("baaa".utf8))
    map.storeBytes(of: UInt8(ascii: "c"), as: UInt8.self)
    #expect(try store.read(try store.ingest(path).identity) == Array("caaa".utf8))
  }

  @Test("a FIFO in a folder is an error at once")
  func fifo() throws {
    let store = try makeStore()
    try space.write("in/a", "1")
    mkfifo(space.file("in/pipe"), 0o644)
    #expect { try store.ingest(space.file("in")) } throws: { ($0 as? Failure)?.code == "special-file" }
  }

  @Test("a folder that holds the store is refused, not swallowed")
  func storeInside() throws {
    let store = try makeStore()
    #expect { try store.ingest(space.path) } throws: { ($0 as? Failure)?.code == "store-inside" }
  }

  @Test("temporary folders that nobody holds are swept, held ones stay")
  func sweep() throws {
    _ = try makeStore()
    try space.write("cache/tmp/left/1", "left")
    try space.write("cache/tmp/held/1", "in use")
    let holder = try FileLock.tryTake(space.file("cache/tmp/held/lock"))
    let store = try makeStore()
    try store.put(Array(large.utf8))
    #expect(!Files.exists(space.file("cache/tmp/left")))
    #expect(Files.exists(space.file("cache/tmp/held/1")))
    try store.put([1, 2, 3])
    try makeStore().put([4, 5, 6])
    #expect(try store.read(Identity(of: [1, 2, 3])) == [1, 2, 3])
    withExtendedLifetime(holder) {}
  }

  @Test(
    "what stands at an object's place and is no file is altered, not waited for", arguments: ["fifo", "link", "folder"])
  func oddObject(kind: String) throws {
    let store = try makeStore()
    let artifact = try keep(try space.write("f", large), in: store)
    let path = try objectPath(artifact)
    try Files.remove(path)
    switch kind {
    case "fifo": mkfifo(path, 0o644)
    case "link": symlink("/etc/hostname", path)
    default: mkdir(path, 0o755)
    }
    #expect(throws: ObjectFault(identity: artifact.identity, reason: .altered)) { try store.read(artifact.identity) }
    #expect(try store.ingest(space.file("f")) == artifact)
    #expect(try store.isSound(artifact))
  }

  @Test("a result is found under its key and its seal, and only so")
  func results() throws {
    let store = try makeStore()
    let document = Identity(of: Array("document".utf8))
    try store.flush(recording: [ActionRecord(key: document.digest, documentSeal: document.seal, result: ["a": 1])])
    #expect(try store.index.result(key: document.digest, documentSeal: document.seal) == ["a": 1])
    let other = Seal(of: Array("another".utf8))
    #expect(try store.index.result(key: document.digest, documentSeal: other) == nil)
    // It is there for the next process.
    #expect(try makeStore().index.result(key: document.digest, documentSeal: document.seal) == ["a": 1])
  }

  @Test("a lock has one holder, and is free when its holder lets go")
  func locks() throws {
    let path = space.file("lock")
    var first = try FileLock.tryTake(path)
    #expect(first != nil)
    #expect(try FileLock.tryTake(path) == nil)
    #expect(FileLock.holder(path) == "pid \(getpid())")
    #expect(try FileLock.take(path, isCancelled: { true }) == nil)
    withExtendedLifetime(first) {}
    first = nil
    #expect(try FileLock.tryTake(path) != nil)
  }
}
