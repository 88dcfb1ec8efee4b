import LemmaBasics
import LemmaCorpus
import LemmaSynthesis
import Testing

@Test func measure() throws {
  let rows = try GSM8K.seeds("../shared/data/gsm8k/train.jsonl")
  var exact = 0, traced = 0, inst = 0
  var faults: [String: Int] = [:]
  var strangers: [String: Int] = [:]
  for row in rows {
    switch SymbolicTeacher.study(problem: row.problem, solution: row.solution!) {
    case .program(let t):
      exact += 1
      if t.isComplete { traced += 1 } else { strangers[t.untraced!.description, default: 0] += 1 }
      if t.isReinstantiable { inst += 1 }
    case .fault(let f): faults[f.rawValue, default: 0] += 1
    }
  }
  print(rows.count, exact, traced, inst, faults)
  print(strangers.sorted { $0.value > $1.value }.prefix(30).map { "\($0.key):\($0.value)" })
}
