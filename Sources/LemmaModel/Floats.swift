import Glibc
import LemmaBasics
import Synchronization

/// A block of memory outside Swift's heap, page aligned and zero at first. Its owner keeps to its bounds and lets
/// one thread at a time write.
final class Bytes: @unchecked Sendable {
  let pointer: UnsafeMutableRawPointer
  let count: Int

  /// Bytes of all blocks there are, written to or not.
  private static let promised = Atomic(0)
  /// From this size on a block is worth a look at the machine's memory.
  private static let large = 1 << 20

  /// - Throws: `Failure` when the memory cannot be had. The system promises more than it has, and kills who takes it at
  ///   its word, so a large block is refused where it and what was promised before do not fit.
  init(_ count: Int) throws {
    let size = max(count, 1)
    let machine = AvailableMemory()
    if size >= Self.large, let free = machine.bytes(), let taken = machine.taken(),
      size > free + taken - Self.promised.load(ordering: .relaxed)
    {
      throw Failure(
        .user, "memory",
        "\(MemoryNeed.text(size)) of memory are needed at once, where \(MemoryNeed.text(free)) are free",
        hint: "lower the batch size, or the model's size")
    }
    guard let memory = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), memory != MAP_FAILED
    else {
      throw Failure(
        .user, "memory", "there is no memory for \(count) bytes", hint: "lower the batch size, or the model's size")
    }
    // Only a hint: without huge pages the same work takes a little longer.
    madvise(memory, size, MADV_HUGEPAGE)
    pointer = memory
    self.count = count
    Self.promised.wrappingAdd(size, ordering: .relaxed)
  }

  deinit {
    munmap(pointer, max(count, 1))
    Self.promised.wrappingSubtract(max(count, 1), ordering: .relaxed)
  }
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
