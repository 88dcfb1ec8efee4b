import Glibc
import LemmaBasics

/// A number as a reader wants it at a point or an axis: short, without false digits.
func short(_ value: Double) -> String {
  let size = value.magnitude
  if size == 0 { return "0" }
  if size >= 1e15 || size < 1e-4 { return power(value) }
  let units: [(Double, String)] = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e5, "k")]
  for (limit, unit) in units where size >= limit {
    return trimmed(fixed(value / (unit == "k" ? 1e3 : limit), 2)) + unit
  }
  if value == value.rounded() { return fixed(value, 0) }
  return trimmed(fixed(value, size >= 100 ? 1 : size >= 1 ? 2 : size >= 0.01 ? 3 : 5))
}

/// `1.5e-7`
private func power(_ value: Double) -> String {
  var exponent = Int(floor(log10(value.magnitude)))
  var digits = value / pow(10, Double(exponent))
  if !digits.isFinite || digits == 0 { return JSON(value).canonical }
  if digits.magnitude >= 9.995 {
    digits /= 10
    exponent += 1
  }
  return "\(trimmed(fixed(digits, 2)))e\(exponent)"
}

/// Without zeros at the end of the fraction.
private func trimmed(_ text: String) -> String {
  guard text.utf8.contains(UInt8(ascii: ".")) else { return text }
  var bytes = Array(text.utf8)
  while bytes.last == UInt8(ascii: "0") { bytes.removeLast() }
  if bytes.last == UInt8(ascii: ".") { bytes.removeLast() }
  return String(decoding: bytes, as: UTF8.self)
}

/// A size in bytes for people, such as `4.2 MiB`.
func byteCount(_ count: Int) -> String {
  guard count >= 1024 else { return "\(count) B" }
  var value = Double(count)
  var unit = ""
  for next in ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"] where value >= 1024 {
    value /= 1024
    unit = next
  }
  return "\(fixed(value, 1)) \(unit)"
}

/// The values of a chart's points with the same number of decimals each.
struct ValueLabels {
  private let decimals: Int

  init(_ series: [Chart.Series]) {
    decimals = series.flatMap(\.points).reduce(0) { most, point in
      let text = short(point.y)
      guard text.utf8.allSatisfy({ $0 < UInt8(ascii: "A") }), let dot = text.firstIndex(of: ".") else { return most }
      return max(most, text[dot...].utf8.count - 1)
    }
  }

  func text(_ value: Double) -> String {
    let text = short(value)
    return text.utf8.allSatisfy { $0 < UInt8(ascii: "A") } ? fixed(value, decimals) : text
  }
}
