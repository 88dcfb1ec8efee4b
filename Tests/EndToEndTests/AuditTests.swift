import Glibc
import LemmaBasics
import LemmaTestSupport
import Testing

/// rows -> double (a dataset with parents) -> count (a metric)
private func makeProject() throws -> Project {
  let project = Project()
  try project.write("rows.jsonl", "{\"id\":\"a\",\"n\":1}\n{\"id\":\"b\",\"n\":2}\n")
  try project.write(
    "lemma.yaml",
    """
    pipeline: audited
    sources:
      rows: { path: rows.jsonl, license: MIT }
    stages:
      derive:
        run: 'sed -E "s/.id.:.(.)./\\"id\\":\\"x\\1\\",\\"parent\\":\\"\\1\\"/" ${in.rows} > ${out.rows}'
        in: { rows: "${sources.rows}" }
        out: { rows: results/derived.jsonl }
      count:
        run: 'echo "{\\"rows\\": $(wc -l < ${in.rows})}" > ${out.metrics}'
        in: { rows: "${stages.derive.rows}" }
        out: { metrics: results/metrics.json }

    """)
  try project.run()
  return project
}

@Suite("Audit: a number back to its sources, or the object at fault by name")
struct AuditTests {
  @Test(
    "a sound number: exit 0, and the whole way is shown",
    arguments: ["count.rows", "results/metrics.json", "count", "rows"])
  func sound(target: String) throws {
    let project = try makeProject()
    let output = try project.lemma("audit", target)
    #expect(output.status == 0, "\(output.out)")
    for word in ["derive.rows", "source rows", "sound", "2 rows, every parent found"] {
      #expect(output.out.contains(word))
    }
    let json = try JSON(parsing: project.lemma("audit", target, "--json").out.utf8, file: "audit")
    #expect(json["sound"] == true && json["steps"]?.array?.count == 2)
  }

