import CLinux
import Glibc
import LemmaBasics
import LemmaHash

/// The one pack that a process appends to. It is locked as long as its writer lives; nobody appends to it
/// after that. Guarded by `Intake`.
final class PackWriter {
  let pack: Int64
  let path: String
  let descriptor: Int32
  /// Bytes in the file.
  private(set) var written: Int64 = 0
  /// The file's stamp after our last write, as long as nobody else wrote.
  private(set) var stamp: Stamp?
  /// Bytes that a flush has made durable.
  var durable: Int64 = 0
  private let buffer: UnsafeMutableRawBufferPointer
  private var buffered = 0
  private var begun: Int64 = 0

  /// Bytes with which the kernel is asked to begin writing, so that the flush finds little left to do.
  private static let writeback: Int64 = 8 << 20

  /// Begins a new pack.
  init(in root: String) throws {
    var generator = SystemRandomNumberGenerator()
    pack = Int64.random(in: 1...Int64.max, using: &generator)
    path = PackFormat.path(of: pack, in: root)
    descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw Failure.system("create", path: path, errno: errno) }
    buffer = .allocate(byteCount: 1 << 20, alignment: 4096)
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      throw Failure.system("flock", path: path, errno: errno)
    }
    stamp = try Stamp(descriptor: descriptor, path: path)
    buffer.copyBytes(from: PackFormat.head)
    buffered = PackFormat.head.count
  }

  deinit {
    close(descriptor)
    buffer.deallocate()
  }

  /// Bytes of the pack, with those that are still to be written.
  var size: Int64 { written + Int64(buffered) }

  /// Appends an object and returns the offset of its bytes.
  func append(_ identity: Identity, _ bytes: UnsafeRawBufferPointer) throws -> Int64 {
    let needed = PackFormat.headerSize + bytes.count
    if buffered + needed > buffer.count { try writeOut() }
    PackFormat.writeHeader(
      identity, to: UnsafeMutableRawBufferPointer(rebasing: buffer[buffered..<(buffered + PackFormat.headerSize)]))
    let offset = size + Int64(PackFormat.headerSize)
    UnsafeMutableRawBufferPointer(rebasing: buffer[(buffered + PackFormat.headerSize)...]).copyMemory(from: bytes)
    buffered += needed
    return offset
  }

  /// Gives what is buffered to the kernel, for readers and for `fsync`.
  func writeOut() throws {
    guard buffered > 0 else { return }
    // Somebody else's write shows in the stamp, and then nothing vouches for the pack any more.
    let isUntouched = try stamp != nil && Stamp(descriptor: descriptor, path: path) == stamp
    var done = 0
    while done < buffered {
      let put = pwrite(descriptor, buffer.baseAddress! + done, buffered - done, off_t(written) + off_t(done))
      if put < 0, errno == EINTR { continue }
      if put < 0 { throw Failure.system("write", path: path, errno: errno) }
      done += put
    }
    written += Int64(buffered)
    buffered = 0
    stamp = isUntouched ? try Stamp(descriptor: descriptor, path: path) : nil
    if written - begun >= PackWriter.writeback {
      lemma_begin_writeback(descriptor, begun, written - begun)
      begun = written
    }
  }

  /// Gives up what no flush has made durable, and its space.
  func abandon() {
    buffered = 0
    if durable == 0 { unlink(path) } else { ftruncate(descriptor, off_t(durable)) }
  }
}
