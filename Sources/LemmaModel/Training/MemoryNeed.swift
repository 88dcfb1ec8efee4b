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
  func check(held: Int, available: Int? = AvailableMemory().bytes()) throws {
    guard let available, total > available + held else { return }
    throw Failure(
      .user, "memory",
      "this training needs \(self); \(MemoryNeed.text(available + held)) are there",
      hint: 2 * activations > total
        ? "raise 'accumulation', set 'recompute: true', or lower 'batch_size' or 'context_length'"
        : "most of it is the model's own, its gradients' and the optimiser's: take a smaller model")
  }

  /// Such as `2.81 GiB of memory, 0.80 GiB of them for the activations of one batch`.
  public var description: String {
    "\(MemoryNeed.text(total)) of memory, \(MemoryNeed.text(activations)) of them for the activations of one batch"
  }

  /// Such as `2.9 GiB`.
  static func text(_ bytes: Int) -> String {
    bytes < 1 << 30 ? "\(fixed(Double(bytes) / 0x1p20, 0)) MiB" : "\(fixed(Double(bytes) / 0x1p30, 2)) GiB"
  }
}
