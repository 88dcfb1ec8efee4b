import LemmaBasics

/// A text with `${...}` in it, taken apart. `$${` stands for the two characters `${`.
struct Template {
  enum Piece {
    case text(String)
    /// The names between the braces, which were separated by points.
    case token([String])
  }

  var pieces: [Piece] = []

  /// The names of the one token that is the whole text.
  var wholeToken: [String]? {
    if pieces.count == 1, case .token(let names) = pieces[0] { names } else { nil }
  }

  var tokens: [[String]] {
    pieces.compactMap { if case .token(let names) = $0 { names } else { nil } }
  }

  /// - Throws: the text of the first `${` that begins no reference.
  init(_ text: String) throws(Malformed) {
    var literal: [UInt8] = []
    var rest = Array(text.utf8)[...]
    let dollar = UInt8(ascii: "$")
    let brace = UInt8(ascii: "{")
    func flush(_ pieces: inout [Piece]) {
      guard !literal.isEmpty else { return }
      pieces.append(.text(String(decoding: literal, as: UTF8.self)))
      literal = []
    }
    while let byte = rest.first {
      if rest.starts(with: [dollar, dollar, brace]) {
        literal += [dollar, brace]
        rest = rest.dropFirst(3)
      } else if rest.starts(with: [dollar, brace]) {
        let body = rest.dropFirst(2).prefix { $0 != UInt8(ascii: "}") }
        guard body.endIndex < rest.endIndex, let names = Self.names(body) else {
          throw Malformed(text: String(decoding: rest.prefix(body.count + 3), as: UTF8.self))
        }
        flush(&pieces)
        pieces.append(.token(names))
        rest = rest[(body.endIndex + 1)...]
      } else {
        literal.append(byte)
        rest = rest.dropFirst()
      }
    }
    flush(&pieces)
  }

  struct Malformed: Error { var text: String }

  private static func names(_ body: ArraySlice<UInt8>) -> [String]? {
    let space = UInt8(ascii: " ")
    let inner = body.drop { $0 == space }
    let trimmed = inner.prefix((inner.lastIndex { $0 != space } ?? inner.startIndex - 1) - inner.startIndex + 1)
    let names = trimmed.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
      .map { String(decoding: $0, as: UTF8.self) }
    return names.count >= 2 && names.allSatisfy(isIdentifier) ? names : nil
  }
}

/// A reference as it is written.
func written(_ names: [String]) -> String { "${\(names.joined(separator: "."))}" }
