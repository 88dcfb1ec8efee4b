import Glibc
import LemmaBasics
import LemmaTestSupport
import Testing

/// What `LemmaPipelineTests` tells of single mistakes is not repeated here: these are files as they come
/// damaged, from other tools, or with ill intent.
@Suite("Bad pipeline files are refused before anything runs")
struct BadPipelineFiles {
  private static let head = "pipeline: p\nstages:\n"
  private static let make = "pipeline: p\nstages: { a: { run: [make] } }\n"

  /// A name, the bytes, what is told.
  static let bytes: [(String, [UInt8], [String])] = [
    ("nothing", [], ["bad.yaml:1:1: the file holds no pipeline"]),
    ("NUL", Array("pipeline: p\u{0}\n".utf8), ["bad.yaml:1:12: the control character U+0000"]),
    (
      "UTF-16", Array("\u{FF}\u{FE}p\u{0}".unicodeScalars.map { UInt8($0.value) }),
      ["bad.yaml:1:1: the file is not valid UTF-8"]
    ),
    ("Latin-1", Array("pipeline: caf".utf8) + [0xE9, 0x0A], ["bad.yaml:1:14: the file is not valid UTF-8"]),
    ("an overlong slash", Array("pipeline: ".utf8) + [0xC0, 0xAF, 0x0A], ["not valid UTF-8"]),
    ("a surrogate", Array("pipeline: ".utf8) + [0xED, 0xA0, 0x80, 0x0A], ["not valid UTF-8"]),
    ("a cut character", Array("pipeline: ".utf8) + [0xE2, 0x82], ["not valid UTF-8"]),
    ("two byte order marks", Array("\u{FEFF}\u{FEFF}pipeline: p\n".utf8), ["byte order mark"]),
    ("old line ends", Array("pipeline: p\rstages: {}\r".utf8), ["a carriage return without a line feed"]),
    ("a bell", Array("pipeline: \u{7}\n".utf8), ["U+0007"]),
    ("ESC", Array("# \u{1B}[2Jall is well\npipeline: p\n".utf8), ["bad.yaml:1:3: the control character U+001B"]),
    ("C1", Array("pipeline: \u{9B}31m\n".utf8), ["U+009B"]),
    ("a change of direction", Array("pipeline: a\u{202E}b\n".utf8), ["U+202E"]),
    ("an isolate", Array("pipeline: a\u{2066}b\n".utf8), ["U+2066"]),
    ("a line separator", Array("pipeline: a\u{2028}stages: {}\n".utf8), ["U+2028"]),
    ("a private character", Array("pipeline: \u{E000}\n".utf8), ["U+E000"]),
    ("a noncharacter", Array("pipeline: \u{FFFE}\n".utf8), ["U+FFFE"]),
    ("gzip", [0x1F, 0x8B, 0x08, 0, 0, 0, 0, 0], ["not valid UTF-8"]),
    ("an ELF file", [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1, 0], ["control character"]),
    ("JSON, cut", Array("{\"pipeline\": \"p\", \"stages\": {".utf8), ["bad.yaml:"]),
    ("TOML", Array("[pipeline]\nname = \"p\"\n".utf8), ["bad.yaml:"]),
    ("XML", Array("<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY a \"b\">]><x>&a;</x>\n".utf8), ["must be a mapping"]),
    ("a shell script", Array("#!/bin/sh\nrm -rf /\n".utf8), ["must be a mapping"]),
    ("a half of it", Array(make.utf8.prefix(make.utf8.count - 6)), ["bad.yaml:"]),
    (
      "merge markers", Array("pipeline: p\n<<<<<<< HEAD\nstages: {}\n=======\nstages: {}\n>>>>>>> x\n".utf8),
      ["bad.yaml:"]
    ),
    ("two documents", Array((make + "---\n" + make).utf8), ["a second document"]),
    ("a pickle", [0x80, 0x04, 0x95, 0x1A], ["not valid UTF-8"]),
    ("tabs", Array("pipeline: p\nstages:\n\ta: 1\n".utf8), ["bad.yaml:3:1", "spaces, not tabs"]),
  ]

  @Test("bytes that are no pipeline")
  func damaged() throws {
    try HostileProject.expectClearErrors(
      BadPipelineFiles.bytes.map { name, bytes, tells in
        BadInput(name: name, files: ["bad.yaml": bytes], words: ["run", "bad.yaml"], status: 2, tells: tells)
      })
  }

