/// Lower-case hexadecimal digits, as every name is written for people and in manifests.

/// The digit of a value below 16.
@inline(__always)
private func digit(_ value: UInt8) -> UInt8 { value &+ (value < 10 ? 48 : 87) }

/// The value of a lower-case digit, or more than 15.
@inline(__always)
private func value(_ digit: UInt8) -> UInt8 {
  let number = digit &- 48
  if number < 10 { return number }
  let letter = digit &- 97
  return letter < 6 ? letter &+ 10 : 255
}

/// Writes the 16 digits of `word`, most significant first.
@inline(__always)
func writeHexadecimal(_ word: UInt64, to target: UnsafeMutablePointer<UInt8>) {
  for place in 0..<8 {
    let byte = UInt8(truncatingIfNeeded: word &>> (56 &- 8 &* UInt64(place)))
    target[2 * place] = digit(byte >> 4)
    target[2 * place + 1] = digit(byte & 15)
  }
}

/// Reads 16 digits, most significant first; `nil` for anything else.
@inline(__always)
func readHexadecimal(_ source: UnsafePointer<UInt8>) -> UInt64? {
  var word: UInt64 = 0
  for place in 0..<16 {
    let number = value(source[place])
    if number > 15 { return nil }
    word = word << 4 | UInt64(number)
  }
  return word
}

/// The digits of some words, one after the other.
func hexadecimal(_ words: UInt64...) -> String {
  String(unsafeUninitializedCapacity: 16 * words.count) { buffer in
    guard let base = buffer.baseAddress else { return 0 }
    for (place, word) in words.enumerated() { writeHexadecimal(word, to: base + 16 * place) }
    return 16 * words.count
  }
}

/// The words that `text` spells, 16 digits each; `nil` for anything else.
func parseHexadecimal(_ text: some StringProtocol, words count: Int) -> [UInt64]? {
  guard text.utf8.count == 16 * count else { return nil }
  let digits = Array(text.utf8)
  return digits.withUnsafeBufferPointer { buffer in
    var words: [UInt64] = []
    for place in 0..<count {
      guard let word = readHexadecimal(buffer.baseAddress! + 16 * place) else { return nil }
      words.append(word)
    }
    return words
  }
}
