import LemmaTestSupport
import Testing

@Suite("Bad arguments are refused with the way out")
struct BadArguments {
  /// The words, the exit code, what is told.
  static let table: [([String], Int32, [String])] = [
    (["rum"], 64, ["there is no command 'rum'", "did you mean 'lemma run'?"]),
    (["Run"], 64, ["did you mean 'lemma run'?"]),
    (["chekc"], 64, ["did you mean 'lemma check'?"]),
    (["stats"], 64, ["did you mean 'lemma status'?"]),
    (["teleport"], 64, ["commands: init, check"]),
    ([""], 64, ["there is no command ''"]),
    ([" run"], 64, ["there is no command ' run'"]),
    ([String(repeating: "a", count: 100_000)], 64, ["there is no command"]),
    (["\u{1B}[31mrun"], 64, ["\\u{1b}[31mrun"]),
    (["run\u{202E}"], 64, ["\\u{202e}"]),
    (["run\n"], 64, ["there is no command"]),
    (["--frobnicate"], 64, ["--frobnicate"]),
    (["-x"], 64, ["-x"]),
    (["run", "--jbos", "2"], 64, ["Did you mean '--jobs'"]),
    (["run", "--jobs"], 64, ["--jobs"]),
    (["run", "--jobs", "0"], 64, ["at least 1"]),
    (["run", "--jobs", "-1"], 64, ["jobs"]),
    (["run", "--jobs", "two"], 64, ["two"]),
    (["run", "--jobs", "99999999999999999999"], 64, ["99999999999999999999"]),
    (["run", "--jobs", "1.5"], 64, ["1.5"]),
    (["run", "--jobs", ""], 64, ["jobs"]),
    (["run", "--quiet=yes"], 64, ["--quiet"]),
    (["run", "good.yaml", "another.yaml"], 64, ["another.yaml"]),
    (["run", "--\u{1B}[2J"], 64, ["\\u{1b}[2J"]),
    (["run", "good.yaml", "--json", "--jsn"], 64, ["--json"]),
    (["run", "missing.yaml"], 2, ["there is no 'missing.yaml'"]),
    (["run", "missing\u{1B}[31m.yaml"], 2, ["\\u{1b}[31m"]),
    (["run", ""], 2, [""]),
    (["run", "."], 2, ["not a regular file"]),
    (["run", "/dev/zero"], 2, ["not a regular file"]),
    (["run", "/dev/full"], 2, ["not a regular file"]),
    (["run", "/proc/self/mem"], 2, [""]),
    (["run", String(repeating: "d/", count: 3000) + "p.yaml"], 3, ["File name too long"]),
    (["run", String(repeating: "n", count: 300)], 3, ["File name too long"]),
    (["run", "good.yaml", "--project", "missing"], 2, ["there is no folder 'missing'"]),
    (["run", "good.yaml", "--project", ""], 2, ["folder"]),
    (["run", "good.yaml", "--project", "good.yaml"], 3, ["good.yaml"]),
    (["run", "good.yaml", "--store", "good.yaml"], 3, ["good.yaml"]),
    (["run", "good.yaml", "--store", "/proc/nowhere"], 3, ["/proc"]),
    (["check", "good.yaml", "--param", "a"], 2, ["name=value"]),
    (["check", "good.yaml", "--param", "=1"], 2, ["name=value"]),
    (["check", "good.yaml", "--param", ""], 2, ["name=value"]),
    (["check", "good.yaml", "--param"], 64, ["--param"]),
    (["check", "good.yaml", "--param", "n=1"], 2, ["no parameter 'n'"]),
    (["plan", "missing.yaml"], 2, ["there is no 'missing.yaml'"]),
    (["status", "missing.yaml"], 2, ["there is no 'missing.yaml'"]),
    (["why"], 64, ["stage"]),
    (["why", "c", "good.yaml"], 2, ["c"]),
    (["why", "", "good.yaml"], 2, [""]),
    (["why", "a[", "good.yaml"], 2, ["a["]),
    (["why", String(repeating: "s", count: 100_000), "good.yaml"], 2, [""]),
    (["log", "--limit", "0"], 64, ["at least 1"]),
    (["log", "--limit", "-3"], 64, [""]),
    (["log", "--limit", "x"], 64, ["x"]),
    (["show", "nothing"], 2, ["nothing"]),
    (["show", "--run", "99"], 2, ["there is no run '99'", "lemma log"]),
    (["show", "--run", "@~99"], 2, ["there is no run '@~99'"]),
    (["show", "--run", "@~-1"], 2, ["there is no run"]),
    (["show", "--run", "@~99999999999999999999"], 2, ["there is no run"]),
    (["show", "--run", ""], 2, ["there is no run ''"]),
    (["show", "--run", "#"], 2, ["there is no run"]),
    (["show", "--run", "refs/heads/main"], 2, ["there is no run"]),
    (["show", "--run", "'; drop table results; --"], 2, ["there is no run"]),
    (["show", "'; drop table results; --"], 2, ["has no stage"]),
    (["audit"], 64, ["what"]),
    (["audit", "../../etc/passwd"], 2, ["has no stage"]),
    (["audit", "a.accuracy"], 2, ["has no stage"]),
    (["audit", "results/good/a.txt", "--run", "7"], 2, ["there is no run '7'"]),
    (["audit", "\u{1B}]0;x\u{7}"], 2, ["\\u{1b}]0;x\\u{7}"]),
    (["graph", "good.yaml", "--format", "png"], 64, ["png"]),
    (["graph", "missing.yaml"], 2, ["there is no 'missing.yaml'"]),
    (["kinds", "sftt"], 2, ["did you mean 'sft'?"]),
    (["kinds", "nothing-like-it"], 2, ["there is no stage kind"]),
    (["schema", "extra"], 64, ["extra"]),
    (["init", "good.yaml"], 3, ["good.yaml"]),
    (["init", "/proc/nowhere"], 3, ["/proc"]),
  ]