  @Test("a flipped byte in any object on the way is named, and a run never serves it")
  func flippedObject() throws {
    let project = try makeProject()
    let expected = try project.digests()
    let objects = try StoredObject.all(in: project.space.file("cache")).filter { $0.size > 0 }
    #expect(objects.count >= 5)
    for object in objects {
      try object.flip()
      let audit = try project.lemma("audit", "count.rows")
      #expect(
        audit.status == 1 && audit.out.contains("object \(object.digest)") && audit.out.contains("altered"),
        "\(audit.out)")
      #expect(try project.digests() == expected)
      #expect(try project.read("results/metrics.json") == "{\"rows\": 2}\n")
    }
  }

  @Test("an altered object is rebuilt even when the workspace has lost it too")
  func rebuilt() throws {
    let project = try makeProject()
    let expected = try project.digests()
    let bytes = try Files.read(project.space.file("results/derived.jsonl"))
    let objects = try StoredObject.all(in: project.space.file("cache"))
    try #require(try objects.first { try $0.read() == bytes }).flip()
    unlink(project.space.file("results/derived.jsonl"))
    #expect(try project.run() == ["derive"])
    #expect(try project.digests() == expected)
  }

  @Test("a byte flipped in a ledger commit is named")
  func flippedCommit() throws {
    let project = try makeProject()
    try project.run("--force", "count")
    let commits = try Command.run(
      ["git", "--git-dir", "cache/ledger.git", "log", "--format=%H", "refs/lemma/runs"], in: project.space.path
    ).out
    for commit in commits.split(separator: "\n") {
      let object = "cache/ledger.git/objects/\(commit.prefix(2))/\(commit.dropFirst(2))"
      let path = project.space.file(object)
      let before = try Files.read(path)
      try Digests.flip(object, in: project)
      let audit = try project.lemma("audit", "count.rows")
      #expect(audit.status == 3 && audit.error.contains(commit), "\(audit.error)")
      try Files.write(before, to: path)
    }
    #expect(try project.lemma("audit", "count.rows").status == 0)
  }

  @Test("a ledger that was rolled back is noticed")
  func rollback() throws {
    let project = try makeProject()
    try project.run("--force", "count")
    _ = try Command.run(
      ["git", "--git-dir", "cache/ledger.git", "update-ref", "refs/lemma/runs", "refs/lemma/runs~1"],
      in: project.space.path)
    let audit = try project.lemma("audit", "count.rows")
    #expect(audit.status == 1 && audit.out.contains("rolled back"))
  }

  @Test("a rollback stays visible after the next run")
  func rollbackThenRun() throws {
    let project = try makeProject()
    try project.run("--force", "count")
    let git = ["git", "--git-dir", "cache/ledger.git", "update-ref"]
    _ = try Command.run(git + ["refs/lemma/runs", "refs/lemma/runs~1"], in: project.space.path)
    try project.run()
    let audit = try project.lemma("audit", "count.rows")
    #expect(audit.status == 1 && audit.out.contains("rolled back"))
    _ = try Command.run(git + ["-d", "refs/lemma/runs"], in: project.space.path)
    let gone = try project.lemma("audit", "count.rows")
    #expect(gone.status == 3 && gone.error.contains("the ledger is gone"), "\(gone)")
  }

  @Test("a number forged in the index is not the one of the metrics file")
  func forgedIndex() throws {
    let project = try makeProject()
    let edit = "update results set result = replace(result, '\"rows\":2', '\"rows\":9')"
    #expect(try Command.run(["sqlite3", "cache/index.sqlite", edit], in: project.space.path).status == 0)
    try Files.remove(project.space.file("cache/snapshots"))
    try project.run()
    let audit = try project.lemma("audit", "count.rows")
    #expect(audit.status == 1, "\(audit.out)")
    #expect(audit.out.contains("stage count: its recorded metrics are not those of its metrics file"))
    #expect(audit.out.contains("its result is not the one that run 1 recorded"))
  }

  @Test("a run that did not reach the number does not hide the one that did")
  func interruptedLater() throws {
    let project = try makeProject()
    try project.edit("lemma.yaml", "run: 'sed", "run: 'false; sed")
    try project.run(expecting: 1)
    let audit = try project.lemma("audit", "count.rows")
    #expect(audit.status == 0 && audit.out.contains("the newest run with this result is run 1"), "\(audit.out)")
  }

  @Test("a run in a repository says on which version of the project it stood")
  func projectCommit() throws {
    let project = Project()
    let git = { (words: String...) in try Command.run(["git"] + words, in: project.space.path).out }
    try project.write("lemma.yaml", "pipeline: p\nstages:\n  a: { run: 'echo 1 > ${out.o}', out: { o: o.txt } }\n")
    _ = try git("init", "-q", ".")
    _ = try git("add", "lemma.yaml")
    _ = try git("-c", "user.name=n", "-c", "user.email=e@e", "commit", "-q", "-m", "one")
    try project.run()
    let shown = try JSON(parsing: project.lemma("show", "--json").out.utf8, file: "show --json")
    #expect(
      try shown["project_commit"]?.string == git("rev-parse", "HEAD").split(separator: "\n").first.map(String.init))
    #expect(try git("log", "--oneline").split(separator: "\n").count == 1)
  }

  @Test("a source that changed since is said, and is no fault")
  func changedSource() throws {
    let project = try makeProject()
    try project.write("rows.jsonl", "{\"id\":\"c\"}\n")
    let audit = try project.lemma("audit", "count.rows")
    #expect(audit.status == 0 && audit.out.contains("'rows.jsonl' has changed since"))
  }

  @Test("an edited report in the workspace is not what was made")
  func editedReport() throws {
    let project = try makeProject()
    try project.write("results/metrics.json", "{\"rows\": 3}\n")
    let audit = try project.lemma("audit", "results/metrics.json")
    #expect(audit.status == 1 && audit.out.contains("results/metrics.json: the workspace's file is not the one"))
  }

  @Test("a row whose parent is in no input is named")
  func lostParent() throws {
    let project = try makeProject()
    try project.edit(
      "lemma.yaml", "${in.rows} > ${out.rows}'", "${in.rows} | sed \"s/:.a.,.n/:\\\"zz\\\",\\\"n/\" > ${out.rows}'")
    try project.run()
    let audit = try project.lemma("audit", "count.rows")
    #expect(audit.status == 1 && audit.out.contains("name parents that no input has, such as zz"), "\(audit.out)")
  }

  @Test("what does not exist is refused with the nearest name")
  func unknown() throws {
    let project = try makeProject()
    let audit = try project.lemma("audit", "count.row")
    #expect(audit.status == 2 && audit.error.contains("did you mean 'count.rows'?"), "\(audit.error)")
    #expect(try Project().lemma("audit", "x").error.contains("nothing has been run here yet"))
  }
}
