import LemmaBasics
import LemmaReport

/// The upstream graph by content, as the engine hands it to a stage that asks for it.
struct Lineage {
  struct Artifact: Hashable {
    var xxh3: String
    var sha256: String
    var size: Int
  }

  struct Node {
    var kind: String
    var label: String
    /// Where each input came from: a node's output, or nothing for a source.
    var inputs: [(name: String, node: Int?, output: String, artifact: Artifact)]
    var outputs: [(name: String, artifact: Artifact)]

    var title: String { label.isEmpty ? kind : "\(kind) \(label)" }
  }

  let nodes: [Node]

  init(_ json: JSON) {
    nodes = (json.array ?? []).map { node in
      let inputs = (node["inputs"]?.object ?? [:]).sorted { $0.key < $1.key }
      let outputs = (node["outputs"]?.object ?? [:]).sorted { $0.key < $1.key }
      return Node(
        kind: node["kind"]?.string ?? "", label: node["label"]?.string ?? "",
        inputs: inputs.flatMap { name, members in
          (members.array ?? []).map { ($0, name) }.map { member, name in
            (name, member["node"]?.int, member["output"]?.string ?? "", Artifact(member))
          }
        },
        outputs: outputs.map { ($0.key, Artifact($0.value)) })
    }
  }

  /// The node that gave an artifact.
  func node(giving artifact: JSON) -> Int? {
    let wanted = Artifact(artifact)
    return nodes.firstIndex { $0.outputs.contains { $0.artifact == wanted } }
  }

  /// The graph for people. Instances of one matrix stand side by side.
  var graph: Graph {
    var graph = Graph()
    var sources: [Artifact: String] = [:]
    for (number, node) in nodes.enumerated() {
      graph.nodes.append(
        Graph.Node(
          id: "n\(number)", title: node.kind, detail: node.label, kind: node.kind == "evaluate" ? .result : .stage))
      for input in node.inputs {
        if let from = input.node {
          let edge = Graph.Edge(from: "n\(from)", to: "n\(number)")
          if !graph.edges.contains(edge) { graph.edges.append(edge) }
        } else {
          let id = sources[input.artifact] ?? "s\(sources.count)"
          if sources.updateValue(id, forKey: input.artifact) == nil {
            graph.nodes.append(
              Graph.Node(id: id, title: "source", detail: String(input.artifact.sha256.prefix(10)), kind: .source))
          }
          graph.edges.append(Graph.Edge(from: id, to: "n\(number)"))
        }
      }
    }
    return graph
  }

  /// Every artifact on the way from a node back to the sources, nearest first.
  func evidence(of start: Int) -> [Evidence.Item] {
    var items: [Evidence.Item] = []
    var queue = [start]
    var seen: Set<Int> = [start]
    var sources: Set<Artifact> = []
    while !queue.isEmpty {
      let number = queue.removeFirst()
      for output in nodes[number].outputs {
        items.append(Evidence.Item(role: nodes[number].title, name: output.name, output.artifact))
      }
      for input in nodes[number].inputs {
        if let from = input.node {
          if seen.insert(from).inserted { queue.append(from) }
        } else if sources.insert(input.artifact).inserted {
          items.append(Evidence.Item(role: "source", name: input.name, input.artifact))
        }
      }
    }
    return items
  }
}

extension Lineage.Artifact {
  init(_ json: JSON) {
    self.init(
      xxh3: json["xxh3"]?.string ?? "", sha256: json["sha256"]?.string ?? "", size: json["size"]?.int ?? 0)
  }
}

extension Evidence.Item {
  init(role: String, name: String, _ artifact: Lineage.Artifact) {
    self.init(role: role, name: name, xxh3: artifact.xxh3, sha256: artifact.sha256, size: artifact.size)
  }
}
