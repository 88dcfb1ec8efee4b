@_spi(_Unicode) import Swift

/// What a tokenizer does to text before it is cut: one step of the `normalizer` of a `tokenizer.json`.
enum NormalizationStep: Hashable, Sendable {
  /// Canonical composition or decomposition by Unicode 9, whose tables `tokenizers` has: what came later stays as it is
  /// and where it is.
  case nfc
  case nfd
  case lowercase
  case prepend([UInt8])
  case replace(TextPattern, with: [UInt8])
  case strip(left: Bool, right: Bool)

  /// - Parameter startsText: whether `text` begins where the whole text does; false afterwards if its beginning went.
  func apply(to text: [UInt8], startsText: inout Bool) -> [UInt8] {
    switch self {
    case .nfc: return Self.eachOldRun(text) { $0.unicodeScalars.append(contentsOf: $1._nfc) }
    case .nfd: return Self.eachOldRun(text) { $0.unicodeScalars.append(contentsOf: $1._nfd) }
    case .lowercase:
      var result = ""
      for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
        result.unicodeScalars.append(contentsOf: scalar.properties.lowercaseMapping.unicodeScalars)
      }
      return Array(result.utf8)
    case .prepend(let prefix): return text.isEmpty ? text : prefix + text
    case .replace(let pattern, let replacement): return pattern.replace(in: text, with: replacement)
    case .strip(let left, let right):
      let scalars = String(decoding: text, as: UTF8.self).unicodeScalars
      var rest = scalars[...]
      if left { rest = rest.drop(while: \.isSpace) }
      if rest.startIndex > scalars.startIndex { startsText = false }
      if right { while let last = rest.last, last.isSpace { rest.removeLast() } }
      return Array(String(rest).utf8)
    }
  }

  /// Text with its longest runs of scalars of Unicode 9 appended by `append`, and all others as they are.
  private static func eachOldRun(_ text: [UInt8], _ append: (inout String, String) -> Void) -> [UInt8] {
    if text.withUnsafeBufferPointer(UTF8Text.isASCII) { return text }
    var result = ""
    var run = ""
    for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
      if scalar.isASCII || (scalar.properties.age?.major ?? .max) <= 9 {
        run.unicodeScalars.append(scalar)
      } else {
        append(&result, run)
        run = ""
        result.unicodeScalars.append(scalar)
      }
    }
    append(&result, run)
    return Array(result.utf8)
  }
}
