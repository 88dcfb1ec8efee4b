import LemmaBasics
import LemmaHash
import LemmaStore

/// The walk from row to row: every row that a stage wrote must name parents that stand in what the
/// stage read, or in what that came from.
struct DatasetCheck {
  private(set) var faults: [Audit.Fault] = []
  private(set) var notes: [String] = []
  private var known: [Identity: Dataset?] = [:]

  /// The ids of a dataset's rows and of the rows they came from.
  private struct Dataset {
    var ids: Set<String> = []
    var parents: Set<String> = []
    var rows = 0
  }

  /// The fields by which a row names the rows it came from (`docs/formats.md`).
  private static let parentFields = ["parent", "row", "seed"]

  /// How many rows an object has, when it is a dataset.
  mutating func rows(of identity: Identity, store: Store) -> Int? { dataset(identity, store: store)?.rows }

  mutating func check(
    stage: String, inputs: [Audit.Link], outputs: [Audit.Link], store: Store, isSound: (Identity) -> Bool
  ) {
    var available: Set<String> = []
    var hasDatasets = false
    for input in inputs where input.artifact.kind == .file && isSound(input.artifact.identity) {
      guard let dataset = dataset(input.artifact.identity, store: store) else { continue }
      hasDatasets = true
      available.formUnion(dataset.ids)
      available.formUnion(dataset.parents)
    }
    guard hasDatasets else { return }
    for output in outputs where output.artifact.kind == .file && isSound(output.artifact.identity) {
      guard let dataset = dataset(output.artifact.identity, store: store), !dataset.ids.isEmpty else { continue }
      // Rows made inside this very stage may be parents of others.
      let lost = dataset.parents.subtracting(available).subtracting(dataset.ids)
      if let example = lost.min() {
        faults.append(
          Audit.Fault(
            subject: "object \(output.artifact.identity.digest.hex)",
            message:
              "\(lost.count) rows of output '\(output.name)' of stage '\(stage)' name parents that no input has, such as \(example)"
          ))
      } else {
        notes.append("\(stage).\(output.name): \(dataset.rows) rows, every parent found in its inputs")
      }
    }
  }

  private mutating func dataset(_ identity: Identity, store: Store) -> Dataset? {
    if let dataset = known[identity] { return dataset }
    let dataset = (try? store.read(identity)).flatMap(DatasetCheck.parse)
    known[identity] = .some(dataset)
    return dataset
  }

  /// `nil` for what is not JSON lines with an `id` each.
  private static func parse(_ bytes: [UInt8]) -> Dataset? {
    var dataset = Dataset()
    for line in bytes.split(separator: UInt8(ascii: "\n")) {
      guard line.first == UInt8(ascii: "{"), let row = try? JSON(parsing: line, file: ""), let id = row["id"]?.string
      else { return nil }
      dataset.ids.insert(id)
      dataset.rows += 1
      for field in parentFields { if let parent = row[field]?.string { dataset.parents.insert(parent) } }
    }
    return dataset.rows > 0 ? dataset : nil
  }
}
