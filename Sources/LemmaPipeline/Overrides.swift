import LemmaBasics

/// Replaces parameters by the values given on the command line.
enum Overrides {
  /// - Returns: the parameters with the overrides in place. A parameter that is a text takes the
  ///   override's text as it stands; any other takes a YAML value of its own type.
  static func apply(
    _ overrides: [String: String], to parameters: [String: JSON], reporting evaluator: Evaluator
  ) -> [String: JSON] {
    let diagnostics = evaluator.diagnostics
    var result = parameters
    for (name, text) in overrides.sorted(by: { $0.key < $1.key }) {
      let place = "--param \(name)"
      if evaluator.faultyParameters.contains(name) { continue }
      guard let old = parameters[name] else {
        diagnostics.add(
          Failure(
            .user, "unknown-param", "the pipeline has no parameter \(quoted(name))", at: Position(file: place),
            hint: suggestion(for: name, among: parameters.keys.sorted(), called: "parameters")))
        continue
      }
      let own = Diagnostics(SourceText(file: place, bytes: Array(text.utf8)))
      if let key = own.literalKeys().first {
        diagnostics.add(key)
        continue
      }
      if case .string = old {
        if let fault = own.text.firstFault() { diagnostics.add(fault) } else { result[name] = .string(text) }
        continue
      }
      if text.utf8.allSatisfy({ $0 == 0x20 }) {
        diagnostics.add(
          Failure(
            .user, "empty", "'\(name)' is \(article(old)) in the file and needs a value after '='",
            at: Position(file: place), hint: "such as --param \(name)=\(old.canonical.prefix(60))"))
        continue
      }
      if let value = value(own) {
        if fits(value, old) {
          result[name] = value
        } else {
          own.report(
            "wrong-type", "'\(name)' is \(article(old)) in the file and cannot become \(Node(value, at: 0).words)",
            at: 0)
        }
      }
      do { try own.check() } catch { (error as? Failures)?.all.forEach(diagnostics.add) }
    }
    return result
  }

  private static func value(_ diagnostics: Diagnostics) -> JSON? {
    guard let node = YAMLReader.read(diagnostics) else { return nil }
    return try? Evaluator(diagnostics).resolve(node, in: Scope(namespaces: [])).json
  }

  private static func fits(_ value: JSON, _ old: JSON) -> Bool {
    switch (old, value) {
    case (.null, _), (.bool, .bool), (.integer, .integer), (.array, .array), (.object, .object): true
    case (.number, _), (.integer, .number): value.double != nil
    default: false
    }
  }

  private static func article(_ value: JSON) -> String {
    switch value {
    case .integer: "an integer"
    default: "a \(value.typeName)"
    }
  }
}
