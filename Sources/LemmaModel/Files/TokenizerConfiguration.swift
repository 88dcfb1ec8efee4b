import LemmaBasics

/// What a folder of Hugging Face's says of a model's special tokens, beside `tokenizer.json`.
extension Model {
  private func id(_ name: String) -> JSON? {
    conventions.names[name].flatMap { tokenizer.id(of: $0) }.map { JSON(Int($0)) }
  }

  /// The ids in `config.json` and `generation_config.json`; without a token that pads, the end does.
  var tokenIDs: [String: JSON] {
    let ends = conventions.ends.map { JSON(Int($0)) }
    return [
      "bos_token_id": id("bos_token") ?? nil, "eos_token_id": ends.count == 1 ? ends[0] : .array(ends),
      "pad_token_id": id("pad_token") ?? ends[0],
    ]
  }

  /// The content of `tokenizer_config.json`.
  var tokenizerConfiguration: JSON {
    let end: JSON = tokenizer.token(of: tokenizer.endOfText).map { .string($0) } ?? nil
    var json: [String: JSON] = [
      "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": JSON(configuration.contextLength),
      "clean_up_tokenization_spaces": false, "add_bos_token": .bool(!tokenizer.beginning.isEmpty),
      "add_prefix_space": false, "bos_token": nil,
    ]
    for (name, spelling) in conventions.names { json[name] = .string(spelling) }
    json["eos_token"] = end
    json["pad_token"] = json["pad_token"] ?? end
    json["added_tokens_decoder"] = .object(
      Dictionary(tokenizer.definition.added.map { (String($0.id), .object($0.json)) }) { first, _ in first })
    return .object(json)
  }
}
