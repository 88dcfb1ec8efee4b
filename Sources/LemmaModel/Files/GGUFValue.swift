/// A value of a GGUF file's metadata. Numbers are kept exactly, whatever their width in the file.
public enum GGUFValue: Hashable, Sendable {
  /// Of 8, 16, 32 or 64 bits.
  case unsigned(UInt64)
  /// Of 8, 16, 32 or 64 bits.
  case signed(Int64)
  /// Of 32 or 64 bits; may be infinite or no number.
  case number(Double)
  case bool(Bool)
  case string(String)
  /// All of one type.
  case array([GGUFValue])
}

extension GGUFValue {
  /// An integer of any width that an `Int` holds.
  public var int: Int? {
    switch self {
    case .unsigned(let value): Int(exactly: value)
    case .signed(let value): Int(exactly: value)
    default: nil
    }
  }

  /// A floating-point number, or an integer that a double holds exactly.
  public var double: Double? {
    switch self {
    case .number(let value): value
    case .unsigned(let value): Double(exactly: value)
    case .signed(let value): Double(exactly: value)
    default: nil
    }
  }

  public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  public var string: String? { if case .string(let value) = self { value } else { nil } }
  public var array: [GGUFValue]? { if case .array(let value) = self { value } else { nil } }

  /// The texts of an array of nothing else.
  public var strings: [String]? { elements(\.string) }
  /// The integers of an array of nothing else.
  public var ints: [Int]? { elements(\.int) }
  /// The numbers of an array of nothing else.
  public var doubles: [Double]? { elements(\.double) }

  private func elements<T>(_ read: (GGUFValue) -> T?) -> [T]? {
    guard let array else { return nil }
    var elements: [T] = []
    elements.reserveCapacity(array.count)
    for element in array {
      guard let element = read(element) else { return nil }
      elements.append(element)
    }
    return elements
  }

  /// The word for this value's type in messages.
  public var typeName: String {
    switch self {
    case .unsigned, .signed: "integer"
    case .number: "number"
    case .bool: "boolean"
    case .string: "string"
    case .array: "list"
    }
  }
}
