import Glibc
import LemmaBasics

/// A temporary folder of a test's own, removed with its last reference.
public final class TestSpace: Sendable {
  public let path: String

  public init() {
    var template = Array("\(TestSpace.base)/lemma-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { fatalError("cannot make a temporary folder") }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit { try? Files.remove(path) }

  private static var base: String { getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp" }

  /// The path of `name` inside the space.
  public func file(_ name: String) -> String { "\(path)/\(name)" }

  /// Writes a text file, making the folders above it.
  @discardableResult
  public func write(_ name: String, _ text: String) throws -> String {
    let target = file(name)
    try Files.makeFolder(Files.parent(target))
    try Files.write(Array(text.utf8), to: target)
    return target
  }

  public func read(_ name: String) throws -> String { try Files.readText(file(name)) }
}

/// A repeatable source of random numbers for tests (SplitMix64); a failing test prints its seed.
public struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  public init(seed: UInt64) { state = seed }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
