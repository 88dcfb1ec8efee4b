import LemmaBasics

/// Which stages a run is about, by names that a person gives: a stage as declared, or one instance
/// of its matrix.
struct Selection {
  /// By stage number.
  private(set) var isSelected: [Bool]
  private(set) var isForced: [Bool]

  /// - Throws: `Failure` with the nearest name when there is no such stage.
  init(_ options: RunOptions, stages: StageList) throws {
    isSelected = Array(repeating: options.only.isEmpty && options.from.isEmpty, count: stages.count)
    isForced = Array(repeating: false, count: stages.count)
    for number in try Selection.find(options.only, option: "--only", in: stages) { isSelected[number] = true }
    var isAfter = Array(repeating: false, count: stages.count)
    for number in try Selection.find(options.from, option: "--from", in: stages) { isAfter[number] = true }
    for number in 0..<stages.count where isAfter[number] || stages.dependencies[number].contains(where: { isAfter[$0] })
    {
      isAfter[number] = true
      isSelected[number] = true
    }
    // What is asked for needs what stands before it.
    for number in (0..<stages.count).reversed() where isSelected[number] {
      for dependency in stages.dependencies[number] { isSelected[dependency] = true }
    }
    for number in try Selection.find(options.force, option: "--force", in: stages) { isForced[number] = true }
    if let outside = isForced.indices.first(where: { isForced[$0] && !isSelected[$0] }) {
      throw Failure(
        .user, "not-selected", "--force names '\(stages.id(outside))', which --only or --from leaves out")
    }
  }

  private static func find(_ names: [String], option: String, in stages: StageList) throws -> [Int] {
    if names.isEmpty { return [] }
    let ids = (0..<stages.count).map { stages.id($0) }
    return try names.flatMap { name -> [Int] in
      let found = ids.indices.filter { ids[$0] == name || ids[$0].hasPrefix(name + "[") }
      guard found.isEmpty else { return found }
      let known = ids + Set(ids.map { String($0.prefix { $0 != "[" }) }).sorted()
      throw Failure(
        .user, "no-such-stage", "\(option): the pipeline has no stage '\(name)'",
        hint: nearest(to: name, among: known).map { "did you mean '\($0)'?" })
    }
  }
}
