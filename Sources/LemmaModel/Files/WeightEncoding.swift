import CKernels

/// The types of stored numbers that are widened to float32, each by a function of the native core.
enum WeightEncoding: String, CaseIterable, Sendable {
  case f32 = "F32"
  case f16 = "F16"
  case bf16 = "BF16"
  case q40 = "Q4_0"
  case q41 = "Q4_1"
  case q50 = "Q5_0"
  case q51 = "Q5_1"
  case q80 = "Q8_0"
  case q4k = "Q4_K"
  case q5k = "Q5_K"
  case q6k = "Q6_K"

  static let names = allCases.map(\.rawValue).joined(separator: ", ")

  /// Bytes of a block.
  var blockBytes: Int {
    switch self {
    case .f32: 4
    case .f16, .bf16: 2
    case .q40: 18
    case .q41: 20
    case .q50: 22
    case .q51: 24
    case .q80: 34
    case .q4k: 144
    case .q5k: 176
    case .q6k: 210
    }
  }

  /// Takes a count of blocks, their bytes, and memory for their values.
  var widen: @convention(c) (Int, UnsafePointer<UInt8>?, UnsafeMutablePointer<Float>?) -> Void {
    switch self {
    case .f32: lemma_widen_f32
    case .f16: lemma_widen_f16
    case .bf16: lemma_widen_bf16
    case .q40: lemma_widen_q4_0
    case .q41: lemma_widen_q4_1
    case .q50: lemma_widen_q5_0
    case .q51: lemma_widen_q5_1
    case .q80: lemma_widen_q8_0
    case .q4k: lemma_widen_q4_k
    case .q5k: lemma_widen_q5_k
    case .q6k: lemma_widen_q6_k
    }
  }
}
