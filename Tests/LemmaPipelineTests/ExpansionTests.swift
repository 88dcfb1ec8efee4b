import LemmaBasics
import LemmaPipeline
import LemmaTestSupport
import Testing

@Suite("Expansion: from the file to stage instances")
struct ExpansionTests {
  static let quickstart = """
    pipeline: quickstart
    params: { seed: 7, sizes: [500, 2000, 8000] }
    sources:
      seeds: { path: ./data//seeds.jsonl, license: MIT }
    stages:
      normal:
        uses: synthesize
        in:   { seeds: ${sources.seeds} }
        with: { teacher: symbolic, methods: { metamath: 0.5, evol: 0.3, xwin: 0.2 }, rows: 8000 }
      train:
        matrix: { size: ${params.sizes} }
        uses: sft
        in:   { rows: ${stages.normal.rows} }
        with: { take: ${matrix.size} }
        resources: { cpus: 2, memory: 4G }
      own:
        run: [python3, scripts/analyse.py, "${in.rows}", "--table=${out.table}"]
        in:  { rows: ${stages.normal.rows} }
        out: { table: results/all.csv }
        tools: [python3]
    """

  @Test("the sketch of the manual expands as it says")
  func sketch() throws {
    let pipeline = try pipeline(Self.quickstart)
    #expect(pipeline.name == "quickstart")
    #expect(pipeline.bytes == Array(Self.quickstart.utf8))
    #expect(pipeline.parameters == ["seed": 7, "sizes": [500, 2000, 8000]])
    let place = Position(file: "p.yaml", line: 4, column: 3)
    #expect(
      pipeline.sources == [Source(name: "seeds", path: "data/seeds.jsonl", license: "MIT", position: place)])
    #expect(pipeline.stages.map(\.id) == ["normal", "train[size=500]", "train[size=2000]", "train[size=8000]", "own"])

