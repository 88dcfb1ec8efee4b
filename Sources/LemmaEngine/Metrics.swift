import LemmaBasics

/// A stage's numbers by dotted name.
enum Metrics {
  /// The finite numbers in an object, nested names joined by dots; other values are left out.
  /// - Throws: `Failure` when it is not an object.
  static func flatten(_ value: JSON, of stage: String) throws -> [String: JSON] {
    guard let object = value.object else {
      throw Failure(.user, "metrics", "the metrics of stage '\(stage)' are a \(value.typeName), not a mapping")
    }
    var numbers: [String: JSON] = [:]
    func walk(_ object: [String: JSON], prefix: String) {
      for (name, value) in object {
        switch value {
        case .integer, .number: numbers[prefix + name] = value
        case .object(let members): walk(members, prefix: "\(prefix)\(name).")
        default: break
        }
      }
    }
    walk(object, prefix: "")
    return numbers
  }
}
