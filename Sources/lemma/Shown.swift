import LemmaBasics

/// Text as it goes to a terminal. What is put into it by interpolation is escaped unless it is `Shown`
/// itself, so that only the program's own literals and colours can drive the terminal.
struct Shown: ExpressibleByStringInterpolation {
  private(set) var text: String

  init(stringLiteral value: String) { text = value }
  init(stringInterpolation: StringInterpolation) { text = stringInterpolation.text }

  struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var text = ""

    init(literalCapacity: Int, interpolationCount: Int) { text.reserveCapacity(literalCapacity) }

    mutating func appendLiteral(_ literal: String) { text += literal }
    mutating func appendInterpolation(_ value: some CustomStringConvertible) { text += printable(value.description) }
    mutating func appendInterpolation(_ shown: Shown) { text += shown.text }
  }

  static func + (left: Shown, right: Shown) -> Shown { "\(left)\(right)" }
}