  @Test("every command's arguments")
  func arguments() throws {
    try HostileProject.expectClearErrors(
      BadArguments.table.map {
        BadInput(name: "\($0.0)".prefix(200).description, words: $0.0, status: $0.1, tells: $0.2)
      })
  }

  /// A value of `--param`, and what is told.
  static let parameters: [(String, [String])] = [
    ("count=", ["'count' is an integer in the file and needs a value", "--param count=7"]),
    ("count= ", ["needs a value"]),
    ("count=seven", ["cannot become the text 'seven'"]),
    ("count=7.5e400", ["beyond the numbers"]),
    ("count=0x10", ["disagree"]),
    ("count=017", ["disagree"]),
    ("count=1:30", ["disagree"]),
    ("count=1_000", ["disagree"]),
    ("count=yes", ["disagree"]),
    ("count=[1]", ["cannot become a list"]),
    ("count={a: 1}", ["cannot become a mapping"]),
    ("count=&a 1", ["anchors"]),
    ("count=*a", ["aliases"]),
    ("count=!!int 7", ["tag"]),
    ("count=7\u{0B}", ["control character"]),
    ("count=7\n--- 8", [""]),
    ("count=${params.name}", ["has no meaning here"]),
    ("ratio=.nan", ["not a finite number"]),
    ("ratio=.inf", ["not a finite number"]),
    ("ratio=1e999", ["beyond the numbers"]),
    ("quick=True", ["disagree"]),
    ("quick=on", ["disagree"]),
    ("sizes=500", ["cannot become the integer 500"]),
    ("sizes=[500", ["not valid YAML"]),
    ("sizes=" + String(repeating: "[", count: 5000), ["nested deeper"]),
    ("sizes=[" + String(repeating: "1,", count: 60_000) + "1]", [""]),
    ("name=\u{1B}[31m", ["control character"]),
    ("name=a\u{202E}b", ["invisible character"]),
    ("name=ghp_" + String(repeating: "a1B2", count: 9), ["looks like a token of GitHub", "env:NAME"]),
    ("name=https://me:secret-word@example.org/", ["a URL with a password"]),
    ("nmae=x", ["did you mean 'name'?"]),
    ("", ["name=value"]),
    ("=", ["name=value"]),
    ("naïve=1", ["no parameter"]),
    ("a.b=1", ["no parameter"]),
    (String(repeating: "p", count: 100_000) + "=1", ["no parameter"]),
  ]

  @Test("every form of --param")
  func overriding() throws {
    let file = """
      pipeline: p
      params: { count: 7, ratio: 0.5, quick: true, sizes: [1, 2], name: text }
      stages: { a: { run: [make, "${params.name}"] } }

      """
    try HostileProject.expectClearErrors(
      BadArguments.parameters.map { value, tells in
        // One of them is not bad: a list as long as the pipeline's stages may be.
        let isGood = value.hasPrefix("sizes=[1,")
        return BadInput(
          name: String(value.prefix(100)), files: ["bad.yaml": Array(file.utf8)],
          words: ["check", "bad.yaml", "--param", value], status: isGood ? 0 : 2, tells: tells)
      })
  }
}
