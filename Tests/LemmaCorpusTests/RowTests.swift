import LemmaBasics
import LemmaCorpus
import LemmaTestSupport
import Testing

@Suite("A row")
struct RowTests {
  let row = Row(
    problem: "Ann has 2 apples and 3 pears. How many fruits are there?", response: "2 + 3 = 5 fruits.\nThe answer is 5",
    answer: "5", solution: "2 + 3 = <<2+3=5>>5 fruits.\n#### 5",
    lineage: Lineage(
      operator: "metamath.fobar", seed: "s", parent: "p", depth: 1, teacher: Teacher(name: "symbolic", version: "1")),
    steps: 1, level: "Level 1", source: Source(name: "own", split: "train", row: 4, licence: "MIT"),
    checks: [Check(.steps, .pass, "1 step"), Check(.majority, .unknown)])

  @Test("comes back from its record unchanged")
  func roundTrip() throws {
    let again = try Row(json: row.json)
    #expect(again == row)
    #expect(again.json.canonicalBytes == row.json.canonicalBytes)
  }

  @Test("comes back from a file, in order")
  func files() throws {
    let space = TestSpace()
    let rows = [row, Row(problem: "p", response: "The answer is 1", answer: "1")]
    try Row.write(rows, to: space.file("rows.jsonl"))
    #expect(try Row.read(space.file("rows.jsonl")) == rows)
  }

  @Test("has another id when anything but its checks is another")
  func identity() throws {
    var ids: Set<String> = [row.id]
    let members = try #require(row.json.object)
    let changes: [String: JSON] = [
      "problem": "?", "response": "?", "answer": "6", "solution": "?", "seed": "t", "parent": "q", "depth": 2,
      "steps": 2,
      "level": "Level 2", "teacher": ["name": "symbolic", "version": "2"],
      "source": ["name": "own", "split": "train", "row": 5, "licence": "MIT"],
    ]
    for (key, value) in changes {
      var changed = members
      changed[key] = value
      changed["id"] = nil
      #expect(ids.insert(try Row(json: .object(changed)).id).inserted, "\(key) is not in the id")
    }
    var unchecked = row
    unchecked.checks = []
    #expect(unchecked.id == row.id)
    #expect(try Row(json: unchecked.json).id == row.id)
  }

  @Test(
    "is refused, with the reason, when its record cannot be one",
    arguments: [
      ("[]", "record-type"), ("{\"problem\":\"p\",\"response\":\"r\"}", "record-member"),
      ("{\"problem\":1,\"response\":\"r\",\"answer\":\"a\"}", "record-type"),
      ("{\"problem\":\"p\\u0000\",\"response\":\"r\",\"answer\":\"a\"}", "record-nul"),
      ("{\"problem\":\"p\",\"response\":\"r\",\"answer\":\"a\",\"steps\":-1}", "record-type"),
      ("{\"problem\":\"p\",\"response\":\"r\",\"answer\":\"a\",\"id\":\"00\"}", "row-altered"),
      (
        "{\"problem\":\"p\",\"response\":\"r\",\"answer\":\"a\",\"operator\":\"evol.x\",\"method\":\"xwin\"}",
        "row-method"
      ),
      (
        "{\"problem\":\"p\",\"response\":\"r\",\"answer\":\"a\",\"checks\":[{\"kind\":\"step\",\"verdict\":\"pass\"}]}",
        "record-word"
      ),
    ])
  func refusals(text: String, code: String) throws {
    let position = Position(file: "rows.jsonl", line: 3)
    let failure = try #require(throws: Failure.self) {
      try Row(json: JSON(parsing: text.utf8, file: "rows.jsonl"), at: position)
    }
    #expect(failure.code == code)
    #expect(failure.position == position)
  }

  @Test("suggests the member that was meant")
  func suggestion() throws {
    let failure = try #require(throws: Failure.self) {
      try Row(json: ["probelm": "p", "response": "r", "answer": "a"])
    }
    #expect(failure.hint == "is 'probelm' meant?")
  }
}

@Suite("Prompt and response")
struct ResponseFormatTests {
  @Test("are the same text in training and evaluation")
  func format() {
    #expect(ResponseFormat.response(steps: "1 + 1 = 2.", answer: "2") == "1 + 1 = 2.\nThe answer is 2")
    #expect(ResponseFormat.response(steps: "", answer: "2") == "The answer is 2")
    #expect(PromptTemplate.zeroShot.prompt(for: "Why?") == "Question: Why?\nAnswer:\n")
  }
}
