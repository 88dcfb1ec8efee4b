/// Cuts text into words for n-gram comparison. How many rows are hit depends as much on this as on
/// n, so name and version are recorded with every result.
public enum WordTokenizer: String, Sendable, CaseIterable {
  /// Lower case, cut at white space.
  case whitespace
  /// Lower case; runs of letters, digits and underscores, and every other sign by itself.
  case wordsAndSigns = "words-and-signs"

  public var version: String { "\(rawValue)/1" }

  public func tokens(of text: String) -> [String] {
    let lower = text.lowercased()
    switch self {
    case .whitespace:
      return lower.unicodeScalars.split { $0.properties.isWhitespace }.map(String.init)
    case .wordsAndSigns:
      var tokens: [String] = []
      var word = ""
      for scalar in lower.unicodeScalars {
        if scalar == "_" || scalar.properties.isAlphabetic || scalar.properties.numericType != nil {
          word.unicodeScalars.append(scalar)
          continue
        }
        if !word.isEmpty { tokens.append(word) }
        word = ""
        if !scalar.properties.isWhitespace { tokens.append(String(scalar)) }
      }
      if !word.isEmpty { tokens.append(word) }
      return tokens
    }
  }
}
