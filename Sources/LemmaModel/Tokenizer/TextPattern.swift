import COnig
import LemmaBasics

/// A regular expression of a `tokenizer.json`, or a plain text to look for, as Oniguruma with its default syntax takes
/// it. Two are equal when they are spelt the same.
final class TextPattern: Hashable, @unchecked Sendable {
  let source: String
  let isLiteral: Bool
  /// Only read after `init`: Oniguruma allows searches of one pattern in several threads.
  private let regex: OnigRegex?

  private static let isReady = lemma_onig_initialize() == ONIG_NORMAL

  /// - Throws: `Failure` when it is not a regular expression.
  init(regex source: String, file: String) throws {
    self.source = source
    isLiteral = false
    var bytes = Array(source.utf8)
    var compiled: OnigRegex?
    let status = bytes.withUnsafeMutableBufferPointer { buffer -> Int32 in
      guard Self.isReady, let start = buffer.baseAddress else { return ONIGERR_INVALID_ARGUMENT }
      return lemma_onig_new(&compiled, start, start + buffer.count)
    }
    guard status == ONIG_NORMAL, compiled != nil else {
      throw Failure(
        .user, "tokenizer", "not a regular expression that Oniguruma takes (error \(status)): '\(source)'",
        at: Position(file: file))
    }
    regex = compiled
  }

  init(literal source: String) {
    self.source = source
    isLiteral = true
    regex = nil
  }

  deinit { if let regex { onig_free(regex) } }

  static func == (a: TextPattern, b: TextPattern) -> Bool { a.isLiteral == b.isLiteral && isSame(a.source, b.source) }

  func hash(into hasher: inout Hasher) {
    hasher.combine(isLiteral)
    for byte in source.utf8 { hasher.combine(byte) }
  }

  /// Calls `body` with each match in `text`, which is valid UTF-8, in order; matches do not overlap, and an empty one
  /// does not follow right behind another. A search that Oniguruma gives up, which takes ten million steps back at
  /// one place or a hundred million in all, finds nothing more.
  func eachMatch(in text: UnsafeBufferPointer<UInt8>, _ body: (Range<Int>) -> Void) {
    guard let start = text.baseAddress, !text.isEmpty else { return }
    if isLiteral { return eachOccurrence(in: text, body) }
    guard let region = onig_region_new() else { return }
    defer { onig_region_free(region, 1) }
    var from = 0
    var lastEnd = -1
    var end: Int32 = 0
    while from <= text.count {
      let found = lemma_onig_search(regex, start, start + text.count, start + from, region, &end)
      guard found >= 0 else { return }
      if found == end, Int(end) == lastEnd {
        from += from < text.count ? UTF8Text.length(text[from]) : 1
        continue
      }
      from = Int(end)
      lastEnd = from
      body(Int(found)..<from)
    }
  }

  private func eachOccurrence(in text: UnsafeBufferPointer<UInt8>, _ body: (Range<Int>) -> Void) {
    let wanted = Array(source.utf8)
    guard !wanted.isEmpty else { return }
    var index = 0
    while index + wanted.count <= text.count {
      if text[index] == wanted[0], text[index..<index + wanted.count].elementsEqual(wanted) {
        body(index..<index + wanted.count)
        index += wanted.count
      } else {
        index += 1
      }
    }
  }

  /// How many times as long a text can become when its matches are replaced.
  func growth(_ replacement: [UInt8]) -> Double {
    // A regular expression may match where nothing is.
    isLiteral ? max(1, Double(replacement.count) / Double(max(1, source.utf8.count))) : Double(1 + replacement.count)
  }

  /// `text` with every match replaced.
  func replace(in text: [UInt8], with replacement: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    var last = 0
    text.withUnsafeBufferPointer { buffer in
      eachMatch(in: buffer) { range in
        result += buffer[last..<range.lowerBound]
        result += replacement
        last = range.upperBound
      }
    }
    return result + text[last...]
  }
}
