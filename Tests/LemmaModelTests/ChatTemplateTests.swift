import LemmaBasics
import LemmaTestSupport
import Testing

@testable import LemmaModel

@Suite struct ChatTemplateTests {
  private func template(_ source: String) throws -> ChatTemplate {
    try ChatTemplate(source: source, bos: "<s>", eos: "</s>", file: "t.jinja")
  }

  /// What is thrown.
  private func failure(_ body: () throws -> some Any) -> Failure? {
    do {
      _ = try body()
      return nil
    } catch { return error as? Failure }
  }

  // MARK: The language

  @Test(arguments: ChatSnippet.all.indices)
  func aSnippetComesToWhatItSays(_ index: Int) {
    let snippet = ChatSnippet.all[index]
    do {
      let text = try snippet.render()
      guard case .gives(let expected) = snippet.outcome else {
        Issue.record("\(snippet.source) gives \(text.debugDescription)")
        return
      }
      #expect(isSame(text, expected), "\(snippet.source) gives \(text.debugDescription)")
    } catch {
      let failure = error as? Failure
      let fault: JinjaFault
      let place: String
      switch snippet.outcome {
      case .fails(let expected, let at), .isRefused(let expected, let at): (fault, place) = (expected, at)
      case .gives:
        Issue.record("\(snippet.source): \(error)")
        return
      }
      #expect(failure?.code == fault.rawValue, "\(snippet.source): \(error)")
      #expect(failure?.position?.description == "t:\(place)", "\(snippet.source): \(error)")
    }
  }

  @Test func aNameThatIsNearlyRightGetsAHint() {
    #expect(failure { try template("{{ 'a' | uper }}") }?.hint == "did you mean 'upper'?")
    #expect(failure { try template("{{ 1 is defind }}") }?.hint == "did you mean 'defined'?")
    #expect(failure { try template("{% fro x in y %}") }?.hint == "did you mean 'for'?")
    #expect(failure { try template("{{ strftime_now('%Y') }}").render([]) }?.hint?.contains("date") == true)
  }

  @Test func columnsCountBytes() {
    #expect(failure { try template("é\n日本{{ é }}") }?.description.hasPrefix("t.jinja:2:10: ") == true)
  }

  // MARK: Limits

  /// Makes `ns.s` a text of eight million characters.
  private static let long =
    "{% set ns = namespace(s='x') %}{% for i in range(23) %}{% set ns.s = ns.s + ns.s %}{% endfor %}"

