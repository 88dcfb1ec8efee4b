import LemmaCorpus

/// Finds the numbers of a text, written in digits or in words. It knows how they are written, not
/// which of them matter.
struct MentionScanner {
  /// Where the text comes from: in worked steps `48/2` is a division, in a problem a fraction.
  enum Kind {
    case problem, steps
  }

  private let bytes: [UInt8]
  private let kind: Kind
  private var mentions: [Mention] = []

  static func mentions(in bytes: [UInt8], kind: Kind) -> [Mention] {
    var scanner = MentionScanner(bytes: bytes, kind: kind)
    scanner.scan()
    return scanner.mentions
  }

  private init(bytes: [UInt8], kind: Kind) {
    self.bytes = bytes
    self.kind = kind
  }

  private mutating func scan() {
    var offset = 0
    while offset < bytes.count {
      if isASCIILetter(bytes[offset]) {
        offset = word(at: offset)
      } else if let (number, length) = NumberText.prefix(of: bytes[offset...]), startsNumber(offset) {
        offset = digits(number, offset..<offset + length)
      } else {
        offset += 1
      }
    }
  }

  private func byte(_ index: Int) -> UInt8? { bytes.indices.contains(index) ? bytes[index] : nil }
  private func isLetter(_ index: Int) -> Bool { byte(index).map(isASCIILetter) ?? false }
  private func isDigit(_ index: Int) -> Bool { byte(index).map(isASCIIDigit) ?? false }

  /// A point with digits begins a number only where no digit stands before it.
  private func startsNumber(_ offset: Int) -> Bool { bytes[offset] != UInt8(ascii: ".") || !isDigit(offset - 1) }

  private mutating func add(_ value: Rational?, _ form: Mention.Form, _ range: Range<Int>) {
    if let value { mentions.append(Mention(value: value, form: form, range: range)) }
  }

  // MARK: Digits

  private mutating func digits(_ number: NumberText, _ range: Range<Int>) -> Int {
    let end = range.upperBound
    if kind == .problem, byte(end) == UInt8(ascii: "/"), isDigit(end + 1),
      let (divisor, length) = NumberText.prefix(of: bytes[(end + 1)...])
    {
      return fraction(number, divisor, range.lowerBound..<end + 1 + length)
    }
    if let unit = hundredthUnit(at: end) {
      add(number.value, .fixed, range.lowerBound..<unit)
      add(number.value.divided(by: Rational(100)), .fixed, range.lowerBound..<unit)
      return unit
    }
    add(number.value, isFixed(number, range) ? .fixed : .digits(number), range)
    return end
  }

  private mutating func fraction(_ top: NumberText, _ bottom: NumberText, _ range: Range<Int>) -> Int {
    let value = top.value.divided(by: bottom.value)
    add(value, .fixed, range)
    add(top.value, .fixed, range)
    add(bottom.value, .fixed, range)
    // A mixed number: `2 1/2`.
    if let value, let last = mentions.dropLast(3).last, case .digits = last.form,
      last.range.upperBound + 1 == range.lowerBound, byte(last.range.upperBound) == UInt8(ascii: " ")
    {
      mentions[mentions.count - 4].form = .fixed
      add(last.value.adding(value), .fixed, range)
    }
    return range.upperBound
  }

  /// The end of a `%`, ` percent` or ` cents` that begins at `offset`.
  private func hundredthUnit(at offset: Int) -> Int? {
    if byte(offset) == UInt8(ascii: "%") { return offset + 1 }
    for unit in [" percent", " cents", "-cent", " cent", "¢"] where bytes[offset...].starts(with: unit.utf8) {
      let end = offset + unit.utf8.count
      if !isLetter(end) { return end }
    }
    return nil
  }

  private func isFixed(_ number: NumberText, _ range: Range<Int>) -> Bool {
    let end = range.upperBound
    let before = byte(range.lowerBound - 1)
    let isTimesSign = kind == .steps && byte(end) == UInt8(ascii: "x") && isDigit(end + 1)
    let followsTimesSign = kind == .steps && before == UInt8(ascii: "x") && isDigit(range.lowerBound - 2)
    // Ordinals, `10am`, `2x`; `A4`; times of day.
    if isLetter(end), !isTimesSign { return true }
    if isLetter(range.lowerBound - 1), !followsTimesSign { return true }
    if byte(end) == UInt8(ascii: ":"), isDigit(end + 1) { return true }
    if before == UInt8(ascii: ":"), isDigit(range.lowerBound - 2) { return true }
    if followedByScale(end) { return true }
    // A year.
    return kind == .problem && !number.hasSeparators && before != UInt8(ascii: "$") && range.count == 4
      && number.decimals == 0 && number.value >= Rational(1900) && number.value < Rational(2100)
  }

  private func followedByScale(_ offset: Int) -> Bool {
    [" hundred", " thousand", " million", " dozen", " and a half"].contains { bytes[offset...].starts(with: $0.utf8) }
  }

  // MARK: Words

  private mutating func word(at start: Int) -> Int {
    var end = start
    while isLetter(end) { end += 1 }
    guard !isDigit(start - 1) else { return end }
    let text = String(decoding: bytes[start..<end], as: UTF8.self)
    let lower = text.lowercased()
    if let implied = NumberWords.implied[lower] {
      for value in implied { add(value, .fixed, start..<end) }
      addScaled(by: implied[0], before: start)
      return end
    }
    guard var value = NumberWords.values[lower] else { return end }
    if value >= 20, byte(end) == UInt8(ascii: "-") || byte(end) == UInt8(ascii: " ") {
      var unitEnd = end + 1
      while isLetter(unitEnd) { unitEnd += 1 }
      let unit = String(decoding: bytes[min(end + 1, bytes.count)..<unitEnd], as: UTF8.self).lowercased()
      if let small = NumberWords.values[unit], (1...9).contains(small) {
        value += small
        end = unitEnd
      }
    }
    let isCapitalised = bytes[start] < UInt8(ascii: "a")
    // `one` and `two` are often pronouns, and `five hundred` is not five.
    let isFixed = value < 3 || followedByScale(end)
    add(Rational(Int32(value)), isFixed ? .fixed : .word(isCapitalised: isCapitalised), start..<end)
    return end
  }

  /// `two hundred`, `3 dozen`: the product is a number of the text as well.
  private mutating func addScaled(by scale: Rational, before start: Int) {
    guard scale >= Rational(12), mentions.count > 1 else { return }
    let count = mentions[mentions.count - 2]
    guard count.range.upperBound + 1 == start, byte(start - 1) == UInt8(ascii: " ") else { return }
    add(count.value.multiplied(by: scale), .fixed, count.range)
  }
}
