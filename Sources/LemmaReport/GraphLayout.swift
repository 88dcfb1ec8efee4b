/// Places a graph in columns from left to right: every node right of what it needs, few crossings,
/// no overlaps (after Sugiyama, Tagawa and Toda, 1981). Long edges get places in the columns
/// they pass.
struct GraphLayout {
  struct Place {
    var layer: Int
    /// The middle, from the top.
    var y: Double
  }

  static let rowHeight = 58.0
  static let passHeight = 18.0

  /// By node.
  private(set) var places: [Place]
  /// For every edge, the ends by node and the middles it passes, column by column.
  private(set) var routes: [(from: Int, to: Int, through: [Double])] = []
  private(set) var height = 0.0
  private(set) var layerCount = 0

  /// Items are nodes first, then the passing places of long edges.
  private var layers: [[Int]] = []
  private var ys: [Double] = []
  private var before: [[Int]] = []
  private var after: [[Int]] = []
  private let nodeCount: Int

  /// - Parameter edges: pairs of nodes; an edge that closes a circle is turned round.
  init(nodeCount: Int, edges: [(from: Int, to: Int)]) {
    self.nodeCount = nodeCount
    let edges = Self.acyclic(nodeCount, edges)
    let layerOf = Self.layers(nodeCount, edges)
    places = layerOf.map { Place(layer: $0, y: 0) }
    layerCount = (layerOf.max() ?? -1) + 1
    layers = Array(repeating: [], count: layerCount)
    for node in 0..<nodeCount { layers[layerOf[node]].append(node) }
    before = Array(repeating: [], count: nodeCount)
    after = before
    var passes: [[Int]] = []
    // The long edges of one node share their ways, as branches share a trunk.
    var trunks = [[Int]](repeating: [], count: nodeCount)
    for edge in edges {
      let length = max(0, layerOf[edge.to] - layerOf[edge.from] - 1)
      while trunks[edge.from].count < length {
        let item = before.count
        before.append([])
        after.append([])
        link(trunks[edge.from].last ?? edge.from, item)
        trunks[edge.from].append(item)
        layers[layerOf[edge.from] + trunks[edge.from].count].append(item)
      }
      let pass = Array(trunks[edge.from].prefix(length))
      link(pass.last ?? edge.from, edge.to)
      passes.append(pass)
    }
    order()
    align()
    for node in 0..<nodeCount { places[node].y = ys[node] }
    routes = zip(edges, passes).map { ($0.from, $0.to, $1.map { ys[$0] }) }
  }

  private mutating func link(_ from: Int, _ to: Int) {
    after[from].append(to)
    before[to].append(from)
  }

  /// Without doubles and loops; edges that run backward in a walk from the first node are turned.
  private static func acyclic(_ count: Int, _ edges: [(from: Int, to: Int)]) -> [(from: Int, to: Int)] {
    var next = [[Int]](repeating: [], count: count)
    var seen: Set<[Int]> = []
    for edge in edges where edge.from != edge.to && seen.insert([edge.from, edge.to]).inserted {
      next[edge.from].append(edge.to)
    }
    var states = [Int](repeating: 0, count: count)
    var result: [(from: Int, to: Int)] = []
    var made: Set<[Int]> = []
    func add(_ from: Int, _ to: Int) { if made.insert([from, to]).inserted { result.append((from, to)) } }
    for root in 0..<count where states[root] == 0 {
      var stack = [(node: root, index: 0)]
      states[root] = 1
      while let top = stack.last {
        guard top.index < next[top.node].count else {
          states[top.node] = 2
          stack.removeLast()
          continue
        }
        stack[stack.count - 1].index += 1
        let to = next[top.node][top.index]
        if states[to] == 1 { add(to, top.node) } else { add(top.node, to) }
        if states[to] == 0 {
          states[to] = 1
          stack.append((to, 0))
        }
      }
    }
    return result
  }

