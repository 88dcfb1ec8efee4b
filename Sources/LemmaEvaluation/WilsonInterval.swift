/// The score interval for a proportion (Wilson, 1927): unlike the plain one it stays within 0 to 1
/// and holds for few trials.
public struct WilsonInterval: Hashable, Sendable {
  public let low: Double
  public let high: Double

  /// - Parameters:
  ///   - z: the quantile of the normal distribution; 1.96 for 95 %.
  /// - Returns: 0 to 1 for no trials.
  public init(successes: Int, trials: Int, z: Double = 1.959963984540054) {
    guard trials > 0 else {
      (low, high) = (0, 1)
      return
    }
    let n = Double(trials)
    let p = Double(min(max(successes, 0), trials)) / n
    let centre = p + z * z / (2 * n)
    let spread = z * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
    let scale = 1 + z * z / n
    // Rounding must not push the ends past what they are at 0 and n successes.
    low = successes <= 0 ? 0 : max(0, (centre - spread) / scale)
    high = successes >= trials ? 1 : min(1, (centre + spread) / scale)
  }
}
