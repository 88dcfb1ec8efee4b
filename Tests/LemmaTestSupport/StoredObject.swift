import Glibc
import LemmaBasics

/// An object as it lies in a store, found by reading the files as `docs/formats.md` describes them and
/// without the store's own code: something to damage.
public struct StoredObject: Sendable {
  /// The object's own file, or the pack that it is in.
  public var path: String
  /// Where its bytes begin in that file.
  public var offset: Int
  public var size: Int
  /// 32 hexadecimal digits.
  public var digest: String
  /// The first 16 hexadecimal digits of its SHA-256.
  public var sealHead: String

  /// All the objects of the store in the folder `cache`, those of packs too.
  public static func all(in cache: String) throws -> [StoredObject] {
    try alone(in: cache) + packed(in: cache)
  }

  private static func alone(in cache: String) throws -> [StoredObject] {
    try Files.list("\(cache)/objects").flatMap { folder in
      try Files.list("\(cache)/objects/\(folder)").compactMap { name in
        let parts = name.split(separator: "-")
        let path = "\(cache)/objects/\(folder)/\(name)"
        var status = stat()
        guard parts.count == 2, lstat(path, &status) == 0 else { return nil }
        return StoredObject(
          path: path, offset: 0, size: Int(status.st_size), digest: folder + parts[0], sealHead: String(parts[1]))
      }
    }
  }

  private static func packed(in cache: String) throws -> [StoredObject] {
    var objects: [StoredObject] = []
    for name in try Files.list("\(cache)/packs") {
      let path = "\(cache)/packs/\(name)"
      let bytes = try Files.read(path)
      var at = 16
      while at + 64 <= bytes.count, bytes[at..<(at + 4)].elementsEqual("LMe1".utf8) {
        let size = (0..<4).reduce(0) { $0 | Int(bytes[at + 4 + $1]) << (8 * $1) }
        objects.append(
          StoredObject(
            path: path, offset: at + 64, size: size, digest: hexadecimal(bytes[(at + 8)..<(at + 24)]),
            sealHead: hexadecimal(bytes[(at + 24)..<(at + 32)])))
        at += 64 + size
      }
    }
    return objects
  }

  private static func hexadecimal(_ bytes: ArraySlice<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  /// Its bytes as they are now.
  public func read() throws -> [UInt8] { Array(try Files.read(path)[offset..<(offset + size)]) }

  /// Flips a bit in its middle, in place, and restores mode and modification time of the file.
  public func flip() throws {
    var status = stat()
    guard lstat(path, &status) == 0 else { throw Failure.system("stat", path: path, errno: errno) }
    chmod(path, 0o644)
    let descriptor = open(path, O_RDWR | O_CLOEXEC)
    guard descriptor >= 0 else { throw Failure.system("open", path: path, errno: errno) }
    defer { close(descriptor) }
    let place = off_t(offset + size / 2)
    var byte: UInt8 = 0
    pread(descriptor, &byte, 1, place)
    byte ^= 4
    pwrite(descriptor, &byte, 1, place)
    chmod(path, status.st_mode & 0o777)
    var times = [status.st_atim, status.st_mtim]
    futimens(descriptor, &times)
  }
}
