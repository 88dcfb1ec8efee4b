import LemmaBasics
import LemmaPipeline

/// The stages of a pipeline by number, in the pipeline's order. Read from a snapshot, a stage is
/// decoded only when it is asked for: most are not, when little changed.
final class StageList {
  private enum Origin {
    case parsed([Stage])
    case remembered(Snapshot, file: String)
  }

  private let origin: Origin
  private var decoded: [Int: Stage] = [:]
  private var numbersByID: [String: Int]?

  let count: Int
  /// By number, the numbers of the stages that each one reads from.
  let dependencies: [[Int]]

  init(_ pipeline: Pipeline) {
    let numbers = Dictionary(uniqueKeysWithValues: pipeline.stages.enumerated().map { ($1.id, $0) })
    origin = .parsed(pipeline.stages)
    count = pipeline.stages.count
    dependencies = pipeline.stages.map { $0.dependencies.compactMap { numbers[$0] } }
    numbersByID = numbers
  }

  /// - Parameter file: the pipeline's file as it is named in positions.
  init(_ snapshot: Snapshot, file: String) {
    origin = .remembered(snapshot, file: file)
    count = snapshot.stageCount
    dependencies = (0..<snapshot.stageCount).map { snapshot.dependencies(of: $0) }
  }

  subscript(number: Int) -> Stage {
    switch origin {
    case .parsed(let stages): return stages[number]
    case .remembered(let snapshot, let file):
      if let stage = decoded[number] { return stage }
      let stage = snapshot.stage(number, file: file)
      decoded[number] = stage
      return stage
    }
  }

  func id(_ number: Int) -> String {
    switch origin {
    case .parsed(let stages): stages[number].id
    case .remembered(let snapshot, _): snapshot.id(number)
    }
  }

  func number(of id: String) -> Int? {
    if numbersByID == nil {
      numbersByID = Dictionary(uniqueKeysWithValues: (0..<count).map { (self.id($0), $0) })
    }
    return numbersByID?[id]
  }

  subscript(id: String) -> Stage? { number(of: id).map { self[$0] } }

  /// As `numbers(of:count:id:dependencies:)`, of these stages.
  func numbers(of name: String) -> [Int] {
    StageList.numbers(of: name, count: count, id: { Array(id($0).utf8) }) { dependencies[$0] }
  }

  /// The numbers of the stages of a name, with or without the values of their matrix, and of all before them, in
  /// their order.
  static func numbers<ID: Collection<UInt8>>(
    of name: String, count: Int, id: (Int) -> ID, dependencies: (Int) -> [Int]
  ) -> [Int] {
    let (name, bracket) = (Array(name.utf8), UInt8(ascii: "["))
    var isMeant = (0..<count).map { number in
      let id = id(number)
      guard id.starts(with: name) else { return false }
      return id.count == name.count || id.dropFirst(name.count).first == bracket
    }
    for number in isMeant.indices.reversed() where isMeant[number] {
      for dependency in dependencies(number) { isMeant[dependency] = true }
    }
    return isMeant.indices.filter { isMeant[$0] }
  }

  /// Where the outputs go in the workspace, with how they are referred to. Of remembered stages there
  /// are none: what this is asked for was settled when they were first read.
  var outputPlaces: [String: String] {
    guard case .parsed(let stages) = origin else { return [:] }
    return Dictionary(
      stages.flatMap { stage in stage.outputs.map { ($0.path, "\(stage.name).\($0.name)") } },
      uniquingKeysWith: { first, _ in first })
  }

  /// The snapshot that these stages are read from.
  var snapshot: Snapshot? { if case .remembered(let snapshot, _) = origin { snapshot } else { nil } }
}
