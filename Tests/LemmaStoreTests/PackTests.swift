import Glibc
import LemmaBasics
import LemmaHash
import LemmaStore
import LemmaTestSupport
import Synchronization
import Testing

@Suite("Packs: many small objects in one file, each one on its own when it comes to damage")
struct PackTests {
  let space = TestSpace()

  private func makeStore() throws -> Store { try Store(at: space.file("cache")) }

  private func bytes(_ number: Int) -> [UInt8] { Array("object \(number) of many".utf8) }

  private func packs() throws -> [String] { try Files.list(space.file("cache/packs")) }

  /// A store of its own process, as far as that matters, with some small objects.
  private func fill(_ numbers: Range<Int>) throws {
    let store = try makeStore()
    for number in numbers { try store.put(bytes(number)) }
    try store.flush()
  }

  private func sql(_ statement: String) throws {
    let output = try Command.run(["sqlite3", space.file("cache/index.sqlite"), statement], in: space.path)
    #expect(output.status == 0, "\(output.error)")
  }

  @Test("small objects share a pack, and are there for this process before they are durable")
  func sharing() throws {
    let store = try makeStore()
    for number in 0..<100 { try store.put(bytes(number)) }
    #expect(try store.read(Identity(of: bytes(7))) == bytes(7))
    #expect(try store.isSound(Identity(of: bytes(99))))
    let other = try makeStore()
    #expect(try !other.isSound(Identity(of: bytes(7))), "not promised yet")
    try store.flush()
    for number in 0..<100 { #expect(try other.read(Identity(of: bytes(number))) == bytes(number)) }
    #expect(try packs().count == 1)
    #expect(try Files.list(space.file("cache/objects")) == [])
    try store.put(bytes(100))
    try store.put(bytes(3))
    try store.flush()
    #expect(try packs().count == 1, "a process goes on with its own pack")
    #expect(try StoredObject.all(in: space.file("cache")).count == 101, "what is there is not kept twice")
  }

  @Test("one altered object of a pack is put aside, its neighbours go on being served")
  func alteredMember() throws {
    try fill(0..<20)
    let objects = try StoredObject.all(in: space.file("cache"))
    try objects[5].flip()
    let store = try makeStore()
    #expect(throws: ObjectFault(identity: Identity(of: bytes(5)), reason: .altered)) {
      try store.verify(Identity(of: bytes(5)), quarantines: false)
    }
    #expect(try Files.list(space.file("cache/quarantine")) == [], "who only looks changes nothing")
    for number in 0..<20 { #expect(try store.isSound(Identity(of: bytes(number))) == (number != 5)) }
    #expect(try Files.list(space.file("cache/quarantine")).count == 1)
    try store.put(bytes(5))
    try store.flush()
    #expect(try makeStore().read(Identity(of: bytes(5))) == bytes(5))
  }

  @Test("a pack that was cut off loses what was cut off", arguments: [0, 15, 16, 100, 400])
  func cutOff(size: Int) throws {
    try fill(0..<20)
    truncate(space.file("cache/packs/\(try packs()[0])"), off_t(size))
    let whole = try Set(StoredObject.all(in: space.file("cache")).filter { $0.offset + $0.size <= size }.map(\.digest))
    let store = try makeStore()
    for number in 0..<20 {
      let identity = Identity(of: bytes(number))
      #expect(try store.isSound(identity) == whole.contains(identity.digest.hex))
      try store.put(bytes(number))
    }
    try store.flush()
    for number in 0..<20 { #expect(try makeStore().read(Identity(of: bytes(number))) == bytes(number)) }
  }

  @Test("a pack that is gone: its objects are missing, and come back with their bytes")
  func gone() throws {
    try fill(0..<3)
    try Files.remove(space.file("cache/packs/\(try packs()[0])"))
    let store = try makeStore()
    #expect(throws: ObjectFault(identity: Identity(of: bytes(1)), reason: .missing)) {
      try store.read(Identity(of: bytes(1)))
    }
    try store.put(bytes(1))
    try store.flush()
    #expect(try makeStore().isSound(Identity(of: bytes(1))))
  }

  @Test("without an index the packs are read again: objects and damage are found", arguments: ["deleted", "garbage"])
  func lostIndex(way: String) throws {
    try fill(0..<20)
    let objects = try StoredObject.all(in: space.file("cache"))
    // One object's header and another one's bytes.
    let descriptor = open(objects[4].path, O_RDWR)
    var zero: UInt64 = 0
    pwrite(descriptor, &zero, 8, off_t(objects[4].offset - 40))
    close(descriptor)
    try objects[9].flip()
    for name in ["index.sqlite", "index.sqlite-wal", "index.sqlite-shm"] {
      try Files.remove(space.file("cache/\(name)"))
    }
    if way == "garbage" { try space.write("cache/index.sqlite", String(repeating: "garbage ", count: 1000)) }
    let store = try makeStore()
    for number in 0..<20 {
      #expect(try store.isSound(Identity(of: bytes(number))) == (number != 4 && number != 9), "object \(number)")
    }
    #expect(Files.exists(space.file("cache/index.sqlite.damaged")) == (way == "garbage"))
  }

  @Test("an index of a later version is refused, and stays as it is")
  func laterIndex() throws {
    try fill(0..<1)
    try sql("PRAGMA user_version = 99")
    let before = try Files.read(space.file("cache/index.sqlite"))
    #expect { try makeStore().isSound(Identity(of: [])) } throws: { ($0 as? Failure)?.code == "index-newer" }
    #expect(try Files.read(space.file("cache/index.sqlite")) == before)
  }

  @Test("what a writer left behind when it died before its flush is found by the next one")
  func strays() throws {
    try fill(0..<5)
    try sql("DELETE FROM packs; DELETE FROM packed; DELETE FROM holdings")
    let torn = open(space.file("cache/packs/\(try packs()[0])"), O_WRONLY | O_APPEND)
    try Files.writeAll(Array("LMe1 torn".utf8), to: torn, path: "torn")
    close(torn)
    let store = try makeStore()
    #expect(try !store.isSound(Identity(of: bytes(2))))
    try store.put(bytes(77))
    for number in 0..<5 { #expect(try store.read(Identity(of: bytes(number))) == bytes(number)) }
    try store.flush()
    #expect(try makeStore().verifyAll(quarantines: false).isSound)
  }

  @Test("a result is never there before the objects that it refers to, whoever flushes")
  func results() throws {
    let store = try makeStore()
    let failures = Mutex<[String]>([])
    Threads.together(4) { thread in
      do {
        for step in 0..<25 {
          let number = 1000 * thread + step
          let document = try store.put(bytes(number))
          try store.flush(recording: [
            ActionRecord(key: document.digest, documentSeal: document.seal, result: ["n": JSON(number)])
          ])
          let other = try Store(at: space.file("cache"))
          guard try other.index.result(key: document.digest, documentSeal: document.seal) == ["n": JSON(number)],
            try other.read(document) == bytes(number)
          else { throw Failure(.internal, "test", "object \(number) is not there") }
        }
      } catch { failures.withLock { $0.append("\(error)") } }
    }
    #expect(failures.withLock { $0 } == [])
    #expect(try makeStore().verifyAll(quarantines: false).objects == 100)
  }

  @Test("many small packs become one, and nothing is lost on the way")
  func merging() throws {
    for number in 0..<60 { try fill(number..<(number + 1)) }
    #expect(try packs().count < 20)
    let store = try makeStore()
    for number in 0..<60 { #expect(try store.read(Identity(of: bytes(number))) == bytes(number)) }
    #expect(try store.verifyAll(quarantines: false).objects == 60)
  }

  @Test("the files behind an artifact are named, and a change in one shows in its stamp")
  func holding() throws {
    let large = String(repeating: "a line of some length\n", count: 5000)
    try space.write("in/small", "small")
    try space.write("in/large", large)
    let store = try makeStore()
    let artifact = try store.ingest(space.file("in"))
    try store.flush()
    let files = try store.files(holding: artifact)
    #expect(files.count == 2)
    #expect(files.contains { $0.contains("/packs/") } && files.contains { $0.contains("/objects/") })
    let stamps = files.map { Stamp.of($0) }
    #expect(!stamps.contains(nil))
    try StoredObject.all(in: space.file("cache"))[0].flip()
    #expect(files.map { Stamp.of($0) } != stamps)
    #expect(try !makeStore().isSound(artifact))
  }

  @Test("two contents with one XXH3-128 and one size are two objects, in packs and in files of their own")
  func forgedPair() throws {
    let fixtures = Files.parent(Files.parent(#filePath)) + "/Fixtures"
    for tail in [0, 5 << 20] {
      let first = try Files.read("\(fixtures)/forged-first.bin") + [UInt8](repeating: 65, count: tail)
      let second = try Files.read("\(fixtures)/forged-second.bin") + [UInt8](repeating: 65, count: tail)
      #expect(Digest(of: first) == Digest(of: second) && first != second)
      let path = space.file("file")
      try Files.write(first, to: path)
      let store = try makeStore()
      let one = try store.ingest(path)
      try store.flush()
      // In place, and after the first one was seen: what a forger would do.
      try Files.write(second, to: path)
      #expect(try makeStore().identify(path) != one)
      let other = try store.ingest(path)
      try store.flush()
      #expect(one != other && one.identity.digest == other.identity.digest)
      #expect(try makeStore().read(one.identity) == first)
      #expect(try makeStore().read(other.identity) == second)
    }
  }
}
