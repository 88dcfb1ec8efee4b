import CYAML
import LemmaBasics

/// Reads the one YAML document of a text into nodes, through libyaml's events. It knows YAML and its
/// limits, and nothing of pipelines.
struct YAMLReader {
  static let byteLimit = 64 << 20
  /// Forty for each of the stages that a pipeline may have; each takes two bytes of the file at least.
  static let nodeLimit = 4_000_000
  /// Of one list or mapping: as many as a pipeline may have stages.
  static let memberLimit = Matrix.stageLimit
  static let depthLimit = 64

  private struct Stop: Error {}

  private let diagnostics: Diagnostics
  /// At a fixed address: libyaml keeps a pointer to the parser inside it.
  private let parser: UnsafeMutablePointer<yaml_parser_t>
  private var nodes = 0

  static func tooLarge(_ file: String) -> Failure {
    Failure(
      .user, "too-large", "the file is larger than \(byteLimit >> 20) MiB",
      at: Position(file: file, line: 1, column: 1))
  }

  /// The document's root; nil when the text is not one YAML document, which is then reported.
  static func read(_ diagnostics: Diagnostics) -> Node? {
    if let fault = diagnostics.text.firstFault() {
      diagnostics.add(fault)
      return nil
    }
    let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
    defer { parser.deallocate() }
    guard yaml_parser_initialize(parser) == 1 else {
      diagnostics.report("yaml", "there is no memory to read the file", at: 0)
      return nil
    }
    defer { yaml_parser_delete(parser) }
    return Braces.hide(in: diagnostics.text.bytes).withUnsafeBufferPointer { buffer in
      yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
      yaml_parser_set_input_string(parser, buffer.baseAddress, buffer.count)
      var reader = YAMLReader(diagnostics: diagnostics, parser: parser)
      return try? reader.document()
    }
  }

  private init(diagnostics: Diagnostics, parser: UnsafeMutablePointer<yaml_parser_t>) {
    self.diagnostics = diagnostics
    self.parser = parser
  }

  private mutating func document() throws -> Node {
    var root: Node?
    while true {
      var event = try next()
      defer { yaml_event_delete(&event) }
      switch event.type {
      case YAML_STREAM_END_EVENT:
        guard let root else {
          diagnostics.report("empty", "the file holds no pipeline", at: 0)
          throw Stop()
        }
        return root
      case YAML_DOCUMENT_START_EVENT where root != nil:
        diagnostics.report(
          "several-documents", "a second document begins here; a pipeline file is one document", at: mark(event))
        throw Stop()
      case YAML_STREAM_START_EVENT, YAML_DOCUMENT_START_EVENT, YAML_DOCUMENT_END_EVENT: continue
      default: root = try node(event, depth: 1)
      }
    }
  }

  private func mark(_ event: yaml_event_t) -> Mark { Int(event.start_mark.index) }

  /// The caller deletes the event.
  private mutating func next() throws -> yaml_event_t {
    var event = yaml_event_t()
    guard yaml_parser_parse(parser, &event) == 1 else {
      let problem = parser.pointee.problem.map { String(cString: $0) } ?? "out of memory"
      let mark = Int(parser.pointee.problem_mark.index)
      diagnostics.report("yaml", "not valid YAML: \(problem)", at: mark, hint: advice(at: mark))
      throw Stop()
    }
    return event
  }

  /// What a syntax error most likely comes from.
  private func advice(at mark: Mark) -> String? {
    if diagnostics.text.byte(at: mark) == UInt8(ascii: "\t") { return "YAML is indented with spaces, not tabs" }
    guard let context = parser.pointee.context else { return nil }
    let start = diagnostics.text.position(of: Int(parser.pointee.context_mark.index))
    return "\(String(cString: context)) that begins in line \(start.line ?? 0), column \(start.column ?? 0)"
  }

  /// - Parameter isMode: whether a plain `off` is the word, whatever other readers make of it.
  private mutating func node(_ event: yaml_event_t, depth: Int, isMode: Bool = false) throws -> Node {
    let mark = mark(event)
    nodes += 1
    if nodes > Self.nodeLimit {
      diagnostics.report("too-large", "the file holds more than \(Self.nodeLimit) values", at: mark)
      throw Stop()
    }
    if depth > Self.depthLimit {
      diagnostics.report("too-deep", "values are nested deeper than \(Self.depthLimit) levels", at: mark)
      throw Stop()
    }
    switch event.type {
    case YAML_SCALAR_EVENT:
      let scalar = event.data.scalar
      let isRefused = refuse(anchor: scalar.anchor, tag: scalar.tag, at: mark)
      let text = text(event)
      let isPlain = scalar.style == YAML_PLAIN_SCALAR_STYLE && !(isMode && text == SandboxMode.off.rawValue)
      return isRefused ? Node(.faulty, at: mark) : self.scalar(text, isPlain: isPlain, at: mark)
    case YAML_SEQUENCE_START_EVENT:
      let isRefused = refuse(anchor: event.data.sequence_start.anchor, tag: event.data.sequence_start.tag, at: mark)
      let elements = try list(depth: depth)
      return isRefused ? Node(.faulty, at: mark) : Node(.list(elements), at: mark)
    case YAML_MAPPING_START_EVENT:
      let isRefused = refuse(anchor: event.data.mapping_start.anchor, tag: event.data.mapping_start.tag, at: mark)
      let members = try mapping(depth: depth)
      return isRefused ? Node(.faulty, at: mark) : Node(.mapping(members), at: mark)
    default:
      diagnostics.report(
        "alias", "aliases (*name) are not read here", at: mark,
        hint: "write the value under params: and use ${params.name}")
      return Node(.faulty, at: mark)
    }
  }

