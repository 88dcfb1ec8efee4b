import Glibc

/// `text` with everything escaped that could drive a terminal or hide what it says: control characters
/// (C0, C1), changes of direction, separators and invisible tags. Newlines stay.
public func printable(_ text: String) -> String {
  escaping(text) { "\\u{\(String($0.value, radix: 16))}" }
}

/// The same on one line.
public func printableLine(_ text: String) -> String { printable(text).replacing("\n", with: "\\n") }

/// The same for text that is JSON: such characters stand in its strings only, and become `\uXXXX`, so
/// that the value stays what it is.
public func printableJSON(_ text: String) -> String {
  escaping(text) { scalar in
    String(scalar).utf16.map { unit in
      let digits = String(unit, radix: 16)
      return "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
    }.joined()
  }
}

private func escaping(_ text: String, _ escape: (Unicode.Scalar) -> String) -> String {
  guard text.unicodeScalars.contains(where: isHostile) else { return text }
  var result = ""
  for scalar in text.unicodeScalars {
    if isHostile(scalar) { result += escape(scalar) } else { result.unicodeScalars.append(scalar) }
  }
  return result
}

private func isHostile(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.value {
  case 0x0A, 0x20..<0x7F: false
  case 0x00..<0x20, 0x7F..<0xA0: true
  case 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x206F, 0xFEFF, 0xFFF9...0xFFFB, 0xE0000...0xE007F: true
  default: false
  }
}

/// Whether two texts are the same bytes. `==` holds texts equal that differ in how an accent is written; to
/// a file system, and to a program that is given one of them, they are two.
public func isSame(_ a: String, _ b: String) -> Bool {
  guard a.utf8.count == b.utf8.count else { return false }
  let answer = a.utf8.withContiguousStorageIfAvailable { a in
    b.utf8.withContiguousStorageIfAvailable { b in
      guard let left = a.baseAddress, let right = b.baseAddress else { return true }
      return memcmp(left, right, a.count) == 0
    }
  }
  return (answer ?? nil) ?? a.utf8.elementsEqual(b.utf8)
}

/// `value` with exactly `digits` decimals, independent of any locale.
public func fixed(_ value: Double, _ digits: Int) -> String {
  var buffer = [CChar](repeating: 0, count: 400)
  _ = withVaList([Int32(digits), value]) { vsnprintf(&buffer, buffer.count, "%.*f", $0) }
  return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// The system's text for an `errno`.
public func describe(errno code: Int32) -> String {
  guard let text = strerror(code) else { return "error \(code)" }
  return String(cString: text)
}

/// The candidate nearest to `word` by edit distance, if it is near enough to be a slip of the pen. A very
/// long word is nobody's slip.
public func nearest(to word: String, among candidates: some Sequence<String>) -> String? {
  let bytes = Array(word.utf8)
  guard bytes.count <= 128 else { return nil }
  var measure = EditDistance(to: bytes)
  var limit = max(1, word.count / 3)
  var best: (distance: Int, name: String)?
  for name in candidates where abs(name.utf8.count - bytes.count) <= limit {
    var name = name
    guard let distance = name.withUTF8({ measure.distance($0, atMost: limit) }) else { continue }
    if let found = best, (found.distance, found.name) <= (distance, name) { continue }
    best = (distance, name)
    limit = distance  // A later one must be as near.
  }
  return best?.name
}

/// Levenshtein distance with adjacent transpositions (optimal string alignment) from one word to many.
private struct EditDistance {
  private let word: [UInt8]
  private var last: [Int]
  private var previous: [Int]
  private var row: [Int]

  init(to word: [UInt8]) {
    self.word = word
    last = [Int](repeating: 0, count: word.count + 1)
    previous = last
    row = last
  }

  /// `nil` when it is more than `limit`.
  mutating func distance(_ other: UnsafeBufferPointer<UInt8>, atMost limit: Int) -> Int? {
    for j in 0...word.count { previous[j] = j }
    for i in other.indices {
      row[0] = i + 1
      var least = row[0]
      for j in word.indices {
        var best = min(row[j] + 1, previous[j + 1] + 1, previous[j] + (other[i] == word[j] ? 0 : 1))
        if i > 0, j > 0, other[i] == word[j - 1], other[i - 1] == word[j] { best = min(best, last[j - 1] + 1) }
        row[j + 1] = best
        least = min(least, best)
      }
      // A transposition reaches back one row more: two rows beyond the limit cannot come back under it.
      if least > limit + 1 { return nil }
      (last, previous, row) = (previous, row, last)
    }
    return previous[word.count] <= limit ? previous[word.count] : nil
  }
}
