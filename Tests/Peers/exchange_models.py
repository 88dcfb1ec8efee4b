"""Makes small models with transformers, and opens what Lemma saved of them.

usage: exchange_models.py make FOLDER   writes FOLDER/NAME, a model of each family with random weights and a tokenizer,
                                        FOLDER/NAME.logits, [tokens, vocabulary] in float32, and FOLDER/tokens.json
       exchange_models.py check FOLDER  opens FOLDER/NAME.saved, and compares its logits with FOLDER/NAME.logits and its
                                        tokenizer, special tokens and chat template with those of FOLDER/NAME
       exchange_models.py gguf FOLDER FILE
                                        writes what transformers makes of a GGUF file: FOLDER/tokens.json, the ids of
                                        FOLDER/text, and FOLDER/logits
Exits 0, or 1 with a message.
"""

import json
import sys
from pathlib import Path

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors
from tokenizers.trainers import BpeTrainer
from transformers import (
    AutoModelForCausalLM, AutoTokenizer, GenerationConfig, GPT2Config, LlamaConfig, MistralConfig, PreTrainedTokenizerFast,
    Qwen2Config,
)

TEXTS = ["Tom has 12 apples.", " it's  two\n\n lines", "naïve café 日本 🎉", "<|im_end|>", ""]
TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
CHAT = [{"role": "user", "content": "What is 2 + 3?"}, {"role": "assistant", "content": "5"}]
SIZE = 320


def tokenizer(begins):
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    special = [AddedToken(name, special=True) for name in ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]]
    made.train_from_iterator(
        TEXTS * 3, BpeTrainer(vocab_size=SIZE, special_tokens=special, show_progress=False,
                              initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    if begins:
        made.post_processor = processors.TemplateProcessing(
            single="<|im_start|> $A", special_tokens=[("<|im_start|>", made.token_to_id("<|im_start|>"))])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=made, bos_token="<|im_start|>" if begins else None, eos_token="<|im_end|>",
        pad_token="<|endoftext|>", clean_up_tokenization_spaces=False)
    fast.chat_template = TEMPLATE
    return fast


def configurations():
    shape = dict(
        vocab_size=SIZE, hidden_size=48, intermediate_size=80, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=64, initializer_range=0.2, bos_token_id=1, eos_token_id=2)
    stretched = {
        "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 16, "rope_theta": 500000.0}
    yield "llama", LlamaConfig(**shape, tie_word_embeddings=False, head_dim=16), {}
    yield "biased", LlamaConfig(**shape, tie_word_embeddings=True, attention_bias=True, mlp_bias=True), {}
    yield "stretched", LlamaConfig(**shape, rope_parameters=stretched), {}
    yield "mistral", MistralConfig(**shape, sliding_window=None), {"max_shard_size": "40KB"}
    yield "qwen2", Qwen2Config(**shape, tie_word_embeddings=True), {"dtype": torch.bfloat16}
    yield "gpt2", GPT2Config(
        vocab_size=SIZE, n_embd=48, n_layer=2, n_head=4, n_positions=64, initializer_range=0.2, bos_token_id=0,
        eos_token_id=2), {"dtype": torch.float16}


def logits(folder, tokens, **options):
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, **options)
    with torch.no_grad():
        return model(torch.tensor([tokens])).logits[0]


def make(folder):
    torch.manual_seed(7)
    tokens = torch.randint(0, SIZE, (40,)).tolist()
    (folder / "tokens.json").write_text(json.dumps(tokens))
    for name, configuration, options in configurations():
        model = AutoModelForCausalLM.from_config(configuration)
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.dim() == 1:  # Gains and biases start at 1 and 0.
                    parameter += 0.3 * torch.randn_like(parameter)
        model.to(options.pop("dtype", torch.float32))
        model.generation_config = GenerationConfig(eos_token_id=[2, 0], pad_token_id=0)
        model.save_pretrained(folder / name, **options)
        tokenizer(begins=name == "llama").save_pretrained(folder / name)
        logits(folder / name, tokens).numpy().tofile(folder / f"{name}.logits")


def check(folder):
    tokens = json.loads((folder / "tokens.json").read_text())
    for name, _, _ in configurations():
        theirs, ours = folder / name, folder / f"{name}.saved"
        expected = torch.frombuffer(bytearray((folder / f"{name}.logits").read_bytes()), dtype=torch.float32)
        worst = (logits(ours, tokens).flatten() - expected).abs().max().item()
        if not worst < 1e-4:
            sys.exit(f"{name}: the logits of what was saved differ by {worst}")
        before, after = AutoTokenizer.from_pretrained(theirs), AutoTokenizer.from_pretrained(ours)
        for text in TEXTS:
            if before(text)["input_ids"] != after(text)["input_ids"]:
                sys.exit(f"{name}: {text!r} is {after(text)['input_ids']}, not {before(text)['input_ids']}")
        if before.special_tokens_map != after.special_tokens_map:
            sys.exit(f"{name}: the special tokens are {after.special_tokens_map}, not {before.special_tokens_map}")
        if before.apply_chat_template(CHAT, tokenize=False) != after.apply_chat_template(CHAT, tokenize=False):
            sys.exit(f"{name}: the chat template is another")
        ends = GenerationConfig.from_pretrained(ours).eos_token_id
        if ends != [2, 0]:
            sys.exit(f"{name}: an answer ends with {ends}, not [2, 0]")


def read_gguf(folder, file):
    source = {"gguf_file": file.name}
    tokens = AutoTokenizer.from_pretrained(file.parent, **source)((folder / "text").read_text())["input_ids"]
    (folder / "tokens.json").write_text(json.dumps(tokens))
    logits(file.parent, tokens, **source).numpy().tofile(folder / "logits")


if __name__ == "__main__":
    {"make": make, "check": check, "gguf": read_gguf}[sys.argv[1]](*map(Path, sys.argv[2:]))
