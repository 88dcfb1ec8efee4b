import Glibc
import LemmaBasics
import LemmaTestSupport
import Testing

@Suite("Secrets are found nowhere")
struct SecretTests {
  /// Values that a variable passes to a command: without a shape that would tell them.
  static let values = [
    "PLAIN": "correct-horse-battery", "NUMBERS": "8271640935", "SPACES": "two words and more",
    "SIGNS": "a$b'c\"d\\e%f&g<h>",
    "UNICODE": "schlüssel-größe-ß", "LONG": String(repeating: "long-secret/", count: 400), "SHORT": "q7w8",
    "LINES": "first line of it\nsecond line of it", "URLISH": "p@ss/w?rd#12",
  ]

  /// Texts that look like keys, and the part that must not be found.
  static let shapes: [(text: String, secret: String)] = [
    ("sk-proj-Abcdef0123456789Ghijkl", "Abcdef0123456789Ghijkl"),
    ("sk-ant-api03-ZYXwvu9876543210", "ZYXwvu9876543210"),
    ("ghp_CanaryCanaryCanaryCanaryCanary012345", "CanaryCanaryCanaryCanaryCanary012345"),
    ("gho_OtherOtherOtherOtherOtherOther012345", "OtherOtherOtherOtherOtherOther012345"),
    ("ghs_ServerServerServerServerServer012345", "ServerServerServerServerServer012345"),
    ("github_pat_11ABCDEFG0123456789_abcdefghij", "11ABCDEFG0123456789_abcdefghij"),
    ("glpat-Abcdefghij0123456789", "Abcdefghij0123456789"),
    ("hf_AbCdEfGhIjKlMnOpQrStUvWxYzAbCdEfGh", "AbCdEfGhIjKlMnOpQrStUvWxYzAbCdEfGh"),
    ("AKIAQWERTYUIOPASDFGH", "QWERTYUIOPASDFGH"),
    ("ASIAZXCVBNMASDFGHJKL", "ZXCVBNMASDFGHJKL"),
    ("AIzaSyA-abcdefghijklmnopqrstuvwxyz01234", "SyA-abcdefghijklmnopqrstuvwxyz01234"),
    ("xoxb-123456789012-abcdefGHIJKL", "123456789012-abcdefGHIJKL"),
    ("npm_abcdefghijklmnopqrstuvwxyz0123456789", "abcdefghijklmnopqrstuvwxyz0123456789"),
    ("Authorization: Bearer abcDEF123456.ghiJKL789", "abcDEF123456.ghiJKL789"),
    ("authorization: bearer lowerCASE0123456789", "lowerCASE0123456789"),
    ("https://someone:pass-word-123@example.org/data", "pass-word-123"),
    ("postgres://admin:hunter2hunter2@db:5432/x", "hunter2hunter2"),
    ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJlLWNhbmFyeQ", "c2lnbmF0dXJlLWNhbmFyeQ"),
    (
      "-----BEGIN PRIVATE KEY-----|MIIEvQIBADANBgkqhkiG9w0BCanary|-----END PRIVATE KEY-----",
      "MIIEvQIBADANBgkqhkiG9w0BCanary"
    ),
    ("-----BEGIN OPENSSH PRIVATE KEY-----|b3BlbnNzaC1rZXktdjEAAAAAcanary", "b3BlbnNzaC1rZXktdjEAAAAAcanary"),
    ("?api_key=sk-Zyxwvutsrq0123456789Ponm&x=1", "Zyxwvutsrq0123456789Ponm"),
  ]

  private static var environment: String { values.keys.sorted().map { "\($0): \"env:\($0)\"" }.joined(separator: ", ") }

  /// Everything that a project keeps, as text: files as they are, and what git packs into its objects.
  private func kept(_ project: HostileProject, but own: [String]) throws -> String {
    let skipped = own.map { "-not -name '\($0)'" }.joined(separator: " ")
    let files = try project.shell("find . \(skipped) -type f -print0 | sort -z | xargs -0 cat; find . -type f")
    let runs = try project.shell("git --git-dir cache/ledger.git cat-file --batch-all-objects --batch")
    #expect(runs.out.contains("run.json") || runs.out.contains("Lemma-Run"), "the ledger was read")
    return files.out + runs.out
  }

