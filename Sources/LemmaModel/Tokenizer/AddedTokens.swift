import LemmaBasics

/// A token that is looked for in the text before anything cuts it.
struct AddedToken: Hashable, Sendable {
  var id: Int32
  /// UTF-8.
  var content: [UInt8]
  /// Whether it stands for something other than its spelling, and does not show when ids are decoded.
  var isSpecial: Bool
  /// Whether it counts only with no word character on either side.
  var isSingleWord = false
  /// Whether it takes the white space on its left and right with it.
  var stripsLeft = false
  var stripsRight = false
  /// Whether it is looked for in the normalized text, in its own normalized form.
  var isNormalized = false

  /// All but the id, as `tokenizer.json` and `tokenizer_config.json` have it.
  var json: [String: JSON] {
    [
      "content": .string(String(decoding: content, as: UTF8.self)), "single_word": .bool(isSingleWord),
      "lstrip": .bool(stripsLeft), "rstrip": .bool(stripsRight), "normalized": .bool(isNormalized),
      "special": .bool(isSpecial),
    ]
  }
}

/// Finds added tokens in a text: from left to right, of those that begin at one place the longest.
struct AddedTokenFinder: Sendable {
  enum Part: Equatable {
    case token(Int32)
    case text(Range<Int>)
  }

  private let tokens: [AddedToken]
  /// A byte trie: the children of each node, and the index of the token that ends there.
  private var children: [[UInt8: Int]] = [[:]]
  private var ends: [Int?] = [nil]
  private var isFirstByte = [Bool](repeating: false, count: 256)

  /// - Parameter spellings: what is looked for, one for each token; an empty one is never found.
  init(_ tokens: [AddedToken], spellings: [[UInt8]]) {
    self.tokens = tokens
    for (index, spelling) in spellings.enumerated() where !spelling.isEmpty {
      isFirstByte[Int(spelling[0])] = true
      var node = 0
      for byte in spelling {
        if let next = children[node][byte] {
          node = next
        } else {
          children[node][byte] = children.count
          node = children.count
          children.append([:])
          ends.append(nil)
        }
      }
      if ends[node] == nil { ends[node] = index }
    }
  }

  /// Whether looking can find anything that counts.
  func canFind(allowingSpecial: Bool) -> Bool { tokens.contains { allowingSpecial || !$0.isSpecial } }

  private func longestMatch(_ text: UnsafeBufferPointer<UInt8>, at start: Int) -> (token: AddedToken, end: Int)? {
    var node = 0
    var found: (AddedToken, Int)?
    var index = start
    while index < text.count, let next = children[node][text[index]] {
      node = next
      index += 1
      if let token = ends[node] { found = (tokens[token], index) }
    }
    return found
  }

  /// The parts of `text`, which is valid UTF-8, in order. Without `allowingSpecial` the spelling of a special token
  /// stays text, and so does what overlaps it.
  func parts(_ text: UnsafeBufferPointer<UInt8>, allowingSpecial: Bool) -> [Part] {
    guard canFind(allowingSpecial: allowingSpecial) else { return [.text(0..<text.count)] }
    var parts: [Part] = []
    /// The end of the last part.
    var done = 0
    var index = 0
    while index < text.count {
      guard isFirstByte[Int(text[index])], let (token, found) = longestMatch(text, at: index) else {
        index += 1
        continue
      }
      var (start, end) = (index, found)
      index = found
      if token.isSpecial, !allowingSpecial { continue }
      if token.isSingleWord {
        if start > 0, UTF8Text.last(text, before: start).scalar.isWord { continue }
        if end < text.count, UTF8Text.scalar(text, end).isWord { continue }
      }
      if token.stripsLeft {
        var left = start
        while left > 0, case let last = UTF8Text.last(text, before: left), last.scalar.isSpace { left = last.start }
        start = max(left, done)
      }
      if token.stripsRight {
        while end < text.count, UTF8Text.scalar(text, end).isSpace { end += UTF8Text.length(text[end]) }
      }
      if done < start { parts.append(.text(done..<start)) }
      parts.append(.token(token.id))
      done = end
    }
    if done < text.count { parts.append(.text(done..<text.count)) }
    return parts
  }
}
