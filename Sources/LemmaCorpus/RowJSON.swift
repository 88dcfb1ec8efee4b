import LemmaBasics

/// The record of a row, field by field; `Row` says what the fields mean.
extension Row {
  public var json: JSON {
    var members = Row.content(
      problem: problem, response: response, answer: answer, solution: solution, lineage: lineage, steps: steps,
      level: level, source: source)
    members["id"] = .string(id)
    if !checks.isEmpty { members["checks"] = .array(checks.map(\.json)) }
    return .object(members)
  }

  /// Reads a record. Unknown members are left aside; a given `id` must be the record's digest.
  /// - Throws: `Failure` of kind `user` with `position` for a record that is no row.
  public init(json: JSON, at position: Position? = nil) throws {
    let record = try Record(json, "a row", at: position)
    let checks = try record.list("checks").map { try Check(json: $0, at: position) }
    self.init(
      problem: try record.text("problem"), response: try record.text("response"), answer: try record.text("answer"),
      solution: try record.optionalText("solution"), lineage: try Lineage(record),
      steps: try record.count("steps"), level: try record.optionalText("level"),
      source: try record.member("source").map { try Source(json: $0, at: position) }, checks: checks)
    if let given = try record.optionalText("id"), given != id {
      throw Failure(
        .user, "row-altered", "the row's id is \(given), but its content makes \(id)", at: position,
        hint: "a row that is edited is another row: leave its 'id' out")
    }
  }

  /// What the id covers.
  static func content(
    problem: String, response: String, answer: String, solution: String?, lineage: Lineage, steps: Int?,
    level: String?, source: Source?
  ) -> [String: JSON] {
    var members: [String: JSON] = [
      "problem": .string(problem), "response": .string(response), "answer": .string(answer),
      "operator": .string(lineage.operator), "method": .string(lineage.method), "depth": JSON(lineage.depth),
    ]
    members["solution"] = solution.map(JSON.string)
    members["seed"] = lineage.seed.map(JSON.string)
    members["parent"] = lineage.parent.map(JSON.string)
    members["teacher"] = lineage.teacher.map { ["name": .string($0.name), "version": .string($0.version)] }
    members["steps"] = steps.map { JSON($0) }
    members["level"] = level.map(JSON.string)
    members["source"] = source.map(\.json)
    return members
  }
}

extension Source {
  var json: JSON {
    ["name": .string(name), "split": .string(split), "row": JSON(row), "licence": .string(licence)]
  }

  init(json: JSON, at position: Position?) throws {
    let record = try Record(json, "'source'", at: position)
    self.init(
      name: try record.text("name"), split: try record.text("split"), row: try record.count("row") ?? 0,
      licence: try record.text("licence"))
  }
}

extension Check {
  var json: JSON {
    var members: [String: JSON] = ["kind": .string(kind.rawValue), "verdict": .string(verdict.rawValue)]
    members["detail"] = detail.map(JSON.string)
    return .object(members)
  }

  init(json: JSON, at position: Position?) throws {
    let record = try Record(json, "a check", at: position)
    self.init(try record.word("kind"), try record.word("verdict"), try record.optionalText("detail"))
  }
}

extension Lineage {
  init(_ record: Record) throws {
    let teacher = try record.member("teacher").map { json in
      let teacher = try Record(json, "'teacher'", at: record.position)
      return Teacher(name: try teacher.text("name"), version: try teacher.text("version"))
    }
    self.init(
      operator: try record.optionalText("operator") ?? Lineage.seed.operator, seed: try record.optionalText("seed"),
      parent: try record.optionalText("parent"), depth: try record.count("depth") ?? 0, teacher: teacher)
    if let given = try record.optionalText("method"), given != method {
      throw Failure(
        .user, "row-method", "the method '\(given)' is not that of the operator '\(self.operator)'",
        at: record.position)
    }
  }
}
