/// Which piece a match of a pattern belongs to: the behaviours of `tokenizers`' `Split`.
enum SplitBehavior: String, Hashable, Sendable {
  case removed = "Removed"
  case isolated = "Isolated"
  case mergedWithPrevious = "MergedWithPrevious"
  case mergedWithNext = "MergedWithNext"
  case contiguous = "Contiguous"
}

/// When Metaspace puts its mark before a text that has none.
enum PrependScheme: String, Hashable, Sendable {
  case always, first, never
}

/// What cuts text into the pieces that merges never cross: one step of the `pre_tokenizer` of a `tokenizer.json`.
enum SplitStep: Hashable, Sendable {
  /// Lemma's own cut, equal to its pattern.
  case own
  case pattern(TextPattern, SplitBehavior, isInverted: Bool)
  case digits(individually: Bool)
  /// Runs of word characters and runs of other marks, without white space.
  case words
  case whitespace
  /// Every piece begins with a space.
  case prefixSpace
  case metaspace(mark: [UInt8], PrependScheme, splits: Bool)
}

/// Valid UTF-8 and where it is cut; the ranges are in order, not empty and do not overlap.
struct Pieces {
  var bytes: [UInt8]
  var ranges: [Range<Int>]
  /// Whether the first piece begins where the whole text does.
  var startsText: Bool

  init(_ bytes: [UInt8], startsText: Bool) {
    self.bytes = bytes
    ranges = bytes.isEmpty ? [] : [0..<bytes.count]
    self.startsText = startsText
  }

  mutating func apply(_ step: SplitStep) {
    switch step {
    case .own: cut { text, cut in PreTokenizer.split(text) { cut.match($0) } }
    case .pattern(let pattern, let behavior, let isInverted):
      cut(behavior, isInverted) { text, cut in pattern.eachMatch(in: text) { cut.match($0) } }
    case .digits(let individually): cutScalars(individually ? .isolated : .contiguous) { $0.isNumber }
    case .words: cutWords()
    case .whitespace: cutScalars(.removed) { $0.isSpace }
    case .prefixSpace: edit { _, piece in piece.first == 0x20 ? Array(piece) : [0x20] + piece }
    case .metaspace(let mark, let scheme, let splits):
      edit { isFirst, piece in
        var edited: [UInt8] = []
        for byte in piece { if byte == 0x20 { edited += mark } else { edited.append(byte) } }
        let isWanted = scheme == .always || scheme == .first && isFirst
        return isWanted && !edited.starts(with: mark) ? mark + edited : edited
      }
      if splits {
        let pattern = TextPattern(literal: String(decoding: mark, as: UTF8.self))
        cut(.mergedWithNext) { text, cut in pattern.eachMatch(in: text) { cut.match($0) } }
      }
    }
  }

  /// Cuts each piece at the matches that `find` names.
  private mutating func cut(
    _ behavior: SplitBehavior = .isolated, _ isInverted: Bool = false,
    _ find: (UnsafeBufferPointer<UInt8>, inout Cut) -> Void
  ) {
    var result: [Range<Int>] = []
    result.reserveCapacity(bytes.count / 4)
    bytes.withUnsafeBufferPointer { buffer in
      for range in ranges {
        var cut = Cut(behavior: behavior, isInverted: isInverted, offset: range.lowerBound, pieces: result)
        result = []
        find(UnsafeBufferPointer(rebasing: buffer[range]), &cut)
        result = cut.finish(range.count)
      }
    }
    if let first = result.first, first.lowerBound > (ranges.first?.lowerBound ?? 0) { startsText = false }
    ranges = result
  }

  /// Cuts at every scalar of a class.
  private mutating func cutScalars(_ behavior: SplitBehavior, _ isMatch: (Unicode.Scalar) -> Bool) {
    cut(behavior) { text, cut in
      UTF8Text.eachScalar(text) { scalar, range in if isMatch(scalar) { cut.match(range) } }
    }
  }

  private mutating func cutWords() {
    cut(.removed, true) { text, cut in
      var start = 0
      var kind = 0
      UTF8Text.eachScalar(text) { scalar, range in
        let next = scalar.isWord ? 1 : scalar.isSpace ? 0 : 2
        if next != kind {
          if kind != 0 { cut.match(start..<range.lowerBound) }
          (start, kind) = (range.lowerBound, next)
        }
      }
      if kind != 0 { cut.match(start..<text.count) }
    }
  }

  /// Replaces each piece; `change` is told whether it begins where the whole text does.
  private mutating func edit(_ change: (Bool, ArraySlice<UInt8>) -> [UInt8]) {
    var result: [UInt8] = []
    var edited: [Range<Int>] = []
    for (index, range) in ranges.enumerated() {
      let start = result.count
      result += change(index == 0 && startsText, bytes[range])
      edited.append(start..<result.count)
    }
    (bytes, ranges) = (result, edited)
  }
}

/// Collects the pieces of one text from the matches in it.
private struct Cut {
  let behavior: SplitBehavior
  let isInverted: Bool
  let offset: Int
  var pieces: [Range<Int>]
  private let first: Int
  private var end = 0
  private var lastWasMatch = false

  init(behavior: SplitBehavior, isInverted: Bool, offset: Int, pieces: [Range<Int>]) {
    self.behavior = behavior
    self.isInverted = isInverted
    self.offset = offset
    self.pieces = pieces
    first = pieces.count
  }

  @inline(__always) mutating func match(_ range: Range<Int>) {
    if end < range.lowerBound { add(end..<range.lowerBound, isMatch: isInverted) }
    add(range, isMatch: !isInverted)
    end = range.upperBound
  }

  mutating func finish(_ count: Int) -> [Range<Int>] {
    if end < count { add(end..<count, isMatch: isInverted) }
    if behavior != .isolated { pieces.replaceSubrange(first..., with: pieces[first...].filter { !$0.isEmpty }) }
    return pieces
  }

  private mutating func add(_ range: Range<Int>, isMatch: Bool) {
    let piece = offset + range.lowerBound..<offset + range.upperBound
    let isFirst = pieces.count == first
    switch behavior {
    case .isolated: if !piece.isEmpty { pieces.append(piece) }
    case .removed: if !isMatch { pieces.append(piece) }
    case .contiguous:
      if !isFirst, isMatch == lastWasMatch { extend(to: piece) } else { pieces.append(piece) }
    case .mergedWithPrevious:
      if isMatch, !lastWasMatch, !isFirst { extend(to: piece) } else { pieces.append(piece) }
    case .mergedWithNext:
      // A match waits for what follows; of several in a row only the last one merges.
      if !isMatch, lastWasMatch, !isFirst { extend(to: piece) } else { pieces.append(piece) }
    }
    lastWasMatch = isMatch
  }

  private mutating func extend(to piece: Range<Int>) {
    let last = pieces.count - 1
    pieces[last] = pieces[last].lowerBound..<piece.upperBound
  }
}
