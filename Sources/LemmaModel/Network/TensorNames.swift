/// What Hugging Face's architectures call the pieces of a parameter block, and how their files shape them.
struct TensorNames {
  private(set) var tensors: [ParameterLayout.Tensor] = []

  init(
    _ model: ModelConfiguration, layers: [ParameterLayout.Layer], head: Int, positions: Int?,
    finalNorm: ParameterLayout.Norm
  ) {
    if model.architecture == .gpt2 {
      addGPT2(model, layers, positions ?? 0, finalNorm)
    } else {
      addLlama(model, layers, finalNorm)
    }
    if !model.tiesEmbeddings { add("lm_head.weight", [model.vocabularySize, model.hiddenSize], head) }
  }

  private mutating func add(_ name: String, _ shape: [Int], _ offset: Int?, isTransposed: Bool = false) {
    guard let offset else { return }
    tensors.append(.init(name: name, shape: shape, offset: offset, isTransposed: isTransposed))
  }

  private mutating func addLlama(
    _ model: ModelConfiguration, _ layers: [ParameterLayout.Layer], _ finalNorm: ParameterLayout.Norm
  ) {
    let (d, f, q) = (model.hiddenSize, model.intermediateSize, model.queryWidth)
    let kv = model.keyValueHeads * model.headSize
    add("model.embed_tokens.weight", [model.vocabularySize, d], 0)
    add("model.norm.weight", [d], finalNorm.gain)
    for (index, layer) in layers.enumerated() {
      func linear(_ name: String, _ outputs: Int, _ inputs: Int, _ weight: Int, _ bias: Int?) {
        add("model.layers.\(index).\(name).weight", [outputs, inputs], weight)
        add("model.layers.\(index).\(name).bias", [outputs], bias)
      }
      let bias = layer.attentionBias
      linear("self_attn.q_proj", q, d, layer.attention, bias)
      linear("self_attn.k_proj", kv, d, layer.attention + q * d, bias.map { $0 + q })
      linear("self_attn.v_proj", kv, d, layer.attention + (q + kv) * d, bias.map { $0 + q + kv })
      linear("self_attn.o_proj", d, q, layer.output, layer.outputBias)
      linear("mlp.gate_proj", f, d, layer.up, layer.upBias)
      linear("mlp.up_proj", f, d, layer.up + f * d, layer.upBias.map { $0 + f })
      linear("mlp.down_proj", d, f, layer.down, layer.downBias)
      add("model.layers.\(index).input_layernorm.weight", [d], layer.attentionNorm.gain)
      add("model.layers.\(index).post_attention_layernorm.weight", [d], layer.feedForwardNorm.gain)
    }
  }

  private mutating func addGPT2(
    _ model: ModelConfiguration, _ layers: [ParameterLayout.Layer], _ positions: Int,
    _ finalNorm: ParameterLayout.Norm
  ) {
    let (d, f) = (model.hiddenSize, model.intermediateSize)
    add("transformer.wte.weight", [model.vocabularySize, d], 0)
    add("transformer.wpe.weight", [model.contextLength, d], positions)
    func norm(_ name: String, _ norm: ParameterLayout.Norm) {
      add("transformer.\(name).weight", [d], norm.gain)
      add("transformer.\(name).bias", [d], norm.bias)
    }
    norm("ln_f", finalNorm)
    for (index, layer) in layers.enumerated() {
      // Its files hold every matrix as [inputs, outputs].
      func linear(_ name: String, _ inputs: Int, _ outputs: Int, _ weight: Int, _ bias: Int?) {
        add("transformer.h.\(index).\(name).weight", [inputs, outputs], weight, isTransposed: true)
        add("transformer.h.\(index).\(name).bias", [outputs], bias)
      }
      norm("h.\(index).ln_1", layer.attentionNorm)
      linear("attn.c_attn", d, 3 * d, layer.attention, layer.attentionBias)
      linear("attn.c_proj", d, d, layer.output, layer.outputBias)
      norm("h.\(index).ln_2", layer.feedForwardNorm)
      linear("mlp.c_fc", d, f, layer.up, layer.upBias)
      linear("mlp.c_proj", f, d, layer.down, layer.downBias)
    }
  }
}