  /// The longest way from a node without a predecessor; one without any edge stands in the first.
  private static func layers(_ count: Int, _ edges: [(from: Int, to: Int)]) -> [Int] {
    var next = [[Int]](repeating: [], count: count)
    var open = [Int](repeating: 0, count: count)
    for edge in edges {
      next[edge.from].append(edge.to)
      open[edge.to] += 1
    }
    var layers = [Int](repeating: 0, count: count)
    var ready = (0..<count).filter { open[$0] == 0 }
    var done: [Int] = []
    while let node = ready.popLast() {
      done.append(node)
      for to in next[node] {
        layers[to] = max(layers[to], layers[node] + 1)
        open[to] -= 1
        if open[to] == 0 { ready.append(to) }
      }
    }
    // What nothing stands before moves right, next to what needs it.
    let isStart = Set(0..<count).subtracting(edges.map(\.to))
    for node in done.reversed() where isStart.contains(node) {
      if let nearest = next[node].map({ layers[$0] }).min() { layers[node] = nearest - 1 }
    }
    return layers
  }

  /// Sorts every column by the mean place of the neighbours, forth and back.
  private mutating func order() {
    var place = [Double](repeating: 0, count: before.count)
    func number(_ layer: [Int]) { for (index, item) in layer.enumerated() { place[item] = Double(index) } }
    layers.forEach(number)
    for sweep in 0..<8 {
      let isForward = sweep % 2 == 0
      for layer in isForward ? Array(layers.indices) : layers.indices.reversed() {
        let neighbours = isForward ? before : after
        let keyed = layers[layer].enumerated().map { index, item -> (key: Double, index: Int, item: Int) in
          let near = neighbours[item]
          return (near.isEmpty ? place[item] : near.reduce(0) { $0 + place[$1] } / Double(near.count), index, item)
        }
        layers[layer] = keyed.sorted { ($0.key, $0.index) < ($1.key, $1.index) }.map(\.item)
        number(layers[layer])
      }
    }
  }

  private func space(_ item: Int) -> Double { item < nodeCount ? Self.rowHeight : Self.passHeight }

  /// Gives every item a height: as near to its neighbours' as order and distance allow.
  private mutating func align() {
    ys = Array(repeating: 0, count: before.count)
    for layer in layers { settle(layer, wanted: layer.map { _ in 0 }) }
    for sweep in 0..<10 {
      let isForward = sweep % 2 == 0
      for layer in isForward ? Array(layers.indices) : layers.indices.reversed() {
        let wanted = layers[layer].map { item in
          let near = isForward ? before[item] : after[item]
          return near.isEmpty ? ys[item] : near.reduce(0) { $0 + ys[$1] } / Double(near.count)
        }
        settle(layers[layer], wanted: wanted)
      }
    }
    let top = ys.indices.map { ys[$0] - space($0) / 2 }.min() ?? 0
    for index in ys.indices { ys[index] -= top }
    height = ys.indices.map { ys[$0] + space($0) / 2 }.max() ?? 0
  }

  /// The heights nearest to the wanted ones, by least squares, that keep order and distance: pools of
  /// neighbours that would collide move together.
  private mutating func settle(_ items: [Int], wanted: [Double]) {
    var offsets: [Double] = []
    var offset = 0.0
    for (index, item) in items.enumerated() {
      if index > 0 { offset += (space(items[index - 1]) + space(item)) / 2 }
      offsets.append(offset)
    }
    var pools: [(sum: Double, count: Int)] = []
    for index in items.indices {
      var pool = (sum: wanted[index] - offsets[index], count: 1)
      while let last = pools.last, last.sum / Double(last.count) >= pool.sum / Double(pool.count) {
        pool = (pool.sum + last.sum, pool.count + last.count)
        pools.removeLast()
      }
      pools.append(pool)
    }
    var index = 0
    for pool in pools {
      for _ in 0..<pool.count {
        ys[items[index]] = pool.sum / Double(pool.count) + offsets[index]
        index += 1
      }
    }
  }
}
