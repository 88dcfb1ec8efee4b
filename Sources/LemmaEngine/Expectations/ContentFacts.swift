import LemmaBasics
import LemmaHash
import LemmaStore

/// What a file holds, in numbers and names: found by reading it once, then known by its content.
struct ContentFacts {
  /// How the bytes are to be read.
  enum Form: String {
    case jsonLines = "JSON lines"
    case json = "JSON"
    case commas = "CSV"
    case tabs = "TSV"
    case text

    /// By the ending of a file's name.
    init(fileName: String) {
      self =
        switch fileName.split(separator: ".").last?.lowercased() {
        case "jsonl", "ndjson": .jsonLines
        case "json": .json
        case "csv": .commas
        case "tsv": .tabs
        default: .text
        }
    }
  }

  let store: Store
  let form: Form
  /// Told of every fact that was not known before.
  let remember: (ActionRecord) -> Void

  /// Records of a table without its header, elements of a JSON list, else lines with something on them.
  func rows(of identity: Identity) throws -> Int {
    let fact = try known("rows", identity) { try JSON(count(identity)) }
    return fact.int ?? 0
  }

  /// The columns of a table, the keys of a JSON mapping, or the keys that every row has.
  func columns(of identity: Identity) throws -> Set<String> {
    let fact = try known("columns", identity) { .array(try names(identity).sorted().map(JSON.string)) }
    return Set((fact.array ?? []).compactMap(\.string))
  }

  /// The fact as it was found before; else it is found and remembered, like the result of an action.
  private func known(_ question: String, _ identity: Identity, find: () throws -> JSON) throws -> JSON {
    let document = ActionDocument([
      "format": 1, "fact": .string(question), "form": .string(form.rawValue),
      "of": Artifact(kind: .file, identity: identity).json,
    ])
    if let answer = try store.index.result(key: document.key, documentSeal: document.identity.seal)?["answer"] {
      return answer
    }
    let answer = try find()
    remember(ActionRecord(key: document.key, documentSeal: document.identity.seal, result: ["answer": answer]))
    return answer
  }

  private func count(_ identity: Identity) throws -> Int {
    switch form {
    case .commas, .tabs:
      var records = 0
      try table(identity) { _ in records += 1 }
      return max(0, records - 1)
    case .json:
      let value = try JSON(parsing: store.read(identity), file: "output")
      return value.array?.count ?? 1
    case .jsonLines, .text:
      var lines = 0
      try self.lines(identity) { if !$0.isEmpty { lines += 1 } }
      return lines
    }
  }

  private func names(_ identity: Identity) throws -> Set<String> {
    switch form {
    case .commas, .tabs:
      var header: [String]?
      try table(identity) { if header == nil { header = $0 } }
      return Set(header ?? [])
    case .json:
      let value = try JSON(parsing: store.read(identity), file: "output")
      if let elements = value.array { return common(elements) }
      return Set(value.object?.keys.map(\.self) ?? [])
    case .jsonLines:
      var shared: Set<String>?
      var number = 0
      try lines(identity) { line in
        number += 1
        if line.isEmpty { return }
        let row = try JSON(parsing: line, file: "output", firstLine: number)
        shared = shared.map { $0.intersection(row.keys) } ?? row.keys
      }
      return shared ?? []
    case .text: throw Failure(.user, "schema", "its name ends in none of .jsonl, .json, .csv and .tsv")
    }
  }

  private func common(_ rows: [JSON]) -> Set<String> {
    rows.dropFirst().reduce(rows.first?.keys ?? []) { $0.intersection($1.keys) }
  }

  // MARK: Reading

  private func lines(_ identity: Identity, _ body: (ArraySlice<UInt8>) throws -> Void) throws {
    let bytes = try store.read(identity)
    var rest = bytes[...]
    while !rest.isEmpty {
      let end = rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.endIndex
      var line = rest[..<end]
      if line.last == UInt8(ascii: "\r") { line.removeLast() }
      try body(line)
      rest = rest[min(end + 1, rest.endIndex)...]
    }
  }

  /// The records of a table by RFC 4180: fields in quotes may hold separators, line ends and, doubled, quotes.
  private func table(_ identity: Identity, _ body: ([String]) throws -> Void) throws {
    let separator = form == .tabs ? UInt8(ascii: "\t") : UInt8(ascii: ",")
    let quote = UInt8(ascii: "\"")
    var record: [String] = []
    var field: [UInt8] = []
    var isQuoted = false
    var hadContent = false
    var previous: UInt8 = 0
    func endRecord() throws {
      if field.last == UInt8(ascii: "\r") { field.removeLast() }
      record.append(String(decoding: field, as: UTF8.self))
      if hadContent { try body(record) }
      (record, field, hadContent) = ([], [], false)
    }
    for byte in try store.read(identity) {
      defer { previous = byte }
      switch byte {
      case quote:
        // A doubled quote leaves the quotes and enters them again: the one that stands is put back.
        if !isQuoted, previous == quote { field.append(quote) }
        isQuoted.toggle()
        hadContent = true
      case separator where !isQuoted:
        record.append(String(decoding: field, as: UTF8.self))
        field = []
        hadContent = true
      case UInt8(ascii: "\n") where !isQuoted: try endRecord()
      default:
        field.append(byte)
        if byte != UInt8(ascii: "\r") { hadContent = true }
      }
    }
    if isQuoted { throw Failure(.user, "table", "a quote is not closed") }
    try endRecord()
  }
}

extension JSON {
  /// The keys of a mapping; nothing for any other value.
  fileprivate var keys: Set<String> { Set(object?.keys.map(\.self) ?? []) }
}
