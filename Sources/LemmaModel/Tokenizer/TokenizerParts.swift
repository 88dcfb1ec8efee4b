import LemmaBasics

/// Reads the parts of a `tokenizer.json` around its model, as `tokenizers` writes them.
extension TokenizerPart {
  /// How deep sequences may stand in sequences.
  private static let depthLimit = 8

  /// The steps of a part that may be a sequence of such parts under `key`.
  private func sequence<Step>(
    _ key: String, depth: Int = 0, _ read: (TokenizerPart) throws -> [Step]
  ) throws -> [Step] {
    guard type == "Sequence" else { return try read(self) }
    try allow("type", key)
    guard depth < Self.depthLimit else { throw refusal("'\(name)' is nested too deep") }
    return try parts(key).flatMap { try $0.sequence(key, depth: depth + 1, read) }
  }

  private var notUnderstood: Failure { refusal("'\(name)' is of the type '\(type)', which is not understood") }

  /// How many times as long its replacements together may make a text: a few short ones could fill the memory.
  private static let growthLimit = 256.0

  private func checked(growth: [Double]) throws {
    guard growth.reduce(1, *) <= Self.growthLimit else {
      throw refusal("'\(name)' makes texts more than \(Int(Self.growthLimit)) times as long")
    }
  }

  func normalization() throws -> [NormalizationStep] {
    let steps: [NormalizationStep] = try sequence("normalizers") { part in
      switch part.type {
      case "NFC", "NFD", "Lowercase":
        try part.allow("type")
        return [part.type == "NFC" ? .nfc : part.type == "NFD" ? .nfd : .lowercase]
      case "Prepend":
        try part.allow("type", "prepend")
        return [.prepend(try part.bytes("prepend"))]
      case "Replace":
        try part.allow("type", "pattern", "content")
        return [.replace(try part.pattern("pattern"), with: try part.bytes("content"))]
      case "Strip":
        try part.allow("type", "strip_left", "strip_right")
        return [.strip(left: try part.bool("strip_left"), right: try part.bool("strip_right"))]
      default: throw part.notUnderstood
      }
    }
    try checked(growth: steps.map { if case .replace(let pattern, let text) = $0 { pattern.growth(text) } else { 1 } })
    return steps
  }

  /// The steps of a `pre_tokenizer`, and whether the pieces are spelt in the alphabet of bytes afterwards.
  func splits() throws -> (steps: [SplitStep], isByteLevel: Bool) {
    var isByteLevel = false
    let steps: [SplitStep] = try sequence("pretokenizers") { part in
      if isByteLevel { throw refusal("'\(part.name)' stands behind a step of the type 'ByteLevel'") }
      if part.type == "ByteLevel" { isByteLevel = true }
      return try part.split()
    }
    return (steps, isByteLevel)
  }

  private func split() throws -> [SplitStep] {
    switch type {
    case "ByteLevel":
      try allow("type", "add_prefix_space", "trim_offsets", "use_regex")
      return (try bool("add_prefix_space") ? [.prefixSpace] : [])
        + (try bool("use_regex", true) ? [.pattern(KnownPatterns.gpt2, .isolated, isInverted: false)] : [])
    case "Split":
      try allow("type", "pattern", "behavior", "invert")
      guard let behavior = SplitBehavior(rawValue: try string("behavior")) else {
        throw refusal("'\(name).behavior' is not understood")
      }
      let (pattern, isInverted) = (try pattern("pattern"), try bool("invert", false))
      if !pattern.isLiteral, pattern.source == PreTokenizer.pattern, behavior == .isolated, !isInverted {
        return [.own]
      }
      return [.pattern(pattern, behavior, isInverted: isInverted)]
    case "Digits":
      try allow("type", "individual_digits")
      return [.digits(individually: try bool("individual_digits", false))]
    case "Whitespace", "WhitespaceSplit":
      try allow("type")
      return [type == "Whitespace" ? .words : .whitespace]
    case "CharDelimiterSplit":
      try allow("type", "delimiter")
      let delimiter = String(decoding: try scalar("delimiter"), as: UTF8.self)
      return [.pattern(TextPattern(literal: delimiter), .removed, isInverted: false)]
    case "Metaspace":
      let (mark, scheme) = try metaspace()
      return [.metaspace(mark: mark, scheme, splits: try bool("split", true))]
    default: throw notUnderstood
    }
  }

