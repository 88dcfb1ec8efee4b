import Glibc
import LemmaBasics
import LemmaCorpus
import LemmaEngine
import LemmaHash
import LemmaModel
import LemmaPipeline

// Entry point of libFuzzer (https://llvm.org/docs/LibFuzzer.html) for every reader of what others wrote.
// `scripts/fuzz` builds and runs it; `LEMMA_FUZZ` names the reader. A reader may refuse anything; it may
// not crash, and what it takes must keep what is promised of it.

private let targets: [String: @Sendable ([UInt8]) -> Void] = [
  "pipeline": pipeline, "tree": tree, "json": json, "rows": rows, "result": result, "keys": keys,
  "safetensors": safetensors, "gguf": gguf, "index": index, "chat": chat,
  "tokenizer": tokenizer,
]

private let target: @Sendable ([UInt8]) -> Void = {
  let name = getenv("LEMMA_FUZZ").map { String(cString: $0) } ?? ""
  guard let target = targets[name] else {
    fatalError("LEMMA_FUZZ must be one of \(targets.keys.sorted().joined(separator: ", "))")
  }
  return target
}()

@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  target(Array(UnsafeBufferPointer(start: start, count: count)))
  return 0
}

private func expect(_ condition: Bool, _ promise: String) {
  if !condition { fatalError("broken promise: \(promise)") }
}

// MARK: Readers

/// A small catalogue with a parameter of every type.
private let catalogue = Catalogue([
  StageKind(
    name: "kind", summary: "", inputs: [.init(name: "rows", summary: "", isRequired: false, isList: true)],
    outputs: [.init(name: "rows", summary: "", fileName: "rows.jsonl")],
    parameters: [
      .init(name: "integer", summary: "", type: .integer(0...9), defaultValue: 1),
      .init(name: "number", summary: "", type: .optional(.number(0...1))),
      .init(name: "choice", summary: "", type: .choice(["one", "two"]), defaultValue: "one"),
      .init(name: "list", summary: "", type: .list(.string), defaultValue: []),
      .init(name: "map", summary: "", type: .map(.boolean), defaultValue: [:]),
      .init(
        name: "record", summary: "",
        type: .record([.init(name: "x", summary: "", type: .integer(0...9), defaultValue: 1)]), defaultValue: [:]),
    ])
])

/// Inputs are unsafe paths only where a source says so; outputs are inside the project, each once.
@Sendable private func pipeline(_ bytes: [UInt8]) {
  do {
    let pipeline = try Pipeline(bytes: bytes, file: "p.yaml", catalogue: catalogue)
    var ids: Set<String> = []
    var places: Set<String> = []
    for stage in pipeline.stages {
      expect(ids.insert(stage.id).inserted, "ids are unique")
      expect(stage.dependencies.allSatisfy(ids.contains), "a stage comes after what it depends on")
      for output in stage.outputs {
        expect(places.insert(output.path).inserted, "every output has a path of its own")
        let parts = output.path.split(separator: "/", omittingEmptySubsequences: false)
        expect(
          parts.allSatisfy { !["", ".", ".."].contains($0) && $0.lowercased() != ".git" } && parts.first != "cache",
          "outputs stay in the project")
      }
    }
  } catch let failures as Failures {
    expect(!failures.all.isEmpty, "a refusal says why")
    for failure in failures.all {
      expect(failure.kind == .user && failure.position != nil, "a mistake has a place")
      expect(printable(failure.description) == failure.description, "a message drives no terminal")
    }
  } catch { expect(error is Failure, "only failures are thrown") }
}

/// What is taken is written back to the very bytes, and stays in its folder.
@Sendable private func tree(_ bytes: [UInt8]) {
  guard let tree = try? Tree(parsing: bytes) else { return }
  expect(tree.bytes == bytes, "a manifest has one form")
  for entry in tree.entries {
    for part in entry.path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
      let text = String(decoding: part, as: UTF8.self)
      expect(!["", ".", ".."].contains(text) && !part.contains(0), "entries stay in the folder")
    }
  }
}

/// The canonical form is one: reading it gives the same value and the same form.
@Sendable private func json(_ bytes: [UInt8]) {
  guard let value = try? JSON(parsing: bytes, file: "x") else { return }
  let canonical = value.canonicalBytes
  guard let again = try? JSON(parsing: canonical, file: "x") else {
    return expect(false, "the canonical form is JSON")
  }
  expect(again == value && again.canonicalBytes == canonical, "the canonical form is one")
  expect((try? JSON(parsing: value.pretty.utf8, file: "x")) == value, "the pretty form is the value")
  expect((try? JSON(parsing: printableJSON(value.pretty).utf8, file: "x")) == value, "so is what a terminal gets")
}

