import LemmaBasics
import LemmaCorpus
import LemmaEngine
import LemmaModel
import LemmaPipeline

/// `tokenizer`: learns a vocabulary from rows.
struct TokenizerStage: BuiltinStage {
  let implementation = 1
  let kind = StageKind(
    name: "tokenizer",
    summary: "Learns a byte-level BPE vocabulary; digits stay single tokens.",
    inputs: [.rows],
    outputs: [.init(name: "tokenizer", summary: "As Hugging Face's tokenizer.json.", fileName: "tokenizer.json")],
    parameters: [
      .init(
        name: "vocab_size", summary: "Tokens at most.",
        type: .integer(Int64(Tokenizer.leastVocabularySize)...1_000_000),
        defaultValue: 512)
    ])

  func run(_ context: StageContext) throws -> JSON {
    let rows = try Row.read(context.input("rows").path)
    let texts = rows.map { PromptTemplate.zeroShot.prompt(for: $0.problem) + $0.response }
    let tokenizer = try Tokenizer.train(texts: texts, vocabularySize: try Settings(context).int("vocab_size"))
    try Files.write(tokenizer.content, to: context.output("tokenizer"))
    return ["vocab_size": JSON(tokenizer.vocabularySize)]
  }
}
