/// How many columns of a terminal a character takes: none for marks that join the one before, two
/// for East Asian wide characters and emoji, else one (Unicode Standard Annex 11, in broad ranges).
func columns(_ character: Character) -> Int {
  guard let scalar = character.unicodeScalars.first else { return 0 }
  switch scalar.properties.generalCategory {
  case .nonspacingMark, .enclosingMark, .format: return 0
  default: break
  }
  switch scalar.value {
  case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97C, 0xAC00...0xD7A3, 0xF900...0xFAFF,
    0xFE30...0xFE6F, 0xFF01...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1F9FF,
    0x20000...0x3FFFD:
    return 2
  default: return 1
  }
}

func columns(_ text: String) -> Int { text.reduce(0) { $0 + columns($1) } }

/// The text in exactly or at least `width` columns, at its left or right end.
func padded(_ text: String, to width: Int, right: Bool = false) -> String {
  let gap = String(repeating: " ", count: max(0, width - columns(text)))
  return right ? gap + text : text + gap
}

/// The text in at most `width` columns, with an ellipsis where it was cut.
func cut(_ text: String, to width: Int) -> String {
  guard columns(text) > width else { return text }
  var result = ""
  var used = 1
  for character in text {
    used += columns(character)
    if used > width { break }
    result.append(character)
  }
  return result + "…"
}

/// About how wide a text is in the page's sans-serif type, in pixels.
func pixels(_ text: String, size: Double) -> Double {
  text.reduce(0) { total, character in
    switch character {
    case "i", "j", "l", "I", ".", ",", ":", ";", "'", "|", "!", " ": total + size * 0.32
    case "m", "w", "M", "W", "%", "@": total + size * 0.92
    default: total + Double(columns(character)) * size * (character.isUppercase ? 0.68 : 0.58)
    }
  }
}