  private func checkRoom(_ count: Int, _ what: String, at event: yaml_event_t) throws {
    guard count == Self.memberLimit else { return }
    diagnostics.report(
      "too-large", "the \(what) holds more than \(Self.memberLimit) values", at: mark(event),
      hint: "put long data into files, and name them under 'sources:'")
    throw Stop()
  }

  private mutating func list(depth: Int) throws -> [Node] {
    var elements: [Node] = []
    while true {
      var event = try next()
      defer { yaml_event_delete(&event) }
      if event.type == YAML_SEQUENCE_END_EVENT { return elements }
      try checkRoom(elements.count, "list", at: event)
      elements.append(try node(event, depth: depth + 1))
    }
  }

  private mutating func mapping(depth: Int) throws -> [Node.Member] {
    var members: [Node.Member] = []
    var first: [String: Mark] = [:]
    while true {
      var event = try next()
      defer { yaml_event_delete(&event) }
      if event.type == YAML_MAPPING_END_EVENT { return members }
      try checkRoom(members.count, "mapping", at: event)
      let key = try key(event, depth: depth)
      var valueEvent = try next()
      defer { yaml_event_delete(&valueEvent) }
      let value = try node(valueEvent, depth: depth + 1, isMode: key == Node.sandboxKey)
      guard let key else { continue }
      let mark = mark(event)
      if let earlier = first[key] {
        let line = diagnostics.text.position(of: earlier).line ?? 0
        diagnostics.report("duplicate-key", "the key \(quoted(key)) stands twice; first in line \(line)", at: mark)
      } else {
        first[key] = mark
        members.append(
          Node.Member(key: key, keyMark: mark, value: key == Node.mergeKey ? Node(.faulty, at: value.mark) : value))
      }
    }
  }

  /// A mapping's key, which is always text; nil when it is refused.
  private mutating func key(_ event: yaml_event_t, depth: Int) throws -> String? {
    guard event.type == YAML_SCALAR_EVENT else {
      let node = try node(event, depth: depth + 1)
      if !node.isFaulty { diagnostics.report("bad-key", "a key must be text, not \(node.words)", at: node.mark) }
      return nil
    }
    nodes += 1
    if refuse(anchor: event.data.scalar.anchor, tag: event.data.scalar.tag, at: mark(event)) { return nil }
    let text = text(event)
    if text == Node.mergeKey {
      diagnostics.report(
        "merge-key", "merge keys (<<) are not read here", at: mark(event),
        hint: "write the members out, or use ${params.name}")
    }
    return isClean(text, at: mark(event)) ? text : nil
  }

  private func scalar(_ text: String, isPlain: Bool, at mark: Mark) -> Node {
    guard isClean(text, at: mark) else { return Node(.faulty, at: mark) }
    let isTemplate = hasReference(text)
    guard isPlain, !isTemplate else {
      return Node(.scalar(.string(text), text: text), at: mark, isTemplate: isTemplate)
    }
    switch PlainScalar.read(text) {
    case .value(let value): return Node(.scalar(value, text: text), at: mark)
    case .refused(let reason):
      diagnostics.report(
        "bad-number", "\(quoted(text)) \(reason)", at: mark, hint: "write it in quotes, if it is text")
      return Node(.faulty, at: mark)
    case .trap(let advice):
      diagnostics.report(
        "ambiguous", "YAML readers disagree about \(quoted(text)) without quotes", at: mark, hint: advice)
      return Node(.faulty, at: mark)
    }
  }

  /// Escapes in double quotes can make what the file itself may not hold.
  private func isClean(_ text: String, at mark: Mark) -> Bool {
    let isControl = { (byte: UInt8) in byte < 0x20 && byte != 0x09 && byte != 0x0A && byte != 0x0D || byte == 0x7F }
    guard text.utf8.contains(where: isControl) else { return true }
    diagnostics.report("control-character", "a control character cannot stand in a value", at: mark)
    return false
  }

  private func text(_ event: yaml_event_t) -> String {
    let scalar = event.data.scalar
    return String(
      decoding: Braces.restore(in: UnsafeBufferPointer(start: scalar.value, count: scalar.length)), as: UTF8.self)
  }

  private func refuse(anchor: UnsafeMutablePointer<UInt8>?, tag: UnsafeMutablePointer<UInt8>?, at mark: Mark) -> Bool {
    if anchor != nil {
      diagnostics.report(
        "anchor", "anchors (&name) are not read here", at: mark,
        hint: "write the value under params: and use ${params.name}")
    }
    if let tag {
      let full = String(decoding: UnsafeBufferPointer(start: tag, count: length(tag)), as: UTF8.self)
      let standard = "tag:yaml.org,2002:"
      let name = full.hasPrefix(standard) ? "!!" + full.dropFirst(standard.count) : full
      diagnostics.report(
        "tag", "the tag \(quoted(name)) is not read here; values have the type they look like", at: mark)
    }
    return anchor != nil || tag != nil
  }

  private func length(_ text: UnsafeMutablePointer<UInt8>) -> Int {
    var count = 0
    while text[count] != 0 { count += 1 }
    return count
  }
}

/// Whether a text holds `${`.
func hasReference(_ text: String) -> Bool {
  var previous: UInt8 = 0
  for byte in text.utf8 {
    if byte == UInt8(ascii: "{"), previous == UInt8(ascii: "$") { return true }
    previous = byte
  }
  return false
}
