import LemmaBasics
import LemmaPipeline
import Testing

@Suite("Matrices: fan-out, agreement, fan-in")
struct MatrixTests {
  static let grid = """
    pipeline: p
    stages:
      train:
        matrix: { size: [1, 2], seed: [a, b] }
        run: [make]
        out: { m: "m/${matrix.size}-${matrix.seed}" }

    """

  /// The references of the input `x` of every instance of `next`.
  private func refs(_ next: String) throws -> [[Reference]] {
    try pipeline(Self.grid + "  next: \(next)\n").stages.filter { $0.name == "next" }.map { $0.inputs[0].refs }
  }

  @Test("instances come in the order of the keys, the last turning fastest")
  func order() throws {
    let stages = try pipeline(Self.grid).stages
    #expect(
      stages.map(\.id) == [
        "train[size=1,seed=a]", "train[size=1,seed=b]", "train[size=2,seed=a]", "train[size=2,seed=b]",
      ])
    #expect(stages.map { $0.outputs[0].path } == ["m/1-a", "m/1-b", "m/2-a", "m/2-b"])
  }

  @Test("a stage without a matrix gets all instances, each labelled with all keys")
  func fanIn() throws {
    #expect(
      try refs("{ run: [make], in: { x: ${stages.train.m} } }") == [
        [
          made("train[size=1,seed=a]", "m", label: "size=1,seed=a"),
          made("train[size=1,seed=b]", "m", label: "size=1,seed=b"),
          made("train[size=2,seed=a]", "m", label: "size=2,seed=a"),
          made("train[size=2,seed=b]", "m", label: "size=2,seed=b"),
        ]
      ])
  }

  @Test("an instance gets the one that agrees on every key, without a label")
  func agreement() throws {
    #expect(
      try refs("{ matrix: { seed: [b], size: [2, 1] }, run: [make], in: { x: ${stages.train.m} } }") == [
        [made("train[size=2,seed=b]", "m")], [made("train[size=1,seed=b]", "m")],
      ])
  }

  @Test("an instance gets those that agree on the shared keys, labelled with the others")
  func partialAgreement() throws {
    #expect(
      try refs("{ matrix: { size: [2], other: [v, w] }, run: [make], in: { x: ${stages.train.m} } }") == [
        [made("train[size=2,seed=a]", "m", label: "seed=a"), made("train[size=2,seed=b]", "m", label: "seed=b")],
        [made("train[size=2,seed=a]", "m", label: "seed=a"), made("train[size=2,seed=b]", "m", label: "seed=b")],
      ])
  }

  @Test("values agree by value and type: a text is not a number")
  func types() throws {
    let next = "{ matrix: { size: [\"1\"] }, run: [make], in: { x: ${stages.train.m} } }"
    #expect(
      mistakes(Self.grid + "  next: \(next)\n")
        == "p.yaml:7:58: no instance of 'train' has size=1, which 'next[size=1]' asks for")
    #expect(try refs("{ matrix: { size: [1.0] }, run: [make], in: { x: ${stages.train.m} } }")[0].count == 2)
  }

  @Test("a list of references joins what each of them stands for")
  func joined() throws {
    let stages = try pipeline(
      Self.grid + "  extra: { run: [make], out: { m: extra } }\n"
        + "  table: { uses: compare, in: { models: [${stages.extra.m}, ${stages.train.m}, old/model] } }\n"
    ).stages
    let table = try #require(stages.last)
    #expect(table.inputs[0].isList)
    #expect(
      table.inputs[0].refs.map(\.label) == [
        nil, "size=1,seed=a", "size=1,seed=b", "size=2,seed=a", "size=2,seed=b", nil,
      ])
    #expect(table.inputs[0].refs.last?.origin == .path("old/model"))
    #expect(
      table.dependencies == [
        "extra", "train[size=1,seed=a]", "train[size=1,seed=b]", "train[size=2,seed=a]", "train[size=2,seed=b]",
      ])
  }

  @Test("whether an input is a list follows from the declaration, not from the count")
  func isList() throws {
    let text = """
      pipeline: p
      sources: { s: { path: s.jsonl } }
      stages:
        a: { matrix: { k: [1] }, run: [make], out: { o: a } }
        b: { run: [make], in: { one: ${sources.s}, fan: ${stages.a.o}, list: [x.txt] } }
        c: { matrix: { k: [1] }, run: [make], in: { same: ${stages.a.o} } }
        d: { uses: compare, in: { models: ${stages.a.o} } }
        e: { uses: sft, in: { rows: ${stages.a.o} } }
      """
    let stages = try pipeline(text).stages
    #expect(stages[1].inputs.map(\.isList) == [false, true, true])
    #expect(stages[2].inputs.map(\.isList) == [false])
    #expect(stages[3].inputs.map(\.isList) == [true])
    #expect(stages[4].inputs.map(\.isList) == [false])
  }

  @Test("a dependency through several inputs counts once")
  func dependencies() throws {
    let text =
      Self.grid
      + "  next: { run: [make], matrix: { size: [1], seed: [a] }, in: { x: ${stages.train.m}, y: ${stages.train.m} } }\n"
    #expect(try pipeline(text).stages.last?.dependencies == ["train[size=1,seed=a]"])
  }

  @Test("a matrix takes its values from parameters, lists whole and values singly")
  func parameters() throws {
    let text = """
      pipeline: p
      params: { sizes: [10, 20], one: 0.5, name: base }
      stages:
        a: { matrix: { size: ${params.sizes}, rate: [${params.one}, 1.5, true], tag: ["${params.name}-x"] }, run: [make] }
      """
    #expect(
      try pipeline(text).stages.map(\.id) == [
        "a[size=10,rate=0.5,tag=base-x]", "a[size=10,rate=1.5,tag=base-x]", "a[size=10,rate=true,tag=base-x]",
        "a[size=20,rate=0.5,tag=base-x]", "a[size=20,rate=1.5,tag=base-x]", "a[size=20,rate=true,tag=base-x]",
      ])
  }
}