  @Test(arguments: [
    "{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}",
    "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "{% macro f(n) %}{{ g(n) }}{% endmacro %}{% macro g(n) %}{{ f(n) }}{{ f(n) }}{% endmacro %}{{ f(1) }}",
    "{% set ns = namespace(s='x') %}{% for i in range(99) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
    "{% set ns = namespace(l=[]) %}{% for i in range(99) %}{% set ns.l = [ns.l] %}{% endfor %}",
    "{% set ns = namespace(l=[1]) %}{% for i in range(99) %}{% set ns.l = ns.l + ns.l %}{% endfor %}",
    "{% set ns = namespace(l=[1]) %}{% for i in range(39) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l == ns.l }}",
    "{{ 'x' * 99999999999 }}", "{{ 'xxxx' * 9223372036854775807 }}", "{{ [1] * 9223372036854775807 }}",
    "{{ ('x' * 99999) | replace('', 'y' * 99999) }}", "{{ ('x' * 99999).replace('x', 'y' * 99999) }}",
    long + "{{ 'ab'.join([ns.s] * 9) }}", long + "{% for a in range(9) %}{{ ns.s }}{% endfor %}", "{{ 2 ** 64 }}",
    "{{ -9223372036854775807 - 2 }}",
    "{{ 99999999999999999999 }}", "{{ [1] | tojson(indent=9223372036854775807) ~ 'x' * 99999999 }}",
    "{{ [1] | tojson(indent=-4000000000000000) }}{{ 'x' * 16000000 * 9 }}",
    "{{ range(100000) | list | tojson(separators=('x' * 1000000, ':')) }}",
    "{% set a = 'x' * 1000000 %}{{ [{a: 1}] * 100000 }}",
    "{{ ([{}] * 100000) | map(attribute='x' * 1000000) | list }}",
    "{% set a = 'x' * 9999999 %}{% for i in range(99999) %}{% if {a: 1} %}{% endif %}{% endfor %}",
    "{% set a = 'A' * 9999999 %}{% for i in range(99999) %}{% if a is upper %}{% endif %}{% endfor %}",
    "{% set a = 'A' * 9999999 %}{% if (a ~ 'z').startswith((a ~ 'y',) * 99999) %}{% endif %}",
    "{% set a = dict({'x' * 9999999: 1}) %}{% for i in range(99999) %}{% if dict(a) %}{% endif %}{% endfor %}",
    String(repeating: "(", count: 9999), String(repeating: "{{ [", count: 9999),
    "{{ " + String(repeating: "(", count: 500) + "1" + String(repeating: ")", count: 500) + " }}",
    "{{ " + String(repeating: "not ", count: 5000) + "1 }}", "{{ " + String(repeating: "- ", count: 5000) + "1 }}",
    "{{ 1" + String(repeating: " + 1", count: 5000) + " }}", "{{ a" + String(repeating: ".a", count: 5000) + " }}",
    "{{ a" + String(repeating: " | upper", count: 5000) + " }}", "{{ a" + String(repeating: "()", count: 5000) + " }}",
    "{{ 1" + String(repeating: " if 1 else 1", count: 5000) + " }}",
    String(repeating: "{% if 1 %}", count: 500) + String(repeating: "{% endif %}", count: 500),
    String(repeating: "{% for a in [1] %}", count: 59) + String(repeating: "{{ [[[[[[a]]]]]] }}", count: 2)
      + String(repeating: "{% endfor %}", count: 60),
    String(repeating: "x", count: JinjaSource.limit + 1),
  ])
  func whatHasNoEndIsRefused(_ source: String) {
    let failure = failure { try template(source).render([.user("Hi")]) }
    guard !source.hasPrefix("((") else {
      #expect(failure == nil)
      return
    }
    let isKnown = ["chat-template-limit", "chat-template-syntax"].contains(failure?.code)
    #expect(isKnown, "\(source.prefix(80)): \(String(describing: failure))")
  }

  @Test func anIteratorIsTakenFromInLittleTime() throws {
    let source =
      "{% set it = ([1] * 1000000) | reverse %}{% for i in range(9999) %}{% set x = it | first %}{% endfor %}"
    #expect(try template(source + "{{ it | list | length }}").render([.user("Hi")]) == "990001")
  }

  @Test func aLongConversationMayTakeMoreSteps() throws {
    let turns = (0..<3000).flatMap { [ChatMessage.user("Question \($0)? "), .assistant("Answer. ")] }
    for family in ChatFamilies.all {
      let text = try template(family.source).render(turns)
      #expect(text.contains("Question 2999?"), "\(family.name)")
    }
  }

  @Test func theSameMessagesGiveTheSameText() throws {
    let variables: [String: JSON] = ["tools": [["z": 1, "a": 2, "m": ["y": 1, "b": 2]]]]
    let template = try template("{{ tools }}{{ tools | tojson }}{% for k in tools[0] %}{{ k }}{% endfor %}")
    let first = try template.render([], variables: variables)
    #expect(first == "[{'a': 2, 'm': {'b': 2, 'y': 1}, 'z': 1}][{\"a\": 2, \"m\": {\"b\": 2, \"y\": 1}, \"z\": 1}]amz")
    #expect(try template.render([], variables: variables) == first)
  }

  // MARK: Templates of families

  @Test func chatMLWritesTurnsBetweenItsMarks() throws {
    let template = try ChatTemplate.builtIn("chatml")
    let messages: [ChatMessage] = [.system("Be brief."), .user("2 + 2?"), .assistant("4")]
    let text = """
      <|im_start|>system
      Be brief.<|im_end|>
      <|im_start|>user
      2 + 2?<|im_end|>
      <|im_start|>assistant
      4<|im_end|>

      """
    #expect(try template.render(messages) == text)
    #expect(try template.render(messages, addGenerationPrompt: true) == text + "<|im_start|>assistant\n")
    #expect(try template.render([]) == "")
  }

