import Glibc
import LemmaBasics

/// A block of 32-bit floats outside Swift's heap, page aligned and zero at first. Its owner keeps to its bounds
/// and lets one thread at a time write.
final class Floats: @unchecked Sendable {
  let pointer: UnsafeMutablePointer<Float>
  let count: Int

  /// - Throws: `Failure` when the memory cannot be had.
  init(_ count: Int) throws {
    let (bytes, overflow) = max(count, 1).multipliedReportingOverflow(by: MemoryLayout<Float>.stride)
    guard !overflow,
      let memory = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      memory != MAP_FAILED
    else {
      throw Failure(
        .user, "memory", "there is no memory for \(count) numbers", hint: "lower the batch size, or the model's size")
    }
    // Only a hint: without huge pages the same work takes a little longer.
    madvise(memory, bytes, MADV_HUGEPAGE)
    pointer = memory.bindMemory(to: Float.self, capacity: max(count, 1))
    self.count = count
  }

  deinit { munmap(pointer, max(count, 1) * MemoryLayout<Float>.stride) }

  var bytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: pointer, count: count * MemoryLayout<Float>.stride)
  }
}