  /// The text after the head of a file, what is told.
  static let texts: [(String, [String])] = [
    ("  a: { run: [make], uses: seeds }\n", ["both 'uses' and 'run'"]),
    ("  a: { run: [] }\n", ["'run' is empty"]),
    ("  a: { run: '' }\n", ["'run' is empty"]),
    ("  a: { run: [''] }\n", ["names no program"]),
    ("  a: { run: [make, [x]] }\n", ["bad.yaml:3:20"]),
    ("  a: { run: [make, {x: y}] }\n", ["bad.yaml:3:20"]),
    ("  a: { run: [make, null] }\n", ["bad.yaml:3:20"]),
    ("  a: { run: 7 }\n", ["must be a list of words or a script"]),
    ("  a: { run: !!python/object/apply:os.system [id] }\n", ["the tag"]),
    ("  a: { run: [make], env: { PATH: /tmp, PATH: /bin } }\n", ["stands twice"]),
    ("  a: { run: [make], env: { 'A=B': x } }\n", ["bad.yaml:3:"]),
    ("  a: { run: [make], env: { '': x } }\n", ["bad.yaml:3:"]),
    ("  a: { run: [make], env: { A: [x] } }\n", ["bad.yaml:3:"]),
    ("  a: { run: [make], env: { A: 'env:' } }\n", ["bad.yaml:3:"]),
    ("  a: { run: [make], env: { A: 'env:B C' } }\n", ["bad.yaml:3:"]),
    ("  a: { run: [make], env: { A: \"x\\0y\" } }\n", ["control character"]),
    ("  a: { run: [make], tools: make }\n", ["bad.yaml:3:"]),
    ("  a: { run: [make], resources: { cpus: 0 } }\n", ["bad.yaml:3:"]),
    ("  a: { run: [make], resources: { cpus: -1 } }\n", ["bad.yaml:3:"]),
    ("  a: { run: [make], resources: { cpus: 1e9 } }\n", ["bad.yaml:3:"]),
    ("  a: { run: [make], resources: { memory: 0 } }\n", ["bad.yaml:3:"]),
    ("  a: { run: [make], resources: { memory: 4Q } }\n", ["bad.yaml:3:"]),
    ("  a: { run: [make], resources: { memory: 99999999999999999999G } }\n", ["bad.yaml:3:"]),
    ("  a: { run: [make], resources: { gpus: 1 } }\n", ["unknown key 'gpus'"]),
    ("  a: { run: [make], matrix: { x: [] } }\n", ["has no values"]),
    ("  a: { run: [make], matrix: { x: [1, 1.0] } }\n", ["twice"]),
    ("  a: { run: [make], matrix: { x: ['a,b'] } }\n", ["cannot be a matrix value"]),
    ("  a: { run: [make], matrix: { x: [null] } }\n", ["must be texts, numbers or booleans"]),
    ("  a: { run: [make], matrix: { 'x y': [1] } }\n", ["cannot name a matrix key"]),
    ("  a: { run: [make], out: { o: ../o } }\n", ["leads upward"]),
    ("  a: { run: [make], out: { o: lemma.yaml/../../o } }\n", ["leads upward"]),
    ("  a: { run: [make], out: { o: bad.yaml } }\n", ["would overwrite the pipeline file"]),
    ("  a: { run: [make], out: { o: x }, in: { i: x } }\n", ["'x' is output 'o'"]),
    ("  a: { run: [make], in: { i: \"${stages.a.o}\" }, out: { o: x } }\n", ["in a circle"]),
    ("  a: { run: [make, \"${in.x}\"] }\n", ["has no input 'x'"]),
    ("  a: { run: [make, \"${env.HOME}\"] }\n", ["has no meaning here"]),
    ("  a: { run: [make, \"${params}\"] }\n", ["is no reference"]),
    ("  a: { run: [make, \"${}\"] }\n", ["is no reference"]),
    ("  a: { run: [make, \"${\"] }\n", ["is no reference"]),
    ("  a: { run: [make, \"${params.x.y.z}\"] }\n", ["there is no parameter 'x'"]),
    ("  a: { uses: seeds, with: { rows: 0 } }\n", ["bad.yaml:3:"]),
    (
      "  a: { uses: seeds, with: { rows: 5, min_steps: 3, max_steps: 2 } }\n", ["bad.yaml:3:", "more than 'max_steps'"]
    ),
    ("  a: { uses: seeds, with: { rows: ten } }\n", ["must be an integer"]),
    ("  a: { uses: seeds, with: { rows: 9223372036854775808 } }\n", ["must be an integer"]),
    ("  a: { uses: seeds, with: { rows: 10, seed: -1 } }\n", ["bad.yaml:3:"]),
    ("  a: { uses: seeds, wiht: { rows: 10 } }\n", ["did you mean 'with'?"]),
    (
      "  s: { uses: seeds, with: { rows: 9 } }\n"
        + "  a: { uses: synthesize, in: { seeds: \"${stages.s.rows}\" }, with: { rows: 9, methods: { metamth: 1 } } }\n",
      ["bad.yaml:4:", "there is no method 'metamth'", "is 'metamath' meant?"]
    ),
    (
      "  s: { uses: seeds, with: { rows: 9 } }\n"
        + "  a: { uses: synthesize, in: { seeds: \"${stages.s.rows}\" }, with: { rows: 9, methods: { evol: 0 } } }\n",
      ["bad.yaml:4:", "not all of them 0"]
    ),
    (
      "  s: { uses: seeds, with: { rows: 9 } }\n  a: { uses: sft, in: { rows: \"${stages.s.rows}\" } }\n",
      ["bad.yaml:4:", "a new model needs a tokenizer"]
    ),
    (
      "  s: { uses: seeds, with: { rows: 9 } }\n"
        + "  t: { uses: tokenizer, in: { rows: \"${stages.s.rows}\" } }\n"
        + "  a: { uses: sft, in: { rows: \"${stages.s.rows}\", tokenizer: \"${stages.t.tokenizer}\" }, "
        + "with: { model: { num_attention_heads: 4, num_key_value_heads: 3 } } }\n",
      ["bad.yaml:5:", "a multiple of num_key_value_heads"]
    ),
    (
      "  s: { uses: seeds, with: { rows: 9 } }\n"
        + "  t: { uses: tokenizer, in: { rows: \"${stages.s.rows}\" } }\n"
        + "  a: { uses: sft, in: { rows: \"${stages.s.rows}\", tokenizer: \"${stages.t.tokenizer}\" }, "
        + "with: { batch_size: 100000, context_length: 9000 } }\n",
      ["bad.yaml:5:", "batch_size"]
    ),
    (
      "  s: { uses: seeds, with: { rows: 9 } }\n"
        + "  t: { uses: tokenizer, in: { rows: \"${stages.s.rows}\" } }\n"
        + "  a: { uses: sft, in: { rows: \"${stages.s.rows}\", tokenizer: \"${stages.t.tokenizer}\" }, "
        + "with: { precision: bfloat16, model: { intermediate_size: 33 } } }\n",
      ["bad.yaml:5:", "intermediate_size must be even"]
    ),
    (
      "  s: { uses: seeds, with: { rows: 9 } }\n"
        + "  t: { uses: tokenizer, in: { rows: \"${stages.s.rows}\" } }\n"
        + "  a: { uses: sft, in: { rows: \"${stages.s.rows}\", tokenizer: \"${stages.t.tokenizer}\" }, "
        + "with: { patience: 2, eval_steps: 5 } }\n",
      ["bad.yaml:5:", "'patience' needs rows under 'held_out'"]
    ),
    (
      "  s: { uses: seeds, with: { rows: 9 } }\n"
        + "  t: { uses: tokenizer, in: { rows: \"${stages.s.rows}\" } }\n"
        + "  a: { uses: sft, in: { rows: \"${stages.s.rows}\", tokenizer: \"${stages.t.tokenizer}\" }, "
        + "with: { steps: 9, minutes: 2 } }\n",
      ["bad.yaml:5:", "give one of 'steps' and 'minutes'"]
    ),
    (
      "  s: { uses: seeds, with: { rows: 9 } }\n"
        + "  a: { uses: subset, in: { rows: \"${stages.s.rows}\" }, with: { min_steps: 4, max_steps: 2 } }\n",
      ["bad.yaml:4:", "'min_steps' is 4, more than 'max_steps', which is 2"]
    ),
    ("  \"a\\e[31m\": { run: [make] }\n", ["bad.yaml:3:3"]),
    ("  a/b: { run: [make] }\n", ["'a/b' cannot name a stage"]),
    ("  ../a: { run: [make] }\n", ["cannot name a stage"]),
    ("  \(String(repeating: "n", count: 200)): { run: [make] }\n", ["cannot name a stage", "at most 128"]),
    ("  -a: { run: [make] }\n", ["cannot name a stage"]),
    ("  <script>: { run: [make] }\n", ["cannot name a stage"]),
    ("  '': { run: [make] }\n", ["cannot name a stage"]),
    ("  ? [a]\n  : { run: [make] }\n", ["a key must be text"]),
    (
      "  a: { run: [make, sk-proj-Abcdefghijklmnopqrstuvwxyz0123456789] }\n", ["bad.yaml:3:", "an API key", "env:NAME"]
    ),
    ("  a: { run: [make], env: { T: hf_AbCdEfGhIjKlMnOpQrStUvWxYzAbCdEfGh } }\n", ["a token of Hugging Face"]),
    ("  a: { run: [make] } # AKIAABCDEFGHIJKLMNOP\n", ["bad.yaml:3:", "an access key of AWS"]),
  ]