  private func expectNone(_ secrets: [String], in text: String, _ what: String) {
    for secret in secrets {
      for line in secret.split(separator: "\n") {
        #expect(!text.contains(line), "\(what) holds \(line.prefix(40))")
      }
    }
  }

  /// Commands print bytes that are no text, too.
  private func looks(_ project: HostileProject) throws -> String {
    try [
      ["status"], ["plan"], ["log"], ["show"], ["show", "--json"], ["show", "a"], ["show", "a", "--json"],
      ["why", "a"], ["graph"],
    ]
    .map { try project.lemma($0, environment: SecretTests.values) }.map { $0.out + $0.error }.joined()
  }

  @Test("the values of env:NAME, printed by a command that ends well, fails, or is asked about", arguments: [0, 3])
  func printed(status: Int) throws {
    let project = HostileProject()
    let names = SecretTests.values.keys.sorted()
    let script = names.map { "echo \\\"[$\($0)]\\\"; echo \\\"$\($0)$\($0)\\\" >&2" }.joined(separator: "; ")
    try project.write(
      "lemma.yaml",
      """
      pipeline: p
      stages:
        a: { run: "\(script); echo done > ${out.o}; exit \(status)", env: { \(SecretTests.environment) }, out: { o: results/o.txt } }

      """)
    let output = try project.lemma(["run"], environment: SecretTests.values)
    #expect(output.status == (status == 0 ? 0 : 1), "\(output)")
    if status != 0 { #expect(output.error.contains("***PLAIN***"), "\(output.error)") }
    let json = try project.lemma(["run", "--json"], environment: SecretTests.values)
    let shown = try output.out + output.error + json.out + json.error + looks(project)
    let values = Array(SecretTests.values.values)
    expectNone(values, in: shown, "the terminal")
    expectNone(values, in: try kept(project, but: ["lemma.yaml"]), "the store")
  }

  @Test(
    "a result that holds a secret is refused and not kept",
    arguments: [
      "echo \"$PLAIN\" > ${out.o}", "mkdir ${out.o}; echo \"$LONG\" > ${out.o}/x",
      "mkdir ${out.o}; echo 1 > \"${out.o}/$NUMBERS\"",
      "printf '%s' \"$LINES\" > ${out.o}", "head -c 1048570 /dev/zero > ${out.o}; printf '%s' \"$SPACES\" >> ${out.o}",
    ])
  func inOutputs(script: String) throws {
    let project = HostileProject()
    try project.write(
      "lemma.yaml",
      """
      pipeline: p
      stages:
        a:
          run: |
            \(script)
          env: { \(SecretTests.environment) }
          out: { o: results/o }

      """)
    let output = try project.lemma(["run"], environment: SecretTests.values)
    #expect(output.status == 1)
    #expect(output.error.contains("its output 'o' holds the secret"), "\(output.error)")
    let values = Array(SecretTests.values.values)
    expectNone(values, in: try output.error + looks(project), "the terminal")
    expectNone(values, in: try kept(project, but: ["lemma.yaml"]), "the store")
  }

  @Test("a secret in a metric's name is refused as any output is")
  func inMetrics() throws {
    let project = HostileProject()
    try project.write(
      "lemma.yaml",
      """
      pipeline: p
      stages:
        a: { run: 'printf "{\\"%s\\": 1}" "$PLAIN" > ${out.metrics}', env: { PLAIN: env:PLAIN }, out: { metrics: m.json } }

      """)
    let output = try project.lemma(["run"], environment: SecretTests.values)
    #expect(output.status == 1)
    expectNone(
      ["correct-horse-battery"], in: try output.error + looks(project) + kept(project, but: ["lemma.yaml"]), "a metric")
  }

  @Test("what looks like a key in what a command prints, whether it ends well or fails", arguments: [0, 3])
  func shapesPrinted(status: Int) throws {
    let project = HostileProject()
    // Twelve lines of a log are told; so they are printed in small portions.
    for portion in stride(from: 0, to: SecretTests.shapes.count, by: 5) {
      let shapes = SecretTests.shapes[portion..<min(portion + 5, SecretTests.shapes.count)]
      let text = shapes.map { $0.text.replacing("|", with: "\n") }.joined(separator: "\n")
      try project.write("said.txt", text + "\n")
      try project.write(
        "lemma.yaml",
        "pipeline: p\nstages:\n  a: { run: 'cat ${in.i}; cat ${in.i} >&2; echo \(portion) > ${out.o}; exit \(status)', in: { i: said.txt }, out: { o: results/o.txt } }\n"
      )
      let output = try project.lemma(["run"])
      #expect(output.status == (status == 0 ? 0 : 1), "\(output)")
      if status != 0 { #expect(output.error.contains("***"), "\(output.error)") }
      let secrets = shapes.map(\.secret)
      expectNone(secrets, in: try output.out + output.error + looks(project), "the terminal")
      // The input is kept as it is: it is data. The log and the ledger are not.
      try Files.remove(project.space.file("said.txt"))
      let logs = try project.shell(
        "find cache -type f -not -path 'cache/ledger.git/*' -print0 | xargs -0 grep -laF -e '\(secrets[0])'")
      #expect(logs.out.split(separator: "\n").count <= 1, "the log is kept with a key: \(logs.out)")
      expectNone(
        secrets, in: try project.shell("git --git-dir cache/ledger.git cat-file --batch-all-objects --batch").out,
        "the ledger")
    }
  }

  @Test(
    "what looks like a key in a pipeline file is refused with the way out, and not repeated", arguments: shapes.indices)
  func inFiles(index: Int) throws {
    let shape = SecretTests.shapes[index]
    let project = HostileProject()
    let text = shape.text.replacing("|", with: "\\n")
    let files = [
      "params: { token: \"\(text)\" }\nstages: { a: { run: [make] } }\n",
      "stages: { a: { run: [curl, -H, \"\(text)\"] } }\n",
      "stages: { a: { run: [make], env: { TOKEN: \"\(text)\" } } }\n",
      "# \(text)\nstages: { a: { run: [make] } }\n",
    ]
    for file in files {
      try project.write("lemma.yaml", "pipeline: p\n" + file)
      for command in ["check", "run"] {
        let output = try project.lemma([command])
        expectClear(output, "\(shape.text) \(command)", status: 2, tells: ["this looks like", "env:NAME"])
        expectNone([shape.secret], in: output.error, "the error")
      }
    }
    #expect(!project.exists("cache/ledger.git"))
    try project.write("lemma.yaml", "pipeline: p\nparams: { token: none }\nstages: { a: { run: [make] } }\n")
    let output = try project.lemma(["check", "--param", "token=\(shape.text.replacing("|", with: "\n"))"])
    expectClear(output, shape.text, status: 2, tells: ["env:NAME"])
    expectNone([shape.secret], in: output.error, "the error")
  }

  static let innocent = [
    "sk-learn-models/experiment-2024-baseline-v2", "task-abcdefghijklmnopqrstuvwxyz",
    "risk-Assessment-2024-Final-Version-3",
    "hf_tokenizer_fast_path", "ghp_short", "AKIA", "AKIAlowercaseletters", "bearer of good news and of bad",
    "https://example.org/a@b:c", "ssh://git@example.org/x.git", "https://user@example.org/", "mailto:a:b@example.org",
    "https://${params.user}:${params.word}@example.org", "eyJ is how base 64 begins", "-----BEGIN CERTIFICATE-----",
    "npm_config_cache",
  ]

  @Test("what only resembles a key is let through", arguments: innocent)
  func lets(text: String) throws {
    #expect(KeyShapes.redact(text) == text)
  }

  @Test("a key right behind another is struck out too")
  func neighbours() {
    let clean = KeyShapes.redact("AKIAQWERTYUIOPASDFGHsk-proj-Abcdef0123456789Ghijkl")
    #expect(clean == "AKIA***sk-***")
    #expect(KeyShapes.redact(clean) == clean)
    // What is struck out ends the run of what stands before it.
    let run = "-AIzaSeyJ--ciA-eyJOhJhAIzaSyA-eiA-n-AIzaSeyJ--ciA-eyJOhJhAIzaSyA-e----ciA-O."
    #expect(KeyShapes.redact(KeyShapes.redact(run)) == KeyShapes.redact(run))
  }

  @Test("a text made of nothing but beginnings of keys takes no more than its length")
  func beginnings() {
    for part in ["sk-", "eyJ-", "Bearer ", "x://a:", "-----BEGIN ", "ghp_", "bearer:x."] {
      let text = String(repeating: part, count: 20_000)
      #expect(KeyShapes.redact(text).utf8.count <= text.utf8.count + 10, "\(part)")
    }
  }
}