/// Lines as rows; a row that is taken is taken again from its own record.
@Sendable private func rows(_ bytes: [UInt8]) {
  let folder = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
  let path = "\(folder)/lemma-fuzz-\(getpid()).jsonl"
  guard (try? Files.write(bytes, to: path)) != nil else { return }
  try? JSONLReader.forEach(path) { value, position in
    guard let row = try? Row(json: value, at: position) else { return }
    expect((try? Row(json: row.json))?.id == row.id, "a row's record is the row")
  }
}

/// Results as the index and the ledger keep them.
@Sendable private func result(_ bytes: [UInt8]) {
  guard let value = try? JSON(parsing: bytes, file: "x"), let result = ActionResult(json: value) else { return }
  for (_, artifact) in result.outputs {
    expect(Artifact(json: artifact.json) == artifact, "an artifact's record is the artifact")
  }
  expect(ActionResult(json: result.json)?.outputs == result.outputs, "a result's record is the result")
}

/// Striking out once is enough; what is shown drives no terminal.
@Sendable private func keys(_ bytes: [UInt8]) {
  let clean = KeyShapes.redact(bytes)
  expect(KeyShapes.redact(clean) == clean, "striking out once is enough")
  let shown = printable(String(decoding: bytes, as: UTF8.self))
  expect(printable(shown) == shown, "escaping once is enough")
}

/// All tensors of a source can be read, or are refused by their type.
private func model(_ open: () throws -> any WeightSource) {
  do {
    let source = try open()
    expect(source.names == source.names.sorted(), "names are sorted")
    for tensor in source.tensors {
      expect(tensor.shape.reduce(1, *) == tensor.count, "a tensor has as many values as its shape says")
      expect(source.tensor(tensor.name) == tensor, "a tensor is found by its name")
      do {
        expect(try source.values(of: tensor.name).count == tensor.count, "all values are read")
      } catch {
        expect((error as? Failure)?.code == "tensor-type", "what was taken can be read")
      }
    }
  } catch { expectFailure(error) }
}

@Sendable private func safetensors(_ bytes: [UInt8]) {
  model { try SafetensorsFile(MappedFile(copying: bytes, as: "x")) }
}

@Sendable private func gguf(_ bytes: [UInt8]) { model { try GGUF(MappedFile(copying: bytes, as: "x")) } }

/// Shards stay in the folder.
@Sendable private func index(_ bytes: [UInt8]) {
  guard let map = try? TensorFolder.shardNames(of: MappedFile(copying: bytes, as: "x")) else { return }
  for name in map.values {
    let isPlain = !name.utf8.contains(UInt8(ascii: "/")) && !name.utf8.contains(0)
    expect(isPlain && !["", ".", ".."].contains(name), "shards stay in the folder")
  }
}

/// The failure of a reader of what models bring, which has a place and drives no terminal.
private func expectFailure(_ error: any Error) {
  guard let failure = error as? Failure else { return expect(false, "only failures are thrown") }
  expect(failure.kind == .user && failure.position != nil, "a mistake has a place")
  expect(printable(failure.description) == failure.description, "a message drives no terminal")
}

/// The same messages give the same text, and what the model is given and what it writes are the whole of it.
@Sendable private func chat(_ bytes: [UInt8]) {
  do {
    let source = String(decoding: bytes, as: UTF8.self)
    let template = try ChatTemplate(source: source, bos: "<s>", eos: "</s>", file: "t")
    let messages: [ChatMessage] = [.system("é"), .user(" 2 + 2?\n"), .assistant("4")]
    let variables: [String: JSON] = ["tools": [["name": "f", "n": [1, 1.5, nil]]], "thinks": false]
    let text = try template.render(messages, variables: variables)
    expect(isSame(try template.render(messages, variables: variables), text), "a text is one")
    let example = try template.split(messages, variables: variables)
    expect(isSame(example.prompt + example.response, text), "prompt and response are the whole text")
  } catch { expectFailure(error) }
}

/// What is taken keeps its bytes, gives only ids that have tokens, and never ends a text by itself.
@Sendable private func tokenizer(_ bytes: [UInt8]) {
  do {
    let tokenizer = try Tokenizer(parsing: bytes, file: "t")
    guard let again = try? Tokenizer(parsing: tokenizer.content, file: "t") else {
      return expect(false, "what is written is read")
    }
    expect(again == tokenizer, "what is written is the tokenizer")
    for text in ["Tom's 12 apples,\n\n  naïve e\u{301} ▁ 日本 <|endoftext|></s>", "", " a"] {
      let ids = tokenizer.encode(text)
      expect(ids.allSatisfy { tokenizer.token(of: $0) != nil }, "every id has a token")
      expect(!ids.contains(tokenizer.endOfText), "no text ends itself")
      expect(again.encode([text, text]) == [ids, ids], "a text has one list of ids")
      let all = tokenizer.encode(text, allowingSpecial: true, addingSpecial: true)
      expect(
        isSame(again.decode(all, skippingSpecial: false), tokenizer.decode(all, skippingSpecial: false)), "so have ids")
    }
  } catch { expectFailure(error) }
}
