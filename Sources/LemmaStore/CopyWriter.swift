import CLinux
import Glibc
import LemmaBasics

/// Writes a copy, block after block, into an empty file. Blocks of zeros become holes; the disk is kept at work
/// from the beginning, so that the flush finds little left to do. Used by one thread.
final class CopyWriter {
  /// From this size on a file goes past the page cache, which could not keep it and takes as long to fill as
  /// SHA-256 does to compute.
  static let direct: Int64 = 1 << 30
  /// Bytes with which the kernel is asked to begin writing.
  private static let writeback: Int64 = 32 << 20
  /// What places, lengths and memory must be multiples of on the way past the page cache, on any usual disk.
  private static let alignment = 4096

  private let descriptor: Int32
  /// The path for messages.
  private let shown: String
  private var isDirect: Bool
  private var begun: Int64 = 0
  private var size: Int64 = 0

  /// - Parameter sizeHint: how large the copy will most likely be.
  init(_ descriptor: Int32, shown: String, sizeHint: Int64) {
    self.descriptor = descriptor
    self.shown = shown
    isDirect = sizeHint >= CopyWriter.direct && lemma_set_direct(descriptor, 1) == 0
  }

  /// - Throws: `Failure` when the disk is full or fails.
  func write(_ block: UnsafeRawBufferPointer, at offset: Int64) throws {
    size = offset + Int64(block.count)
    if CopyWriter.isZero(block) { return }
    var done = 0
    while done < block.count {
      if isDirect, (block.count - done) % CopyWriter.alignment != 0 { leaveDirect() }
      let put = pwrite(descriptor, block.baseAddress! + done, block.count - done, off_t(offset) + off_t(done))
      if put < 0, errno == EINTR { continue }
      // A disk of larger sectors, or a file system that goes no other way.
      if put < 0, errno == EINVAL, isDirect {
        leaveDirect()
        continue
      }
      if put < 0 { throw Failure.system("write", path: shown, errno: errno) }
      done += put
    }
    if !isDirect, size - begun >= CopyWriter.writeback {
      lemma_begin_writeback(descriptor, begun, size - begun)
      begun = size
    }
  }

  /// Gives the file its length, which may end with a hole.
  func finish() throws {
    guard ftruncate(descriptor, off_t(size)) == 0 else { throw Failure.system("truncate", path: shown, errno: errno) }
  }

  private func leaveDirect() {
    isDirect = false
    _ = lemma_set_direct(descriptor, 0)
  }

  private static func isZero(_ block: UnsafeRawBufferPointer) -> Bool {
    // A hole of the least size a file system has is worth it.
    guard block.count >= alignment, let base = block.baseAddress else { return false }
    return block.loadUnaligned(as: UInt64.self) == 0 && memcmp(base, base + 8, block.count - 8) == 0
  }
}
