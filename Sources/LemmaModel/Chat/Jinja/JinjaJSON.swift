import LemmaBasics

/// The filter `tojson`, as `transformers` defines it by Python's `json.dumps`.
enum JinjaJSON {
  static func filter(_ value: JinjaValue, _ reader: JinjaArgumentReader) throws -> JinjaValue {
    let parameters = ["ensure_ascii", "indent", "separators", "sort_keys"]
    let isASCII = try reader.optional(0, of: parameters)?.isTrue ?? false
    var indent: Int?
    if let value = try reader.optional(1, of: parameters), value.isDefinedAndNotNone {
      indent = max(0, min(try reader.integer(1, of: parameters) ?? 0, 64))
    }
    var separators: [Scalars] = [Scalars(indent == nil ? ", " : ","), Scalars(": ")]
    if let given = try reader.optional(2, of: parameters), given.isDefinedAndNotNone {
      separators = try reader.renderer.elements(of: given).map { try reader.renderer.text(of: $0) }
      guard separators.count == 2 else { throw reader.renderer.wrong("'tojson' takes two separators") }
    }
    var writer = Writer(
      renderer: reader.renderer, isASCII: isASCII, indent: indent, separators: separators,
      sortsKeys: try reader.optional(3, of: parameters)?.isTrue ?? false)
    try writer.write(value, level: 0)
    return .text(writer.text)
  }

  private struct Writer {
    let renderer: JinjaRenderer
    let isASCII: Bool
    let indent: Int?
    let separators: [Scalars]
    let sortsKeys: Bool
    var text: Scalars = []

    mutating func write(_ value: JinjaValue, level: Int) throws {
      try renderer.charge()
      switch value {
      case .none: text += Array("null")
      case .bool(let value): text += Array(value ? "true" : "false")
      case .integer(let value): text += Array("\(value)")
      case .number(let value): text += Array(number(value))
      case .text(let value): try write(text: value)
      case .sequence(let sequence) where sequence.kind.isOrdered:
        try write(sequence.elements, "[", "]", level) { try $0.write($1, level: level + 1) }
      case .mapping(let mapping):
        var pairs = Array(zip(mapping.keys, mapping.values))
        if sortsKeys { pairs.sort { $0.0.lexicographicallyPrecedes($1.0) } }
        try write(pairs, "{", "}", level) { writer, pair in
          try writer.write(text: pair.0)
          try writer.write(separator: 1)
          try writer.write(pair.1, level: level + 1)
        }
      default: throw renderer.wrong("JSON has no \(value.typeName)")
      }
    }

    private func number(_ value: Double) -> String {
      value.isNaN ? "NaN" : value.isInfinite ? value < 0 ? "-Infinity" : "Infinity" : pythonText(value)
    }

    private mutating func write<T>(
      _ parts: [T], _ opening: Unicode.Scalar, _ closing: Unicode.Scalar, _ level: Int,
      _ part: (inout Writer, T) throws -> Void
    ) throws {
      text.append(opening)
      for (index, element) in parts.enumerated() {
        if index > 0 { try write(separator: 0) }
        try breakLine(level + 1)
        try part(&self, element)
      }
      if !parts.isEmpty { try breakLine(level) }
      text.append(closing)
    }

    private mutating func breakLine(_ level: Int) throws {
      guard let indent else { return }
      try renderer.charge(1 + indent * level, behind: text.count)
      text.append("\n")
      text += Scalars(repeating: " ", count: indent * level)
    }

    private mutating func write(separator index: Int) throws {
      try renderer.charge(separators[index].count, behind: text.count)
      text += separators[index]
    }

    private mutating func write(text value: Scalars) throws {
      try renderer.charge(2 * value.count, behind: text.count)
      text.append("\"")
      for scalar in value {
        switch scalar {
        case "\"", "\\": text += ["\\", scalar]
        case "\n": text += Array("\\n")
        case "\r": text += Array("\\r")
        case "\t": text += Array("\\t")
        case "\u{8}": text += Array("\\b")
        case "\u{C}": text += Array("\\f")
        default:
          if scalar.value < 0x20 || isASCII && !scalar.isASCII {
            for unit in String(scalar).utf16 { text += Array("\\u" + hexadecimal(UInt32(unit), 4)) }
          } else {
            text.append(scalar)
          }
        }
      }
      text.append("\"")
    }
  }
}

extension JinjaValue {
  fileprivate var isDefinedAndNotNone: Bool {
    switch self {
    case .undefined, .none: false
    default: true
    }
  }
}
