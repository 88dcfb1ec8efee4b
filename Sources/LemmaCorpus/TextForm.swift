/// What two texts have in common when they are called the same: case, white space and the shape
/// of quotes and dashes do not count. The name goes into what is recorded about a comparison.
public enum TextForm {
  public static let version = "text/1"

  public static func normalised(_ text: String) -> String {
    var result = ""
    var pendingSpace = false
    for scalar in text.unicodeScalars {
      if scalar.properties.isWhitespace {
        pendingSpace = !result.isEmpty
        continue
      }
      if pendingSpace { result.unicodeScalars.append(" ") }
      pendingSpace = false
      switch scalar {
      case "\u{2018}", "\u{2019}": result.unicodeScalars.append("'")
      case "\u{201C}", "\u{201D}": result.unicodeScalars.append("\"")
      case "\u{2010}"..."\u{2014}", "\u{2212}": result.unicodeScalars.append("-")
      default: result += scalar.properties.lowercaseMapping
      }
    }
    return result
  }
}