  @Test func plainWritesOnlyWhatIsSaid() throws {
    let template = try ChatTemplate.builtIn("plain")
    #expect(try template.render([.user(" a\n"), .assistant("{{ b }}")]) == " a\n{{ b }}")
    let failure = failure { try ChatTemplate.builtIn("alpaca") }
    #expect(failure?.code == "unknown-chat-template" && failure?.hint == "there are chatml and plain")
  }

  @Test func familiesWriteWhatTheirModelsRead() throws {
    let messages: [ChatMessage] = [.user(" Hi\n"), .assistant("Yo"), .user("Bye")]
    let expected = [
      "smollm2":
        "<|im_start|>system\nYou are a helpful AI assistant<|im_end|>\n<|im_start|>user\n Hi\n<|im_end|>\n"
        + "<|im_start|>assistant\nYo<|im_end|>\n<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n",
      "llama2": "<s>[INST] Hi [/INST] Yo </s><s>[INST] Bye [/INST]",
      "llama3":
        "<s><|start_header_id|>system<|end_header_id|>\n\n<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHi"
        + "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nYo<|eot_id|><|start_header_id|>user"
        + "<|end_header_id|>\n\nBye<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
      "mistral": "<s>[INST]  Hi\n[/INST] Yo</s>[INST] Bye[/INST]",
      "zephyr": "<|user|>\n Hi\n</s>\n<|assistant|>\nYo</s>\n<|user|>\nBye</s>\n<|assistant|>\n",
      "gemma":
        "<s><start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\nYo<end_of_turn>\n<start_of_turn>user\nBye"
        + "<end_of_turn>\n<start_of_turn>model\n",
    ]
    for (name, source) in ChatFamilies.all {
      guard let text = expected[name] else { continue }
      #expect(try template(source).render(messages, addGenerationPrompt: true) == text, "\(name)")
    }
    let refused = failure { try template(ChatFamilies.gemma).render([.system("S"), .user("Hi")]) }
    #expect(refused?.code == "chat-template-raised")
    #expect(refused?.message == "the template refuses these messages: System role not supported")
  }

  // MARK: Prompt and response

