/// What Python's `str` does, on code points.
extension [Unicode.Scalar] {
  init(_ text: String) { self = Array(text.unicodeScalars) }

  /// Without the characters of `characters`, or white space, at its ends.
  func stripped(_ characters: Scalars? = nil, start: Bool = true, end: Bool = true) -> Scalars {
    let set = characters.map { Set($0) }
    func goes(_ scalar: Unicode.Scalar) -> Bool { set?.contains(scalar) ?? scalar.isPythonSpace }
    var lower = 0
    var upper = count
    if start { while lower < upper, goes(self[lower]) { lower += 1 } }
    if end { while upper > lower, goes(self[upper - 1]) { upper -= 1 } }
    return Array(self[lower..<upper])
  }

  /// Where `needle`, which is not empty, stands, without overlaps, at most `limit` times (Knuth, Morris and Pratt:
  /// the time is that of both lengths).
  func places(of needle: Scalars, atMost limit: Int = .max) -> [Int] {
    guard !needle.isEmpty, needle.count <= count, limit > 0 else { return [] }
    var borders = [Int](repeating: 0, count: needle.count)
    var matched = 0
    for index in needle.indices.dropFirst() {
      while matched > 0, needle[index] != needle[matched] { matched = borders[matched - 1] }
      if needle[index] == needle[matched] { matched += 1 }
      borders[index] = matched
    }
    var found: [Int] = []
    matched = 0
    for index in indices {
      while matched > 0, self[index] != needle[matched] { matched = borders[matched - 1] }
      if self[index] == needle[matched] { matched += 1 }
      guard matched == needle.count else { continue }
      found.append(index + 1 - needle.count)
      matched = 0
      if found.count == limit { break }
    }
    return found
  }

  func contains(text needle: Scalars) -> Bool { needle.isEmpty || !places(of: needle, atMost: 1).isEmpty }

  /// The parts around `separator`, which is not empty.
  func split(at separator: Scalars, atMost limit: Int = .max) -> [Scalars] {
    var parts: [Scalars] = []
    var start = 0
    for place in places(of: separator, atMost: limit) {
      parts.append(Array(self[start..<place]))
      start = place + separator.count
    }
    return parts + [Array(self[start...])]
  }

  /// The words between white space; the last holds the rest when there are more than `limit` gaps.
  func words(atMost limit: Int = .max) -> [Scalars] {
    var words: [Scalars] = []
    var index = 0
    while true {
      while index < count, self[index].isPythonSpace { index += 1 }
      guard index < count else { return words }
      if words.count == limit { return words + [Array(self[index...]).stripped(start: false)] }
      let start = index
      while index < count, !self[index].isPythonSpace { index += 1 }
      words.append(Array(self[start..<index]))
    }
  }

  func lines() -> [Scalars] {
    let ends: Set<Unicode.Scalar> = [
      "\n", "\r", "\u{B}", "\u{C}", "\u{1C}", "\u{1D}", "\u{1E}", "\u{85}", "\u{2028}", "\u{2029}",
    ]
    var lines: [Scalars] = []
    var start = 0
    var index = 0
    while index < count {
      let scalar = self[index]
      index += 1
      guard ends.contains(scalar) else { continue }
      lines.append(Array(self[start..<index - 1]))
      if scalar == "\r", index < count, self[index] == "\n" { index += 1 }
      start = index
    }
    return start < count ? lines + [Array(self[start...])] : lines
  }

  func upper() -> Scalars { flatMap { $0.isASCII ? [$0.asciiUpper] : Array($0.properties.uppercaseMapping) } }

  func lower() -> Scalars { indices.flatMap { lower(at: $0) } }

  private func lower(at index: Int) -> Scalars {
    let scalar = self[index]
    if scalar.isASCII { return [scalar.asciiLower] }
    if scalar == "Σ" { return [isFinal(index) ? "ς" : "σ"] }
    return Array(scalar.properties.lowercaseMapping)
  }

