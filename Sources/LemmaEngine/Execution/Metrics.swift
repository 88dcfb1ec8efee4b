import LemmaBasics

/// A stage's numbers by dotted name.
public enum Metrics {
  /// Bytes of a metrics file.
  static let sizeLimit: UInt64 = 16 << 20

  /// - Throws: `Failure` when a metrics file is too large to be one.
  static func checkSize(_ size: UInt64, of stage: String) throws {
    guard size > sizeLimit else { return }
    throw Failure(
      .user, "metrics", "the metrics of stage '\(stage)' have \(size) bytes, more than \(sizeLimit >> 20) MiB",
      hint: "metrics are a few numbers; give a large output another name than 'metrics'")
  }

  /// The numbers of a metrics file.
  /// - Throws: `Failure` when it is not a JSON mapping, or names one number twice.
  public static func read(_ bytes: [UInt8], of stage: String) throws -> [String: JSON] {
    try flatten(JSON(parsing: bytes, file: "metrics of stage \(stage)"), of: stage)
  }

  /// The finite numbers in an object, nested names joined by dots; other values are left out.
  static func flatten(_ value: JSON, of stage: String) throws -> [String: JSON] {
    guard let object = value.object else {
      throw Failure(.user, "metrics", "the metrics of stage '\(stage)' are a \(value.typeName), not a mapping")
    }
    var numbers: [String: JSON] = [:]
    func walk(_ object: [String: JSON], prefix: String) throws {
      for (name, value) in object {
        switch value {
        case .integer, .number:
          guard numbers.updateValue(value, forKey: prefix + name) == nil else {
            throw Failure(.user, "metrics", "the metrics of stage '\(stage)' name '\(prefix + name)' twice")
          }
        case .object(let members): try walk(members, prefix: "\(prefix)\(name).")
        default: break
        }
      }
    }
    try walk(object, prefix: "")
    return numbers
  }
}