  private func metaspace() throws -> (mark: [UInt8], scheme: PrependScheme) {
    try allow("type", "replacement", "prepend_scheme", "add_prefix_space", "split", "str_rep")
    let mark = try scalar("replacement")
    // Older files say only whether.
    let isAdded = try bool("add_prefix_space", true)
    guard self["prepend_scheme"] != nil else { return (mark, isAdded ? .always : .never) }
    guard let scheme = PrependScheme(rawValue: try string("prepend_scheme")), isAdded || scheme == .never else {
      throw refusal("'\(name).prepend_scheme' is not understood")
    }
    return (mark, scheme)
  }

  func decoding() throws -> [TokenDecoding] {
    let steps: [TokenDecoding] = try sequence("decoders") { part in
      switch part.type {
      case "ByteLevel":
        try part.allow("type", "add_prefix_space", "trim_offsets", "use_regex")
        return [.byteLevel]
      case "ByteFallback", "Fuse":
        try part.allow("type")
        return [part.type == "Fuse" ? .fuse : .byteFallback]
      case "Replace":
        try part.allow("type", "pattern", "content")
        return [.replace(try part.pattern("pattern"), with: try part.bytes("content"))]
      case "Strip":
        try part.allow("type", "content", "start", "stop")
        return [
          .strip(
            try part.scalar("content"), start: try part.integer("start", 0...1000),
            stop: try part.integer("stop", 0...1000))
        ]
      case "Metaspace":
        let (mark, scheme) = try part.metaspace()
        return [.metaspace(mark: mark, scheme)]
      case "BPEDecoder":
        try part.allow("type", "suffix")
        return [.suffix(try part.bytes("suffix"))]
      default: throw part.notUnderstood
      }
    }
    try checked(growth: steps.map { if case .replace(let pattern, let text) = $0 { pattern.growth(text) } else { 1 } })
    return steps
  }

  /// The ids that a `post_processor` puts before and behind a text.
  func surroundings() throws -> (before: [Int32], after: [Int32]) {
    let shells = try sequence("processors") { [try $0.shell()] }
    return (shells.reversed().flatMap(\.before), shells.flatMap(\.after))
  }

  private func shell() throws -> (before: [Int32], after: [Int32]) {
    switch type {
    case "ByteLevel":
      try allow("type", "add_prefix_space", "trim_offsets", "use_regex")
      return ([], [])
    case "BertProcessing", "RobertaProcessing":
      try allow("type", "sep", "cls", "trim_offsets", "add_prefix_space")
      let ids = try ["cls", "sep"].map { key in
        guard let id = self[key]?[1]?.int, let number = Int32(exactly: id) else {
          throw refusal("'\(name).\(key)' must be a token and its id")
        }
        return number
      }
      return ([ids[0]], [ids[1]])
    case "TemplateProcessing": return try template()
    default: throw notUnderstood
    }
  }

  /// Ids on one side of a text.
  private static let surroundingsLimit = 64

  private func template() throws -> (before: [Int32], after: [Int32]) {
    try allow("type", "single", "pair", "special_tokens")
    var sides: [[Int32]] = [[]]
    for item in try parts("single") {
      try item.allow("Sequence", "SpecialToken")
      if item["Sequence"] != nil {
        guard item["Sequence"]?["id"]?.string == "A", item["SpecialToken"] == nil else {
          throw refusal("'\(item.name)' is not understood")
        }
        sides.append([])
      } else {
        guard let token = item["SpecialToken"]?["id"]?.string,
          let ids = self["special_tokens"]?[token]?["ids"]?.array
        else { throw refusal("'\(item.name)' names no special token of the template") }
        guard sides[sides.count - 1].count + ids.count <= Self.surroundingsLimit else {
          throw refusal("'\(name)' puts more than \(Self.surroundingsLimit) tokens around a text")
        }
        sides[sides.count - 1] += try ids.map { id in
          guard let number = id.int.flatMap(Int32.init(exactly:)) else { throw refusal("'\(name)' has a bad id") }
          return number
        }
      }
    }
    guard sides.count == 2 else { throw refusal("'\(name).single' must hold the text once") }
    return (sides[0], sides[1])
  }
}