  /// Whether the sigma at `index` ends a word (Unicode's condition Final_Sigma).
  private func isFinal(_ index: Int) -> Bool {
    func isCased(_ scalars: some Sequence<Unicode.Scalar>) -> Bool {
      scalars.first { !$0.properties.isCaseIgnorable }?.properties.isCased ?? false
    }
    return isCased(self[..<index].reversed()) && !isCased(self[(index + 1)...])
  }

  /// `str.title`: a capital where a run of letters begins.
  func title() -> Scalars {
    var isInside = false
    return indices.flatMap { index in
      let scalar = self[index]
      defer { isInside = scalar.properties.isCased }
      return isInside ? lower(at: index) : Array(scalar.properties.titlecaseMapping)
    }
  }

  /// `str.capitalize`.
  func capitalized() -> Scalars {
    guard let first else { return [] }
    return Array(first.properties.titlecaseMapping) + indices.dropFirst().flatMap { lower(at: $0) }
  }

  /// Jinja's filter `title`: a capital behind white space, hyphens and opening brackets.
  func titleWords() -> Scalars {
    var result: Scalars = []
    var word: Scalars = []
    func flush() {
      guard let first = word.first else { return }
      result += [first].upper() + Array(word.dropFirst()).lower()
      word = []
    }
    for scalar in self {
      if scalar.isPythonSpace || "-({[<".unicodeScalars.contains(scalar) {
        flush()
        result.append(scalar)
      } else {
        word.append(scalar)
      }
    }
    flush()
    return result
  }

  /// Whether some letter has two cases, and all of those are of this one.
  func isCased(upper: Bool) -> Bool {
    var found = false
    for scalar in self {
      let properties = scalar.properties
      if properties.generalCategory == .titlecaseLetter || (upper ? properties.isLowercase : properties.isUppercase) {
        return false
      }
      found = found || (upper ? properties.isUppercase : properties.isLowercase)
    }
    return found
  }

  /// As Python writes a text inside of a list.
  var quoted: Scalars {
    let quote: Unicode.Scalar = contains("'") && !contains("\"") ? "\"" : "'"
    var result: Scalars = [quote]
    for scalar in self {
      switch scalar {
      case quote, "\\": result += ["\\", scalar]
      case "\n": result += Array("\\n")
      case "\r": result += Array("\\r")
      case "\t": result += Array("\\t")
      default: result += scalar.isPrintable ? [scalar] : scalar.pythonEscape
      }
    }
    return result + [quote]
  }
}

extension Unicode.Scalar {
  fileprivate var asciiUpper: Unicode.Scalar { ("a"..."z").contains(self) ? Unicode.Scalar(UInt8(value - 32)) : self }
  fileprivate var asciiLower: Unicode.Scalar { ("A"..."Z").contains(self) ? Unicode.Scalar(UInt8(value + 32)) : self }

  fileprivate var isPrintable: Bool {
    if isASCII { return (0x20..<0x7F).contains(value) }
    switch properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator, .spaceSeparator:
      return false
    default: return true
    }
  }

  fileprivate var pythonEscape: Scalars {
    value < 0x100
      ? Array("\\x" + hexadecimal(value, 2))
      : Array(value < 0x10000 ? "\\u" + hexadecimal(value, 4) : "\\U" + hexadecimal(value, 8))
  }
}

/// With zeros before it.
func hexadecimal(_ value: UInt32, _ width: Int) -> String {
  let digits = String(value, radix: 16)
  return String(repeating: "0", count: max(0, width - digits.count)) + digits
}

/// A number as Python's `repr` writes it: the fewest digits that read back as it, an exponent from 1e16 on.
func pythonText(_ value: Double) -> String {
  // Swift has one from 2^53 on, from where all numbers are whole.
  abs(value) >= 0x1p53 && abs(value) < 1e16 ? "\(Int(value)).0" : "\(value)"
}
