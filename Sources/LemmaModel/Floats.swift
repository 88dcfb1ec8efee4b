import Glibc
import LemmaBasics

/// A block of memory outside Swift's heap, page aligned and zero at first. Its owner keeps to its bounds and lets
/// one thread at a time write.
final class Bytes: @unchecked Sendable {
  let pointer: UnsafeMutableRawPointer
  let count: Int

  /// - Throws: `Failure` when the memory cannot be had.
  init(_ count: Int) throws {
    let size = max(count, 1)
    guard let memory = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), memory != MAP_FAILED
    else {
      throw Failure(
        .user, "memory", "there is no memory for \(count) bytes", hint: "lower the batch size, or the model's size")
    }
    // Only a hint: without huge pages the same work takes a little longer.
    madvise(memory, size, MADV_HUGEPAGE)
    pointer = memory
    self.count = count
  }

  deinit { munmap(pointer, max(count, 1)) }
}

/// A block of 32-bit floats.
final class Floats: Sendable {
  private let memory: Bytes
  let count: Int

  /// - Throws: `Failure` when the memory cannot be had.
  init(_ count: Int) throws {
    let (bytes, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<Float>.stride)
    memory = try Bytes(overflow ? .max : bytes)
    self.count = count
  }

  var pointer: UnsafeMutablePointer<Float> { memory.pointer.assumingMemoryBound(to: Float.self) }
  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: memory.pointer, count: memory.count) }
}
