/// An exact fraction in lowest terms with a positive denominator, both within 64 bits. Every
/// operation that would leave that range, or divide by zero, is `nil`: a value is exact or absent.
public struct Rational: Hashable, Sendable {
  public let numerator: Int64
  public let denominator: Int64

  public static let zero = Rational(exactly: 0, 1)

  public init(_ integer: Int32) { self.init(exactly: Int64(integer), 1) }

  /// `numerator / denominator` in lowest terms; `nil` for a zero denominator or terms beyond 64 bits.
  public init?(_ numerator: Int128, over denominator: Int128 = 1) {
    guard denominator != 0, numerator != .min, denominator != .min else { return nil }
    let divisor = Int128(greatestCommonDivisor(numerator.magnitude, denominator.magnitude))
    let sign: Int128 = denominator < 0 ? -1 : 1
    // The most negative Int64 is left out, so that negation and magnitude never overflow.
    guard let top = Int64(exactly: sign * numerator / divisor), top != .min,
      let bottom = Int64(exactly: sign * denominator / divisor)
    else { return nil }
    self.init(exactly: top, bottom)
  }

  private init(exactly numerator: Int64, _ denominator: Int64) {
    self.numerator = numerator
    self.denominator = denominator
  }

  public var isInteger: Bool { denominator == 1 }
  public var isNegative: Bool { numerator < 0 }
  public var negated: Rational { Rational(exactly: -numerator, denominator) }
  public var magnitude: Rational { isNegative ? negated : self }

  /// The value as an `Int`, when it is a whole number.
  public var integer: Int? { isInteger ? Int(numerator) : nil }

  // The terms are below 2^63, so their products and the sums of two products fit 128 bits.

  public func adding(_ other: Rational) -> Rational? {
    Rational(
      Int128(numerator) * Int128(other.denominator) + Int128(other.numerator) * Int128(denominator),
      over: Int128(denominator) * Int128(other.denominator))
  }

  public func subtracting(_ other: Rational) -> Rational? { adding(other.negated) }

  public func multiplied(by other: Rational) -> Rational? {
    Rational(
      Int128(numerator) * Int128(other.numerator), over: Int128(denominator) * Int128(other.denominator))
  }

  public func divided(by other: Rational) -> Rational? {
    Rational(
      Int128(numerator) * Int128(other.denominator), over: Int128(denominator) * Int128(other.numerator))
  }
}

extension Rational: Comparable {
  public static func < (a: Rational, b: Rational) -> Bool {
    Int128(a.numerator) * Int128(b.denominator) < Int128(b.numerator) * Int128(a.denominator)
  }
}

extension Rational: CustomStringConvertible {
  /// The canonical text: `36`, `-2.5` when the decimals end, else a fraction such as `1/3`.
  public var description: String { decimalText() ?? "\(numerator)/\(denominator)" }

  /// The places after the point that the value needs; `nil` when its decimals do not end within 18.
  public var decimalPlaces: Int? {
    var scale: Int128 = 1
    for places in 0...18 {
      if scale % Int128(denominator) == 0 { return places }
      scale *= 10
    }
    return nil
  }

  /// The exact decimals, with at least `decimals` places; `nil` when they do not end within 18.
  public func decimalText(decimals least: Int = 0) -> String? {
    guard let exact = decimalPlaces, max(exact, least) <= 18 else { return nil }
    let places = max(exact, least)
    let scale = (0..<places).reduce(Int128(1)) { power, _ in power * 10 }
    let scaled = Int128(numerator.magnitude) * (scale / Int128(denominator))
    let sign = isNegative ? "-" : ""
    guard places > 0 else { return sign + String(scaled) }
    let fraction = String(scaled % scale)
    let padding = String(repeating: "0", count: places - fraction.utf8.count)
    return "\(sign)\(scaled / scale).\(padding)\(fraction)"
  }
}

private func greatestCommonDivisor(_ a: UInt128, _ b: UInt128) -> UInt128 {
  var (a, b) = (a, b)
  while b != 0 { (a, b) = (b, a % b) }
  return a
}
