import Glibc
import LemmaBasics

/// What a training needs of the machine's memory, part by part, known before any of it is taken.
public struct MemoryNeed: Hashable, Sendable, CustomStringConvertible {
  /// Bytes of the weights, those that adapters start from included.
  public var weights: Int
  public var gradients: Int
  /// AdamW's two moments, the values of adapters, and the best values so far where training may stop early.
  public var optimiser: Int
  /// Activations of one batch with the loss's logits.
  public var activations: Int

  public var total: Int { weights + gradients + optimiser + activations }

  init(_ shape: NetworkShape, configuration: TrainingConfiguration, trained: Int, keepsStart: Bool) {
    let block = 4 * ParameterLayout(shape.model).count
    let copies = keepsStart || configuration.adapters != nil ? 2 : 1
    weights = copies * block
    gradients = block + (configuration.adapters == nil ? 0 : 4 * trained)
    let kept = (configuration.adapters == nil ? 0 : 1) + (configuration.patience > 0 ? 1 : 0)
    optimiser = (2 + kept) * 4 * trained
    activations = shape.arenaSize
  }

  /// - Parameter held: bytes that are taken already: those of the weights to start from.
  /// - Throws: `Failure` of code `memory` when the machine has not enough.
  func check(held: Int, available: Int? = MemoryNeed.available()) throws {
    guard let available, total > available + held else { return }
    throw Failure(
      .user, "memory",
      "this training needs \(self); \(MemoryNeed.text(available + held)) are there",
      hint: "raise 'accumulation', set 'recompute: true', or lower 'batch_size' or 'context_length'")
  }

  /// Such as `2.81 GiB of memory, 0.80 GiB of them for the activations of one batch`.
  public var description: String {
    "\(MemoryNeed.text(total)) of memory, \(MemoryNeed.text(activations)) of them for the activations of one batch"
  }

  /// Such as `2.9 GiB`.
  static func text(_ bytes: Int) -> String {
    bytes < 1 << 30 ? "\(fixed(Double(bytes) / 0x1p20, 0)) MiB" : "\(fixed(Double(bytes) / 0x1p30, 2)) GiB"
  }

  /// Bytes that this process may still take: what the machine has free, within the limits of its control group.
  /// Nil where the system does not say.
  static func available() -> Int? {
    guard let text = kernelText("/proc/meminfo"),
      let line = text.split(separator: "\n").first(where: { $0.hasPrefix("MemAvailable:") }),
      let kibibytes = line.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
    else { return nil }
    return min(kibibytes << 10, groupLimit() ?? .max)
  }

  private static func groupLimit() -> Int? {
    guard let text = kernelText("/proc/self/cgroup"),
      let line = text.split(separator: "\n").first(where: { $0.hasPrefix("0::") })
    else { return nil }
    var group = String(line.dropFirst(3))
    var least: Int?
    while true {
      let folder = "/sys/fs/cgroup" + (group == "/" ? "" : group)
      if let limit = number("\(folder)/memory.max"), let used = number("\(folder)/memory.current") {
        least = min(least ?? .max, max(0, limit - used))
      }
      if group == "/" || group.isEmpty { return least }
      group = Files.parent(group)
    }
  }

  private static func number(_ path: String) -> Int? {
    kernelText(path).flatMap { $0.split(separator: "\n").first }.flatMap { Int($0) }
  }

  /// A file of the kernel's, which says that it has no size. Nil where there is none.
  private static func kernelText(_ path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    return (try? Files.readAll(descriptor)).flatMap { String(validating: $0, as: UTF8.self) }
  }
}
