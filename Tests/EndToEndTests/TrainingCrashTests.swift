import Glibc
import LemmaBasics
import LemmaTestSupport
import Testing

/// A training of a second or two, whose state is kept every ten steps.
private func makeTraining() throws -> Project {
  let project = Project()
  try project.write(
    "lemma.yaml",
    """
    pipeline: training
    stages:
      seeds:
        uses: seeds
        with: { rows: 60, seed: 3 }
      tokenizer:
        uses: tokenizer
        in: { rows: "${stages.seeds.rows}" }
        with: { vocab_size: 400 }
      train:
        uses: sft
        in: { rows: "${stages.seeds.rows}", tokenizer: "${stages.tokenizer.tokenizer}" }
        with:
          model: { hidden_size: 32, intermediate_size: 64, num_hidden_layers: 2, num_attention_heads: 2, num_key_value_heads: 1 }
          precision: bfloat16
          dropout: 0.1
          steps: 150
          batch_size: 4
          context_length: 160
          save_steps: 10

    """)
  return project
}

/// The step of the state that the training would go on from; nil where there is none.
private func keptStep(_ project: Project) throws -> Int? {
  let actions = project.space.file("cache/actions")
  guard Files.exists(actions) else { return nil }
  for action in try Files.list(actions) {
    let file = "\(actions)/\(action)/resume/newest.json"
    if Files.exists(file) { return try JSON(parsing: Files.read(file), file: file)["records"]?["step"]?.int }
  }
  return nil
}

@Suite("A training that is killed")
struct TrainingCrashTests {
  @Test("kill -9 after kill -9: it goes on from what it kept, to the same bits")
  func killedAgainAndAgain() throws {
    let undisturbed = try makeTraining()
    try undisturbed.run()
    let expected = try undisturbed.digests()
    #expect(expected.keys.filter { $0.hasPrefix("train.") }.sorted() == ["train.events", "train.log", "train.model"])

    let project = try makeTraining()
    var random = SeededGenerator(seed: 4)
    var last = 0
    for kill in 1...4 {
      let running = try project.start("run")
      let goal = last + 10
      try wait(for: "a state of step \(goal)") { try keptStep(project) ?? 0 >= goal }
      usleep(UInt32.random(in: 0..<30_000, using: &random))
      running.send(SIGKILL)
      _ = try running.wait()
      // Whoever began anew would have replaced it by one of an earlier step.
      let step = try #require(try keptStep(project), "kill \(kill)")
      #expect(step >= goal, "kill \(kill)")
      last = step
    }
    #expect(try project.run() == ["train"])
    #expect(try project.digests() == expected)
    #expect(try keptStep(project) == nil, "what a finished training kept is gone")
    #expect(try project.lemma("audit", "train").status == 0)
  }
}
