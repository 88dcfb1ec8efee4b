@_spi(_Unicode) import Swift

/// What a tokenizer does to text before it is cut: one step of the `normalizer` of a `tokenizer.json`.
enum NormalizationStep: Hashable, Sendable {
  /// Canonical composition or decomposition, by the Unicode tables of the standard library.
  case nfc
  case nfd
  case lowercase
  case prepend([UInt8])
  case replace(TextPattern, with: [UInt8])
  case strip(left: Bool, right: Bool)

  /// - Parameter startsText: whether `text` begins where the whole text does; false afterwards if its beginning went.
  func apply(to text: [UInt8], startsText: inout Bool) -> [UInt8] {
    switch self {
    case .nfc: return isASCII(text) ? text : Array(String(decoding: text, as: UTF8.self)._nfc.utf8Bytes)
    case .nfd: return isASCII(text) ? text : Array(String(decoding: text, as: UTF8.self)._nfd.utf8Bytes)
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

  private func isASCII(_ text: [UInt8]) -> Bool { text.withUnsafeBufferPointer(UTF8Text.isASCII) }
}

extension Sequence where Element == Unicode.Scalar {
  fileprivate var utf8Bytes: [UInt8] {
    var text = ""
    text.unicodeScalars.append(contentsOf: self)
    return Array(text.utf8)
  }
}
