import LemmaBasics
import LemmaCorpus

/// What a row can be made by; the raw value is the row's operator.
public enum SynthesisOperator: String, Sendable, CaseIterable {
  /// The same story with other numbers, computed again (Xwin-Math).
  case newNumbers = "xwin.numbers"
  /// The answer is given behind the question, a number is asked for (FOBAR, in MetaMath).
  case fobar = "metamath.fobar"
  /// The answer is folded into a statement, a number is asked for (self-verification, in MetaMath).
  case selfVerification = "metamath.sv"
  /// The same problem in other words (rephrasing, in MetaMath).
  case rephrase = "metamath.rephrase"
  /// A further condition and step (Evol-Instruct).
  case addStep = "evol.add-step"

  /// The part before the point: `metamath`, `evol`, `xwin`.
  public var method: String { rawValue.prefix { $0 != "." }.description }
}

/// How many rows to make, of what, and from which seed of the random numbers.
public struct SynthesisConfiguration: Hashable, Sendable {
  public var rows: Int
  public var seed: UInt64
  /// The shares of the operators; they need not sum to one.
  public var weights: [SynthesisOperator: Double]
  /// The largest new number and result; `nil` keeps to the magnitudes of the seed.
  public var maximum: Int?
  /// Whether a problem with new numbers may have its seed's answer.
  public var answerMayRepeat: Bool
  /// How many steps an evolution adds at most.
  public var depth: Int

  public init(
    rows: Int, seed: UInt64, weights: [SynthesisOperator: Double] = SynthesisConfiguration.evenly, maximum: Int? = nil,
    answerMayRepeat: Bool = false, depth: Int = 1
  ) {
    self.rows = rows
    self.seed = seed
    self.weights = weights
    self.maximum = maximum
    self.answerMayRepeat = answerMayRepeat
    self.depth = depth
  }

  /// The same share for each of the three methods, and within a method for each operator.
  public static let evenly: [SynthesisOperator: Double] = [
    .newNumbers: 1, .addStep: 1, .fobar: 1.0 / 3, .selfVerification: 1.0 / 3, .rephrase: 1.0 / 3,
  ]

  /// Weights by name: an operator such as `metamath.fobar`, or a method such as `metamath`, whose
  /// weight its operators share evenly.
  /// - Throws: `Failure` for an unknown name.
  public static func weights(
    named shares: [String: Double], at position: Position? = nil
  ) throws -> [SynthesisOperator: Double] {
    var weights: [SynthesisOperator: Double] = [:]
    for (name, share) in shares.sorted(by: { $0.key < $1.key }) {
      let operators = SynthesisOperator.allCases.filter { $0.rawValue == name || $0.method == name }
      guard !operators.isEmpty else {
        let known = SynthesisOperator.allCases.flatMap { [$0.rawValue, $0.method] }
        throw Failure(
          .user, "unknown-method", "there is no method '\(name)'", at: position,
          hint: nearest(to: name, among: known).map { "is '\($0)' meant?" }
            ?? "methods are metamath, evol and xwin, operators \(SynthesisOperator.allCases.map(\.rawValue).joined(separator: ", "))"
        )
      }
      for each in operators { weights[each, default: 0] += share / Double(operators.count) }
    }
    return weights
  }

  /// - Throws: `Failure` for the first setting that cannot be.
  public func validate() throws {
    func refuse(_ code: String, _ message: String) -> Failure { Failure(.user, code, message) }
    guard rows >= 0 else { throw refuse("synthesis-rows", "rows cannot be negative, and is \(rows)") }
    guard (1...5).contains(depth) else { throw refuse("synthesis-depth", "depth is 1 to 5, and is \(depth)") }
    if let maximum, !(2...1_000_000).contains(maximum) {
      throw refuse("synthesis-maximum", "maximum is 2 to 1000000, and is \(maximum)")
    }
    let shares = SynthesisOperator.allCases.map { weights[$0] ?? 0 }
    guard shares.allSatisfy({ $0 >= 0 && $0.isFinite }), shares.contains(where: { $0 > 0 }) else {
      throw refuse("synthesis-weights", "the methods' weights must be numbers from 0, not all of them 0")
    }
  }
}