  @Test func aConversationIsSplitWhereTheLastAnswerBegins() throws {
    let template = try ChatTemplate.builtIn("chatml")
    let example = try template.split(user: "2 + 2?", assistant: "4", system: "Be brief.")
    #expect(
      example.prompt == "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n2 + 2?<|im_end|>\n"
        + "<|im_start|>assistant\n")
    #expect(example.response == "4<|im_end|>\n")
    #expect(try template.prompt(user: "2 + 2?", system: "Be brief.") == example.prompt)
    let long = try template.split([.user("a"), .assistant("b"), .user("c"), .assistant("d")])
    #expect(long.prompt.contains("assistant\nb<|im_end|>") && long.response == "d<|im_end|>\n")
  }

  @Test func promptAndResponseAreTheWholeText() throws {
    let messages: [ChatMessage] = [.user("Hi"), .assistant("Yo"), .user("é\u{301}"), .assistant("\u{301}x")]
    for (name, source) in ChatFamilies.all where !["thinking", "phi", "zephyr"].contains(name) {
      let template = try template(source)
      guard name != "alpaca" else { continue }
      let example = try template.split(messages)
      #expect(isSame(example.prompt + example.response, try template.render(messages)), "\(name)")
    }
  }

  @Test func aTemplateThatWritesThePromptInTwoWaysIsRefused() throws {
    let thinks = try template(ChatFamilies.thinking)
    let failure = failure {
      try thinks.split([
        .user("a"), .assistant("<think>\nx\n</think>\n\nb"), .user("c"), .assistant("<think>\ny\n</think>\n\nd"),
      ])
    }
    #expect(failure == nil)
    let counts = try template("{{ messages | length }}{% for m in messages %}{{ m.content }}{% endfor %}")
    let refused = self.failure { try counts.split(user: "a", assistant: "b") }
    #expect(refused?.code == "chat-split" && refused?.position?.file == "t.jinja")
    #expect(refused?.message.contains("at character 1: '1a' when asked, '2ab' with the answer") == true)
    #expect(self.failure { try counts.split([.user("a")]) }?.code == "chat-split")
    #expect(self.failure { try counts.split([]) }?.code == "chat-split")
  }

  // MARK: Files

  @Test func aFolderHasItsTemplateInOneOfThreePlaces() throws {
    let space = TestSpace()
    #expect(try ChatTemplate.read(folder: space.path) == nil)
    try space.write(
      "tokenizer_config.json", #"{"bos_token": "<s>", "eos_token": {"content": "</s>"}, "pad_token": null}"#)
    #expect(try ChatTemplate.read(folder: space.path) == nil)
    try space.write(
      "tokenizer_config.json", #"{"bos_token": "<s>", "chat_template": "{{ bos_token }}\n{{ eos_token }}1"}"#)
    let text = try #require(try ChatTemplate.read(folder: space.path))
    #expect(try text.render([]) == "<s>\n1" && text.tokens == ["bos_token": "<s>"])
    try space.write(
      "tokenizer_config.json",
      """
      {"eos_token": {"content": "</s>"}, "chat_template": [
        {"name": "default", "template": "{{ eos_token }}2"}, {"name": "tool_use", "template": "{{ no }}"}
      ]}
      """)
    #expect(try ChatTemplate.read(folder: space.path)?.render([]) == "</s>2")
    try space.write("chat_template.jinja", "{{ eos_token }}3\n")
    #expect(try ChatTemplate.read(folder: space.path)?.render([]) == "</s>3")
  }

  @Test(arguments: [
    ("[]", "it is a mapping, not a list"), (#"{"chat_template": 1}"#, "'chat_template' is a text or a list"),
    (#"{"chat_template": [{"name": "x"}]}"#, "each 'chat_template' has a 'name' and a 'template'"),
    (#"{"chat_template": [{"name": "x", "template": ""}]}"#, "none of its chat templates is called 'default'"),
    (#"{"bos_token": 5}"#, "'bos_token' is a text"),
    (#"{"chat_template": "a\n{{ 1"}"#, "the tag has no end"),
  ])
  func aFolderThatIsNotInOrderIsRefused(_ content: String, _ words: String) throws {
    let space = TestSpace()
    try space.write("tokenizer_config.json", content)
    let failure = failure { try ChatTemplate.read(folder: space.path) }
    #expect(failure?.message.contains(words) == true, "\(String(describing: failure))")
    #expect(failure?.position?.file.hasPrefix(space.file("tokenizer_config.json")) == true)
  }

  @Test func aGGUFFileHasItsTemplateInItsMetadata() throws {
    func template(bos: UInt32) throws -> ChatTemplate? {
      var file = GGUFBuilder()
      file.header(tensors: 0, pairs: 4)
      file.pair("general.architecture", "llama")
      file.pair("tokenizer.chat_template", "{{ bos_token }}{{ messages[0].content }}")
      file.pair("tokenizer.ggml.bos_token_id", bos)
      file.key("tokenizer.ggml.tokens", type: 9)
      file.array(8, count: 2)
      file.string("a")
      file.string("<s>")
      file.pad()
      return try ChatTemplate.read(gguf: try GGUF(MappedFile(copying: file.bytes, as: "m.gguf")))
    }
    #expect(try template(bos: 1)?.render([.user("Hi")]) == "<s>Hi")
    let nameless = "'tokenizer.ggml.bos_token_id' names no token of the vocabulary"
    #expect(failure { try template(bos: 2) }?.message.contains(nameless) == true)
    #expect(try ChatTemplate.read(gguf: try GGUF(MappedFile(copying: GGUFBuilder.sample().bytes, as: "m"))) == nil)
  }
}
