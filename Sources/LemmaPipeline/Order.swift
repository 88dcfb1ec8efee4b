import LemmaBasics

/// In which order declared stages stand, so that each comes after those it reads from.
struct StageOrder {
  /// One stage's reference to another, by their places in the declaration.
  struct Edge {
    var to: Int
    var mark: Mark
  }

  /// Declaration order, except that what a stage needs comes before it. Every cycle is reported once,
  /// at the reference that closes it.
  static func sort(_ names: [String], edges: [[Edge]], reporting diagnostics: Diagnostics) -> [Int] {
    enum State { case new, open, done }
    var states = [State](repeating: .new, count: names.count)
    var order: [Int] = []
    var stack: [(stage: Int, next: Int)] = []
    for root in names.indices where states[root] == .new {
      states[root] = .open
      stack = [(root, 0)]
      while let top = stack.last {
        guard top.next < edges[top.stage].count else {
          states[top.stage] = .done
          order.append(top.stage)
          stack.removeLast()
          continue
        }
        stack[stack.count - 1].next += 1
        let edge = edges[top.stage][top.next]
        switch states[edge.to] {
        case .done: continue
        case .new:
          states[edge.to] = .open
          stack.append((edge.to, 0))
        case .open:
          let cycle = stack.map(\.stage).drop { $0 != edge.to } + [edge.to]
          diagnostics.report(
            "cycle", "the stages need each other in a circle: \(path(cycle.map { names[$0] }))", at: edge.mark)
        }
      }
    }
    return order
  }

  private static func path(_ names: [String]) -> String {
    guard names.count > 12 else { return names.joined(separator: " -> ") }
    let ends = names.prefix(6) + ["... \(names.count - 12) more ..."] + names.suffix(6)
    return ends.joined(separator: " -> ")
  }
}