    let train = pipeline.stages[2]
    #expect(train.name == "train")
    #expect(train.matrix.map(\.key) == ["size"] && train.matrix.map(\.value) == [2000])
    #expect(train.inputs == [Stage.Input(name: "rows", refs: [made("normal", "rows")], isList: false)])
    #expect(
      train.outputs == [
        Stage.Output(name: "model", path: "results/train/size=2000/model", fileName: "model", isFolder: true),
        Stage.Output(name: "log", path: "results/train/size=2000/log.jsonl", fileName: "log.jsonl", isFolder: false),
      ])
    #expect(train.resources == Stage.Resources(cpus: 2, memory: 4 << 30))
    #expect(train.dependencies == ["normal"])
    #expect(train.position == Position(file: "p.yaml", line: 10, column: 3))
  }

  @Test("defaults are filled in and every value has its declared type")
  func configuration() throws {
    let pipeline = try pipeline(Self.quickstart)
    #expect(
      pipeline.stages[0].work
        == .builtin(
          kind: "synthesize",
          with: [
            "teacher": "symbolic", "methods": ["metamath": 0.5, "evol": 0.3, "xwin": 0.2], "rows": 8000, "stop": [],
            "shuffle": true,
          ]))
    #expect(
      pipeline.stages[1].work
        == .builtin(
          kind: "sft", with: ["take": 500, "optimizer": ["rate": 0.001, "name": "adamw"], "note": ""]))
  }

  @Test("an optional parameter may be null, and is when it is left out")
  func optional() throws {
    for with in ["", "with: { take: null }", "with: { take: ~ }"] {
      let stage = try one("{ uses: sft, in: { rows: r.jsonl }, \(with) }")
      guard case .builtin(_, let values) = stage.work else { throw Failure(.internal, "test", "no built-in") }
      #expect(values["take"] == .some(.null))
    }
  }

  @Test("a record's members get their defaults one by one")
  func record() throws {
    let stage = try one("{ uses: sft, in: { rows: r.jsonl }, with: { optimizer: { rate: 1 } } }")
    guard case .builtin(_, let values) = stage.work else { throw Failure(.internal, "test", "no built-in") }
    #expect(values["optimizer"] == ["rate": 1, "name": "adamw"])
  }

  @Test("a command keeps places for the paths that only the executor knows")
  func command() throws {
    let own = try #require(try pipeline(Self.quickstart).stages.last)
    #expect(
      own.work
        == .command([
          CommandWord([.text("python3")]), CommandWord([.text("scripts/analyse.py")]), CommandWord([.input("rows")]),
          CommandWord([.text("--table="), .output("table")]),
        ]))
    #expect(
      own.outputs == [Stage.Output(name: "table", path: "results/all.csv", fileName: "table.csv", isFolder: nil)])
    #expect(own.tools == ["python3"])
  }

  @Test("a script runs in the shell, which stops at its first failing line")
  func script() throws {
    let stage = try one("{ run: \"sort ${in.x} > ${out.z}; echo $${HOME} $HOME\", in: { x: x.txt }, out: { z: z } }")
    #expect(
      stage.work
        == .command([
          CommandWord([.text("/bin/sh")]), CommandWord([.text("-ec")]),
          CommandWord([.text("sort "), .input("x"), .text(" > "), .output("z"), .text("; echo ${HOME} $HOME")]),
        ]))
    #expect(stage.inputs == [Stage.Input(name: "x", refs: [Reference(.path("x.txt"))], isList: false)])
  }

  @Test("numbers and booleans in a command keep their spelling")
  func words() throws {
    #expect(try words("[head, -n, 5, 0.10, true, 1e3]") == ["head", "-n", "5", "0.10", "true", "1e3"])
  }

  @Test("a parameter that is a list becomes several words")
  func splice() throws {
    #expect(
      try words("[a, ${params.l}, \"x${params.n}\"]", params: "{ l: [1, b c], n: 2 }") == ["a", "1", "b c", "x2"])
  }

  @Test("environment values are text; a secret stays a reference")
  func environment() throws {
    let stage = try one("{ run: [make], env: { A: 1, B: x y, KEY: env:API_KEY, E: \"\" } }")
    #expect(stage.environment == ["A": "1", "B": "x y", "KEY": "env:API_KEY", "E": ""])
  }

  @Test(
    "memory is counted in powers of 1024",
    arguments: [("1K", 1024), ("512M", 512 << 20), ("4G", 4 << 30), ("4GiB", 4 << 30), ("2Ti", 2 << 40), ("77", 77)])
  func memory(text: String, bytes: Int) throws {
    #expect(try one("{ run: [make], resources: { memory: \(text) } }").resources.memory == bytes)
  }

  @Test(
    "an output's name in the execution root is its own name with its path's extension",
    arguments: [
      ("t.csv", "o.csv"), ("a.d/t", "o"), (".hidden", "o"), ("t.tar.gz", "o.gz"), ("t.", "o"), ("\"t.a b\"", "o"),
    ])
  func fileName(path: String, name: String) throws {
    #expect(try one("{ run: [make], out: { o: \(path) } }").outputs.map(\.fileName) == [name])
  }

  @Test("what a value looks like in a path cannot leave its folder")
  func escaping() throws {
    let stage = try one("{ uses: sft, in: { rows: r }, matrix: { m: [\"../é x/%\"] } }")
    #expect(stage.id == "s[m=../é x/%]")
    #expect(stage.outputs.map(\.path).first == "results/s/m=..%2F%C3%A9%20x%2F%25/model")
  }

  @Test("a kind's output goes where `out` says")
  func place() throws {
    let stage = try one("{ uses: sft, in: { rows: r }, out: { model: models/best/ } }")
    #expect(stage.outputs.map(\.path) == ["models/best", "results/s/log.jsonl"])
    #expect(stage.outputs.map(\.fileName) == ["model", "log.jsonl"])
  }

  @Test("a stage comes after what it needs, and otherwise where it is declared")
  func order() throws {
    let text = """
      pipeline: p
      stages:
        last: { run: [make], in: { x: ${stages.second.o}, y: ${stages.third.o} } }
        free: { run: [make] }
        third: { run: [make], in: { x: ${stages.second.o} }, out: { o: 3 .txt } }
        second: { run: [make], out: { o: 2 .txt } }
        alone: { run: [make] }
      """
    #expect(try pipeline(text).stages.map(\.id) == ["second", "third", "last", "free", "alone"])
  }

  @Test("the same file expands to the same pipeline every time")
  func determinism() throws {
    let first = try pipeline(Self.quickstart)
    for _ in 0..<20 {
      #expect(try "\(pipeline(Self.quickstart).stages.map(\.outputs))" == "\(first.stages.map(\.outputs))")
    }
  }

  @Test("a file is read from the disk; an absent one is told by its path")
  func disk() throws {
    let space = TestSpace()
    let file = try space.write("p.yaml", Self.quickstart)
    #expect(try Pipeline.load(file: file, overrides: ["seed": "8"], catalogue: catalogue).parameters["seed"] == 8)
    let failure = #expect(throws: Failure.self) {
      try Pipeline.load(file: space.file("none.yaml"), catalogue: catalogue)
    }
    #expect(failure?.code == "no-such-file")
  }

  @Test("the file's place in the project is what no stage may write to")
  func ownPlace() throws {
    let text = "pipeline: p\nstages: { a: { run: [make], out: { o: flows/p.yaml } } }\n"
    #expect(throws: Never.self) { try pipeline(text) }
    let failures = #expect(throws: Failures.self) {
      try Pipeline(bytes: Array(text.utf8), file: "/home/p.yaml", catalogue: catalogue, place: "flows/p.yaml")
    }
    #expect(failures?.all.map(\.code) == ["overlap"])
  }

  private func words(_ run: String, params: String = "{}") throws -> [String] {
    guard case .command(let words) = try one("{ run: \(run) }", params: params).work else { return [] }
    return words.map { word in
      word.pieces.map { if case .text(let text) = $0 { text } else { "?" } }.joined()
    }
  }
}

/// The first instance of a pipeline's only stage, `s`.
func one(_ stage: String, params: String = "{}") throws -> Stage {
  let pipeline = try pipeline("pipeline: p\nparams: \(params)\nstages:\n  s: \(stage)\n")
  return try #require(pipeline.stages.first)
}

func made(_ id: String, _ output: String, label: String? = nil) -> Reference {
  Reference(.stage(id: id, output: output), label: label)
}
