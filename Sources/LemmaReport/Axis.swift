import Glibc
import LemmaBasics

/// One axis of a chart: what it spans, where its ticks are, and where on it a value lies.
struct Axis {
  let scale: Chart.Scale
  /// In the units of the axis: the values themselves, or their decimal logarithms.
  private let low: Double
  private let high: Double
  let ticks: [(value: Double, label: String)]

  /// An axis for `values`, which it can all show. With `atValues`, a few values well apart on a
  /// logarithmic axis are its ticks themselves: 500, 2000, 8000 say more than 1000 alone.
  init(_ values: [Double], scale: Chart.Scale, atValues: Bool = false, fromZero: Bool = false) {
    self.scale = scale
    var range = values.map { Axis.unit($0, scale) }.reduce(into: (Double.infinity, -Double.infinity)) {
      $0 = (min($0.0, $1), max($0.1, $1))
    }
    if range.0 > range.1 { range = (0, 1) }
    switch scale {
    case .linear:
      if fromZero, range.0 >= 0, range.0 <= range.1 * 0.6 { range.0 = 0 }
      let (step, decimals) = Axis.step(range.0, range.1)
      low = floor(range.0 / step) * step
      high = max(ceil(range.1 / step) * step, low + step)
      let (start, count) = (low, min(20, Int(((high - low) / step).rounded())))
      ticks = (0...max(1, count)).map { index in
        let value = start + Double(index) * step
        return (value, Axis.label(value, decimals: decimals))
      }
    case .log:
      let padding = max((range.1 - range.0) * 0.06, 0.05)
      (low, high) = (range.0 - padding, range.1 + padding)
      ticks = Axis.logTicks(values, low, high, atValues: atValues).map { ($0, short($0)) }
    }
  }

  /// Where a value lies, from 0 to 1.
  func fraction(_ value: Double) -> Double {
    min(1, max(0, (Axis.unit(value, scale) - low) / (high - low)))
  }

  /// Whether the scale has a place for the value.
  static func canShow(_ value: Double, _ scale: Chart.Scale) -> Bool {
    value.magnitude < 1e300 && (scale == .linear || value > 1e-300)
  }

  private static func unit(_ value: Double, _ scale: Chart.Scale) -> Double {
    scale == .linear ? value : log10(max(value, 1e-300))
  }

  /// 1, 2 or 5 times a power of ten, so that five steps or so span the range.
  private static func step(_ low: Double, _ high: Double) -> (step: Double, decimals: Int) {
    let smallest = max(low.magnitude, high.magnitude, 1e-290) * 1e-9
    let raw = max((high - low) / 5, smallest, low == high ? max(high.magnitude, 1) / 5 : 0)
    let exponent = floor(log10(raw))
    let digits = raw / pow(10, exponent)
    let factor: Double = digits <= 1.001 ? 1 : digits <= 2.001 ? 2 : digits <= 5.001 ? 5 : 10
    let decimals = Int(max(0, -exponent - (factor == 10 ? 1 : 0)))
    return (factor * pow(10, exponent), decimals)
  }

  private static func label(_ value: Double, decimals: Int) -> String {
    if decimals > 6 || value.magnitude >= 1e5 { return short(value) }
    let text = fixed(value, decimals)
    return text.allSatisfy { "-0.".contains($0) } ? "0" : text
  }

  private static func logTicks(_ values: [Double], _ low: Double, _ high: Double, atValues: Bool) -> [Double] {
    if atValues {
      let distinct = Set(values).sorted()
      let gaps = zip(distinct, distinct.dropFirst()).map { (log10($1) - log10($0)) / (high - low) }
      if distinct.count <= 8, gaps.allSatisfy({ $0 > 0.075 }) { return distinct }
    }
    let decades = Int(floor(low))...Int(ceil(high))
    let every = max(1, decades.count / 7)
    let factors: [Double] = high - low < 1.2 ? [1, 1.5, 2, 3, 5, 7] : high - low < 3 ? [1, 2, 5] : [1]
    return decades.filter { $0 % every == 0 }
      .flatMap { decade in factors.map { $0 * pow(10, Double(decade)) } }
      .filter { $0 > 0 && $0.isFinite && (low...high).contains(log10($0)) }
  }
}
