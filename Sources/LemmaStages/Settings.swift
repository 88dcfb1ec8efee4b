import LemmaBasics
import LemmaEngine

/// Typed reading of a stage's `with` block, which the declaration has already checked: a value that
/// is missing or of another type is a defect of ours.
struct Settings {
  let values: [String: JSON]

  init(_ context: StageContext) { values = context.configuration }
  init(_ values: [String: JSON]) { self.values = values }

  func int(_ name: String) throws -> Int { try value(name) { $0.int } }
  func number(_ name: String) throws -> Double { try value(name) { $0.double } }
  func text(_ name: String) throws -> String { try value(name) { $0.string } }
  func flag(_ name: String) throws -> Bool { try value(name) { $0.bool } }
  func map(_ name: String) throws -> [String: JSON] { try value(name) { $0.object } }
  func seed(_ name: String = "seed") throws -> UInt64 { UInt64(try int(name)) }

  /// `nil` for an optional that was not given.
  func optionalInt(_ name: String) throws -> Int? {
    guard let value = values[name], !value.isNull else { return nil }
    return try int(name)
  }

  private func value<T>(_ name: String, _ read: (JSON) -> T?) throws -> T {
    guard let value = values[name].flatMap(read) else {
      throw Failure(.internal, "setting", "the setting '\(name)' is \(values[name]?.canonical ?? "missing")")
    }
    return value
  }
}
