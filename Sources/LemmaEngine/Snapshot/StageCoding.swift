import LemmaBasics
import LemmaPipeline

/// A stage as JSON and back, without its position: what a snapshot keeps of a declaration.
extension Stage {
  var json: JSON {
    var members: [String: JSON] = ["id": .string(id), "name": .string(name)]
    if !matrix.isEmpty { members["matrix"] = .array(matrix.map { [.string($0.key), $0.value] }) }
    switch work {
    case .builtin(let kind, let configuration):
      members["kind"] = .string(kind)
      members["with"] = .object(configuration)
    case .command(let words): members["run"] = .array(words.map(\.json))
    }
    if !inputs.isEmpty { members["in"] = .array(inputs.map(\.json)) }
    members["out"] = .array(outputs.map(\.json))
    if !environment.isEmpty { members["env"] = .object(environment.mapValues(JSON.string)) }
    if !tools.isEmpty { members["tools"] = .array(tools.map(JSON.string)) }
    members["cpus"] = JSON(resources.cpus)
    if let memory = resources.memory { members["memory"] = JSON(memory) }
    if policy != Policy() { members["policy"] = policy.json }
    if !dependencies.isEmpty { members["after"] = .array(dependencies.map(JSON.string)) }
    return .object(members)
  }

  /// Reads what `json` wrote; `nil` for anything else.
  init?(json: JSON, position: Position) {
    guard let id = json["id"]?.string, let name = json["name"]?.string, let cpus = json["cpus"]?.int,
      let outputs = json["out"]?.array.map({ $0.compactMap(Output.init) })
    else { return nil }
    let work: Work
    if let words = json["run"]?.array {
      work = .command(words.map(CommandWord.init))
    } else if let kind = json["kind"]?.string, let configuration = json["with"]?.object {
      work = .builtin(kind: kind, with: configuration)
    } else {
      return nil
    }
    self.init(
      id: id, name: name,
      matrix: (json["matrix"]?.array ?? []).compactMap { pair in
        pair[0]?.string.flatMap { key in pair[1].map { (key: key, value: $0) } }
      },
      work: work, inputs: (json["in"]?.array ?? []).compactMap(Input.init), outputs: outputs,
      environment: (json["env"]?.object ?? [:]).compactMapValues(\.string),
      tools: (json["tools"]?.array ?? []).compactMap(\.string),
      resources: Resources(cpus: cpus, memory: json["memory"]?.int),
      policy: json["policy"].map { Policy(json: $0, position: position) } ?? Policy(), position: position,
      dependencies: (json["after"]?.array ?? []).compactMap(\.string))
  }
}

extension Stage.Policy {
  fileprivate var json: JSON {
    var members: [String: JSON] = ["sandbox": .string(sandbox.rawValue), "retries": JSON(retries)]
    if hasNetwork { members["network"] = true }
    if let determinism { members["determinism"] = .string(determinism.rawValue) }
    if resumes { members["resume"] = true }
    if let timeout { members["timeout"] = JSON(timeout) }
    if !expectations.isEmpty { members["expect"] = .array(expectations.map(\.json)) }
    return .object(members)
  }

  fileprivate init(json: JSON, position: Position) {
    self.init(
      sandbox: json["sandbox"]?.string.flatMap { SandboxMode(rawValue: $0) } ?? .auto,
      hasNetwork: json["network"] == true,
      determinism: json["determinism"]?.string.flatMap { Determinism(rawValue: $0) },
      expectations: (json["expect"]?.array ?? []).map { Expectation(json: $0, position: position) },
      resumes: json["resume"] == true, retries: json["retries"]?.int ?? 0, timeout: json["timeout"]?.int)
  }
}

extension Expectation {
  fileprivate var json: JSON {
    func bounds(_ range: ClosedRange<Int>?) -> JSON {
      range.map { [JSON($0.lowerBound), JSON($0.upperBound)] } ?? .null
    }
    return [
      "output": .string(output), "rows": bounds(rows), "bytes": bounds(bytes),
      "schema": .array(columns.map(JSON.string)),
    ]
  }

  /// - Parameter position: the stage's, since a snapshot keeps no other.
  fileprivate init(json: JSON, position: Position) {
    func range(_ bounds: JSON?) -> ClosedRange<Int>? {
      guard let low = bounds?[0]?.int, let high = bounds?[1]?.int, low <= high else { return nil }
      return low...high
    }
    self.init(
      output: json["output"]?.string ?? "", rows: range(json["rows"]), bytes: range(json["bytes"]),
      columns: (json["schema"]?.array ?? []).compactMap(\.string), position: position)
  }
}

extension Stage.Input {
  fileprivate var json: JSON {
    ["name": .string(name), "list": .bool(isList), "refs": .array(refs.map(\.json))]
  }

  fileprivate init?(json: JSON) {
    guard let name = json["name"]?.string, let isList = json["list"]?.bool, let refs = json["refs"]?.array else {
      return nil
    }
    self.init(name: name, refs: refs.compactMap(Reference.init), isList: isList)
  }
}

extension Stage.Output {
  fileprivate var json: JSON {
    [
      "name": .string(name), "path": .string(path), "file": .string(fileName),
      "folder": isFolder.map(JSON.bool) ?? .null,
    ]
  }

  fileprivate init?(json: JSON) {
    guard let name = json["name"]?.string, let path = json["path"]?.string, let file = json["file"]?.string else {
      return nil
    }
    self.init(name: name, path: path, fileName: file, isFolder: json["folder"]?.bool)
  }
}

extension Reference {
  fileprivate var json: JSON {
    guard case .object(var members) = origin.json else { return .null }
    if let label { members["label"] = .string(label) }
    return .object(members)
  }

  fileprivate init?(json: JSON) {
    let origin: Origin
    if let source = json["source"]?.string {
      origin = .source(source)
    } else if let path = json["path"]?.string {
      origin = .path(path)
    } else if let stage = json["stage"]?.string, let output = json["output"]?.string {
      origin = .stage(id: stage, output: output)
    } else {
      return nil
    }
    self.init(origin, label: json["label"]?.string)
  }
}

extension CommandWord {
  /// A text as a string, a reference as `["in", name]` or `["out", name]`.
  fileprivate var json: JSON {
    .array(
      pieces.map { piece in
        switch piece {
        case .text(let text): .string(text)
        case .input(let name): ["in", .string(name)]
        case .output(let name): ["out", .string(name)]
        }
      })
  }

  fileprivate init(json: JSON) {
    self.init(
      (json.array ?? []).compactMap { piece in
        if let text = piece.string { return .text(text) }
        guard let name = piece[1]?.string else { return nil }
        return piece[0]?.string == "in" ? .input(name) : .output(name)
      })
  }
}