  @Test("texts that are no pipeline")
  func texts() throws {
    try HostileProject.expectClearErrors(
      BadPipelineFiles.texts.map { text, tells in
        BadInput(
          name: text, files: ["bad.yaml": Array((BadPipelineFiles.head + text).utf8)], words: ["run", "bad.yaml"],
          status: 2, tells: tells)
      })
  }

  @Test("what is no file at all")
  func notFiles() throws {
    let project = HostileProject()
    try project.begin()
    try project.shell(
      "mkdir folder.yaml; mkfifo fifo.yaml; ln -s loop.yaml loop.yaml; ln -s nowhere dangling.yaml; ln -s /dev/zero z.yaml"
    )
    for (name, told) in [
      ("folder.yaml", "not a regular file"), ("fifo.yaml", "not a regular file"), ("loop.yaml", "symbolic links"),
      ("dangling.yaml", "there is no 'dangling.yaml'"), ("z.yaml", "not a regular file"),
    ] {
      for command in ["run", "check", "plan", "status", "graph"] {
        let output = try project.lemma([command, name])
        expectClear(output, "\(command) \(name)", status: name == "loop.yaml" ? 3 : 2, tells: [told])
      }
    }
    try project.expectUnharmed()
  }

  @Test("with --json every failure is an object of one form, on standard output")
  func json() throws {
    let project = HostileProject()
    try project.begin()
    try project.write("bad.yaml", "pipeline: p\nstages:\n  a: { usse: seeds }\n  b: { uses: sfft }\n")
    for command in ["check", "plan", "status", "run"] {
      let output = try project.lemma([command, "bad.yaml", "--json"])
      #expect(output.status == 2)
      let errors = try #require(JSON(parsing: output.out.utf8, file: command)["errors"]?.array)
      #expect(errors.map { $0["code"] } == ["unknown-key", "unknown-kind"])
      #expect(
        errors.first == [
          "kind": "user", "code": "unknown-key", "message": "unknown key 'usse' in stage 'a'", "file": "bad.yaml",
          "line": 3, "column": 8, "hint": "did you mean 'uses'?",
        ])
    }
    for words in [
      ["show", "x"], ["audit", "x"], ["why", "x", "good.yaml"], ["graph", "no.yaml", "--format", "json"],
    ] {
      let output = try project.lemma(words + (words[0] == "graph" ? [] : ["--json"]))
      #expect(output.status == 2)
      #expect(try JSON(parsing: output.out.utf8, file: words[0])["errors"]?.array?.count == 1, "\(words)")
    }
    try project.write("fails.yaml", "pipeline: p\nstages:\n  a: { run: 'exit 3', out: { o: o.txt } }\n")
    let failed = try project.lemma(["run", "fails.yaml", "--json"])
    #expect(failed.status == 1)
    let errors = try JSON(parsing: failed.out.utf8, file: "run")["errors"]?.array
    #expect(errors?.first?["code"] == "command-failed" && errors?.first?["line"] == 3)
  }
}
